"""One variant on one split: a head without each family, asked about that family.

Features come from the cache, so a variant that differs in its head costs seconds. What
each head said of validation and test is kept in a file; numbers are computed from it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.unseen.configurations import Variant
from kerasfaces import metrics
from kerasfaces.core import arrays
from kerasfaces.core import config as configs
from kerasfaces.core.imports import import_keras
from kerasfaces.features.readers import Rows
from kerasfaces.manifest import Manifest
from kerasfaces.models import catalogue
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train import channels, protocol

if TYPE_CHECKING:
    from kerasfaces.train.unseen import Examples

FALSE_ALARMS = 0.01
_MERGED = ("portrait_gan", "stylegan", "stylegan2", "stylegan3")
Floats = NDArray[np.float64]
Texts = NDArray[Any]


def merged(manifest: Manifest) -> Manifest:
    """Return the manifest with all generators of StyleGAN's kind as one family."""
    rows = manifest.rows
    family = rows["source"].where(~rows["source"].isin(_MERGED), "stylegans")
    return dataclasses.replace(manifest, rows=rows.assign(family=family))


def merges(manifest: Manifest) -> bool:
    """Tell whether `merged` makes one family of several."""
    return len(set(manifest.rows["source"]) & set(_MERGED)) > 1


@dataclasses.dataclass(frozen=True, eq=False)
class Heads:
    """What heads without a family each said.

    Attributes:
        objective: Mean over families of the AUC on validation.
        logits: Split (`val`, `test`) -> family -> `(n,)` of all its images.
        fake: Split -> `(n,)` bool.
        sources: Split -> `(n,)` names.
        families: Split -> `(n,)` names.
    """

    objective: float
    logits: Mapping[str, Mapping[str, Floats]]
    fake: Mapping[str, NDArray[np.bool_]]
    sources: Mapping[str, Texts]
    families: Mapping[str, Texts]

    @property
    def names(self) -> list[str]:
        """Return the families that were left out."""
        return sorted(self.logits["test"])

    def auc(self, family: str) -> float:
        """Return the test AUC of a family: the mean over the real sources' own."""
        own = self.families["test"] == family
        fake, logits = self.fake["test"], self.logits["test"][family]
        every = []
        for source in sorted(set(self.sources["test"][~fake])):
            shown = (own & fake) | (~fake & (self.sources["test"] == source))
            every.append(metrics.auc(fake[shown], logits[shown]))
        return float(np.mean(every))

    def recall(self, family: str) -> float:
        """Return the share of a family above the threshold of 1 % false alarms."""
        shown = (self.families["test"] == family) & self.fake["test"]
        above = self.logits["test"][family][shown] > self.threshold(family)
        return float(np.mean(above))

    def threshold(self, family: str) -> float:
        """Return the validation threshold of 1 %, real sources weighing alike."""
        real = ~self.fake["val"]
        logits, sources = self.logits["val"][family][real], self.sources["val"][real]
        counts = {name: int((sources == name).sum()) for name in set(sources)}
        weights = np.array([1 / counts[name] for name in sources]) / len(counts)
        order = np.argsort(-logits)
        above = np.cumsum(weights[order])
        place = min(int(np.searchsorted(above, FALSE_ALARMS)), len(order) - 1)
        return float(logits[order][place])

    def count(self, family: str) -> int:
        """Return how many test fakes a family has."""
        return int(((self.families["test"] == family) & self.fake["test"]).sum())


def leave_out(
    variant: Variant,
    manifest: Manifest,
    weights: BaseWeights,
    file: Path,
    store: Path | None = None,
) -> Heads:
    """Train a head without each family, or read what an earlier call kept.

    Args:
        variant: How.
        manifest: Rows with splits.
        weights: Of the base.
        file: What the heads said.
        store: The noise patterns, where the variant looks at them.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays.write(file, _measure(variant, manifest, weights, store))
    return _of(arrays.read(file, "delete it and run again"))


def averaged(members: Sequence[Heads]) -> Heads:
    """Return heads whose logits are the means of several's, each in units of its own.

    The unit is the deviation of the logits of the validation photos, zero their mean.
    """
    first = members[0]
    logits: dict[str, dict[str, Floats]] = {"val": {}, "test": {}}
    objectives = []
    real = ~first.fake["val"]
    for family in first.names:
        scales = [
            (
                each.logits["val"][family][real].mean(),
                each.logits["val"][family][real].std(),
            )
            for each in members
        ]
        for split in logits:
            logits[split][family] = np.mean(
                [
                    (each.logits[split][family] - mean) / max(deviation, 1e-9)
                    for each, (mean, deviation) in zip(members, scales, strict=True)
                ],
                axis=0,
            )
        shown = real | (first.families["val"] == family)
        objectives.append(
            metrics.auc(first.fake["val"][shown], logits["val"][family][shown])
        )
    return dataclasses.replace(
        first, objective=float(np.mean(objectives)), logits=logits
    )


def resolved(variant: Variant, text: str) -> tuple[Variant, BaseWeights]:
    """Return a variant with its base's width as its weights have it, and these."""
    config = variant.config
    architecture = catalogue.load(config.model.name)
    weights = architecture.find_weights(text, config.model)
    assert weights is not None  # noqa: S101 - for the type checker: a frozen base has some
    model = architecture.completed(config.model, weights)
    config = dataclasses.replace(config, model=model)
    return dataclasses.replace(variant, config=config), weights


def _measure(
    variant: Variant, manifest: Manifest, weights: BaseWeights, store: Path | None
) -> dict[str, NDArray[Any]]:
    import_keras()
    from kerasfaces.train import data as datasets
    from kerasfaces.train import fit, unseen
    from kerasfaces.train.heads import Heads as TracedHeads
    from kerasfaces.train.network_builder import NetworkBuilder

    config = variant.config
    if store is None:
        data = datasets.load(manifest, config.input_spec)
    else:
        head = config.model.head
        config = channels.default(config.model.name, str(weights.path), store)
        config = configs.updated(config, {"model": {"head": configs.to_dict(head)}})
        names = config.model.channels
        data = datasets.load_channels(manifest, store, names)
    builder = NetworkBuilder(config, weights)
    features = fit.frozen_features(config, data, builder, weights)
    examples = protocol.examples_of(config, data, features)
    families, _ = unseen.families_of(*examples.fakes)
    if not variant.generators:
        examples = _without_generators(examples, families)
    heads = TracedHeads()
    every = protocol.candidates(config) if variant.searched else [config]
    objectives = [
        unseen.auc_unseen(
            each, examples.only(protocol.columns_of(each, every)), families, heads
        ).objective
        for each in every
    ]
    chosen = every[int(np.argmax(objectives))]
    columns = protocol.columns_of(chosen, every)
    test_rows = data.readable("test")
    test = unseen.Joined([(features.reader(data.keys(test_rows)), columns)])
    part = examples.only(columns)
    values: dict[str, NDArray[Any]] = {
        "objective": np.array(max(objectives)),
        "chosen": np.array(configs.digest(configs.to_dict(chosen))),
    }
    for family in families:
        val, logits = unseen.logits_without(
            chosen, part, family, [part.val, test], heads
        )
        values |= {f"val {family}": val, f"test {family}": logits}
    for split in ("val", "test"):
        rows = data.readable(split)
        values |= {
            f"fake of {split}": data.labels(rows) == 1,
            f"sources of {split}": np.array(data.sources(rows)),
            f"families of {split}": np.array(data.families(rows)),
        }
    return values


def _without_generators(examples: "Examples", families: Sequence[str]) -> "Examples":
    """Return the examples whose training fakes are those of pairs alone."""
    names = np.array(examples.train_families, dtype=object)
    rows = np.flatnonzero((examples.train_labels == 0) | ~np.isin(names, families))
    return dataclasses.replace(
        examples,
        train=[Rows(reader, rows) for reader in examples.train],
        train_labels=examples.train_labels[rows],
        train_sources=[examples.train_sources[row] for row in rows.tolist()],
        train_families=[examples.train_families[row] for row in rows.tolist()],
    )


def _of(values: Mapping[str, NDArray[Any]]) -> Heads:
    def by_split(name: str) -> dict[str, NDArray[Any]]:
        return {split: values[f"{name} of {split}"] for split in ("val", "test")}

    logits: dict[str, dict[str, Floats]] = {}
    for split in ("val", "test"):
        start = f"{split} "
        logits[split] = {
            key.removeprefix(start): values[key]
            for key in values
            if key.startswith(start)
        }
    return Heads(
        float(values["objective"]),
        logits,
        by_split("fake"),
        by_split("sources"),
        by_split("families"),
    )
