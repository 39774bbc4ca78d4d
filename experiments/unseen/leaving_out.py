"""One variant on one split: a head without each family, asked about that family.

Features come from the cache, so a variant that differs in its head costs seconds. What
each head said of validation and test is kept in a file; numbers are computed from it.
"""

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from experiments.unseen import heads
from experiments.unseen.configurations import Variant
from experiments.unseen.heads import Heads
from kerasfaces.core import arrays, rng
from kerasfaces.core import config as configs
from kerasfaces.core.imports import import_keras
from kerasfaces.features.readers import Columns, Joined, Reader, Rows
from kerasfaces.features.supersets import layer_sets
from kerasfaces.manifest import Manifest
from kerasfaces.manifest.table import column
from kerasfaces.models import catalogue
from kerasfaces.models.weights import BaseWeights
from kerasfaces.train import channels, protocol
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    from kerasfaces.features.cached import FeatureCache
    from kerasfaces.train.data import Data, Positions
    from kerasfaces.train.examples import Examples

CAMERA_PHOTOS = 200  # fewer say nothing of a hundredth
_MERGED = ("portrait_gan", "stylegan", "stylegan2", "stylegan3")
Texts = NDArray[Any]


def merged(manifest: Manifest) -> Manifest:
    """Return the manifest with all generators of StyleGAN's kind as one family."""
    rows = manifest.rows
    family = rows["source"].where(~rows["source"].isin(_MERGED), "stylegans")
    return dataclasses.replace(manifest, rows=rows.assign(family=family))


def merges(manifest: Manifest) -> bool:
    """Tell whether `merged` makes one family of several."""
    return len(set(manifest.rows["source"]) & set(_MERGED)) > 1


def leave_out(
    variant: Variant,
    manifest: Manifest,
    weights: BaseWeights,
    file: Path,
    store: Path | None = None,
    *,
    cameras: bool = True,
) -> Heads:
    """Train a head without each family; what they say is kept for `read`.

    Args:
        variant: How.
        manifest: Rows with splits.
        weights: The frozen base's file.
        file: An `.npz` to write: logits of validation and test, by family left out.
        store: The noise patterns, where the variant looks at them.
        cameras: Whether to train discriminants without each large camera as well.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays.write(file, _measure(variant, manifest, weights, store, cameras))
    return read(file)


def read(file: Path) -> Heads:
    """Return what an earlier call kept."""
    return heads.from_arrays(arrays.read(file, "delete it and run again"))


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
    variant: Variant,
    manifest: Manifest,
    weights: BaseWeights,
    store: Path | None,
    cameras: bool,
) -> dict[str, NDArray[Any]]:
    import_keras()
    from kerasfaces.train import data as datasets
    from kerasfaces.train import unseen
    from kerasfaces.train.frozen_features import frozen_features
    from kerasfaces.train.heads import Heads as TracedHeads
    from kerasfaces.train.network_builder import NetworkBuilder

    config = variant.config
    if store is None:
        data = datasets.load(manifest, config.input_spec)
    else:
        head = config.model.head
        config = channels.default(config.model.name, str(weights.path), store)
        config = configs.updated(config, {"model": {"head": configs.to_dict(head)}})
        data = datasets.load_channels(manifest, store, config.model.channel_names)
    builder = NetworkBuilder(config, weights)
    features = frozen_features(config, data, builder, weights)
    examples = protocol.examples_of(config, data, features)
    families, _ = unseen.families_of(*examples.fakes)
    train = data.readable("train")
    if not variant.generators:
        generators = np.array(examples.train_families, dtype=object)
        kept = np.flatnonzero(
            (examples.train_labels == 0) | ~np.isin(generators, families)
        )
        train, examples = train[kept], _only(examples, kept)
    heads = TracedHeads()
    layers = layer_sets(config.model) if variant.searched else [config.model.taps]
    every = [configs.updated(config, {"model": {"taps": each}}) for each in layers]
    chosen = every[0] if len(every) == 1 else _best(every, examples, families, heads)
    columns = protocol.columns_of(chosen, every)
    test_rows = data.readable("test")
    test = Joined([(features.reader(data.keys(test_rows)), columns)])
    part = examples.only(columns)
    values: dict[str, NDArray[Any]] = {}
    for family in families:
        val, logits = unseen.logits_without(
            chosen, part, family, [part.val, test], heads
        )
        values |= {f"val {family}": val, f"test {family}": logits}
    if cameras and chosen.model.head.solver == "discriminant":
        reader = functools.partial(_reader, data, features, columns)
        values |= _without_cameras(chosen, data, train, part, reader)
    for split in ("val", "test"):
        rows = data.readable(split)
        values |= {
            f"fake of {split}": data.labels(rows) == 1,
            f"sources of {split}": np.array(data.sources(rows)),
            f"families of {split}": np.array(data.families(rows)),
        }
    return values


def _best(
    every: list[TrainConfig], examples: "Examples", families: list[str], heads: Any
) -> TrainConfig:
    """Return the configuration whose heads know most of the families they lack."""
    from kerasfaces.train import unseen

    objectives = []
    for each in every:
        part = examples.only(protocol.columns_of(each, every))
        objectives.append(unseen.auc_unseen(each, part, families, heads).objective)
    return every[int(np.argmax(objectives))]


def _reader(
    data: "Data", features: "FeatureCache", columns: Columns | None, rows: "Positions"
) -> Reader:

    return Joined([(features.reader(data.keys(rows)), columns)])


def _without_cameras(
    config: TrainConfig,
    data: "Data",
    train: "Positions",
    examples: "Examples",
    reader: "Callable[[Positions], Reader]",
) -> dict[str, NDArray[Any]]:
    """Return what heads say that have seen neither a camera nor fakes of its photos."""
    from kerasfaces.train import unseen

    rows = data.rows.reset_index(drop=True)
    cameras, real = _cameras(rows), (rows["label"] == "real").to_numpy()
    val = data.readable("val")
    readable = np.concatenate([data.readable("test"), train, val])
    # Photos of generated pairs are copies; the photo itself is there too.
    photos = readable[
        real[readable] & (np.array(column(rows, "pair_id")) == "")[readable]
    ]
    values: dict[str, NDArray[Any]] = {}
    for camera in sorted(set(cameras[photos])):
        own = photos[cameras[photos] == camera]
        if len(own) < CAMERA_PHOTOS:
            continue
        own = rng.generator(0, "camera", camera).permutation(own)
        others = val[real[val] & (cameras[val] != camera)]
        left = _only(examples, np.flatnonzero(cameras[train] != camera))
        judged, mine = unseen.logits_without(
            config, left, "", [reader(others), reader(own)]
        )
        values |= {
            f"camera {camera}/own": mine,
            f"camera {camera}/others": judged,
            f"camera {camera}/sources": cameras[others].astype(str),
        }
    return values


def _cameras(rows: pd.DataFrame) -> Texts:
    """Return the real source of each row, of a pair's fake that of its photo."""
    real = rows["label"] == "real"
    pairs = pd.Series(column(rows, "pair_id"), index=rows.index)
    known = dict(zip(pairs[real], rows["source"][real], strict=True))
    known.pop("", None)
    fakes = zip(pairs, rows["source"], real, strict=True)
    return np.array(
        [source if own else known.get(pair, "") for pair, source, own in fakes],
        dtype=object,
    )


def _only(examples: "Examples", rows: NDArray[np.int64]) -> "Examples":
    """Return the examples with some of their training rows."""
    return dataclasses.replace(
        examples,
        train=[Rows(reader, rows) for reader in examples.train],
        train_labels=examples.train_labels[rows],
        train_sources=[examples.train_sources[row] for row in rows.tolist()],
        train_families=[examples.train_families[row] for row in rows.tolist()],
    )
