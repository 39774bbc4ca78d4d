"""Protocol `unseen`: everything is chosen for generators that training has not seen.

Laundered views and square-root weights (`applied`); layers and penalties of the head
by `val_auc_unseen` from a small grid (`choose`); calibration, threshold and the band of unsure
scores from the logits of heads that had not seen the family they judge (`evaluate.unseen`).
"""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, read_json, write_json
from kerasfaces.evaluate.unseen import LeftOut
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    from kerasfaces.features.cached import FeatureCache
    from kerasfaces.features.readers import Columns, Reader
    from kerasfaces.models.config import HeadConfig
    from kerasfaces.models.weights import BaseWeights
    from kerasfaces.run.folder import UnseenRun
    from kerasfaces.train.data import Data
    from kerasfaces.train.examples import Examples
    from kerasfaces.train.heads import Heads

logger = logging.getLogger(__name__)
L2 = (0.01, 0.1, 1.0, 10.0)  # of a head with hidden layers
SHRINKAGE, BETWEEN = (3.0, 30.0), (0.0, 20.0)  # of a linear one
VIEWS = 4


@dataclasses.dataclass(frozen=True)
class Choice:
    """What the protocol chose."""

    config: TrainConfig  # to train
    left_out: LeftOut  # logits of the heads without a family, under that configuration


def applied(config: TrainConfig) -> TrainConfig:
    """Return a configuration as the protocol wants it, where nothing else is said."""
    return dataclasses.replace(
        config, protocol="unseen", launder=1.0, views=VIEWS, weigh_sources="sqrt"
    )


def is_unseen(config: object) -> bool:
    """Tell whether a configuration asks for the protocol."""
    return isinstance(config, TrainConfig) and config.protocol == "unseen"


def check(config: object, base_weights: "BaseWeights | None") -> None:
    """Refuse the protocol for what has no head on a frozen base.

    Raises:
        InputError: The base is trained, too.
    """
    if not isinstance(config, TrainConfig) or not is_unseen(config):
        return
    if config.trains_whole(base_weights) or config.unfreeze:
        raise InputError(
            f"`protocol='unseen'` trains a head per family on a frozen base, and here "
            f"{config.model.name}'s base is trained as well; give `weights` and leave "
            "`unfreeze` out, or leave the protocol out."
        )


def candidates(config: TrainConfig) -> list[TrainConfig]:
    """Return the grid: layers (all, the earlier, the later half) and penalties of the head.

    A linear head is the discriminant, with a ridge and the weight of what generators differ
    by; one with hidden layers descends on its loss, with L2.
    """
    from kerasfaces.features.supersets import layer_sets

    head = config.model.head
    if head.units or head.dropout or head.output != "logit":
        heads: list[dict[str, object]] = [{"l2": l2} for l2 in L2]
    else:
        heads = [
            {"solver": "discriminant", "shrinkage": shrinkage, "between": between}
            for shrinkage in SHRINKAGE
            for between in BETWEEN
        ]
    return [
        configs.updated(config, {"model": {"taps": layers, "head": each}})
        for layers in layer_sets(config.model)
        for each in heads
    ]


def choose(
    config: TrainConfig,
    data: "Data",
    features: "FeatureCache",
    run: "UnseenRun",
    cache_of: "Callable[[TrainConfig], FeatureCache]",
) -> Choice:
    """Choose from the grid on validation; every candidate's result is kept in the folder.

    Args:
        config: What was asked for; its layers are the widest choice.
        data: Images, labels and splits.
        features: Of `config`'s base.
        run: The folder; a killed choice continues there.
        cache_of: A configuration -> the features its head is trained on.

    Raises:
        InputError: There is no family to leave out.
    """
    import keras

    from kerasfaces.features.readers import Joined
    from kerasfaces.train import unseen
    from kerasfaces.train.heads import Heads

    examples = examples_of(config, data, features)
    families, left_in = unseen.families_of(*examples.fakes)
    for family, why in left_in.items():
        logger.warning("family %s is never left out: %s", family, why)
    heads = Heads() if keras.backend.backend() == "tensorflow" else None
    every = candidates(config)
    grid = []
    for number, candidate in enumerate(every):
        entry = _known(run.candidate_file(number), candidate, families)
        if entry is None:
            part = examples.only(columns_of(candidate, every))
            aucs = unseen.auc_unseen(candidate, part, families, heads).aucs
            entry = _described(candidate, aucs)
            write_json(run.candidate_file(number), entry)
        grid.append(entry)
        logger.info("%d of %d: %s", number + 1, len(every), _in_words(entry))
    best = max(range(len(grid)), key=lambda i: (grid[i]["val_auc_unseen"], -i))
    chosen = every[best]
    columns = columns_of(chosen, every)
    part = examples.only(columns)
    test = features.reader(data.keys(data.readable("test")))
    readers = [part.val, Joined([(test, columns)])]
    logits = _left_out_logits(chosen, part, readers, families, heads)
    if columns is not None and config.model.is_rgb:
        _hand_over(config, data, features, cache_of(chosen), columns)
    facts = {"grid": grid, "chosen": grid[best], "left_in": left_in}
    return Choice(chosen, LeftOut(tuple(families), logits, facts))


def _hand_over(
    config: TrainConfig,
    data: "Data",
    features: "FeatureCache",
    chosen: "FeatureCache",
    columns: "Columns",
) -> None:
    """Give the chosen layers' cache its features, which are columns of those of all."""
    from kerasfaces.train.views import training_views

    plain = data.images.store
    for split in ("val", "test"):
        chosen.take_over(features, columns, data.keys(data.readable(split)))
    for each in training_views(config, data, data.readable("train")):
        is_plain = each.arrays is plain
        source = features if is_plain else features.of(each.arrays)
        target = chosen if is_plain else chosen.of(each.arrays)
        target.take_over(source, columns, each.keys, each.view)


def _known(file: Path, candidate: TrainConfig, families: list[str]) -> Json | None:
    """Return what an earlier call measured; None where it did not, or of another head."""
    entry = read_json(file) if file.exists() else None
    aucs = entry.get("families") if isinstance(entry, dict) else None
    if not isinstance(aucs, dict) or set(aucs) != set(families):
        return None
    if not all(isinstance(value, float) for value in aucs.values()):
        return None
    own = _described(candidate, {family: aucs[family] for family in families})
    return own if own == entry else None


def _in_words(entry: Json) -> str:
    layers = ",".join(entry["taps"]) or "last layer"
    return (
        f"{layers}, {entry['head']}: val_auc_unseen {entry['val_auc_unseen']:.4f}, worst "
        f"{entry['worst']:.4f}"
    )


def _left_out_logits(
    config: TrainConfig,
    examples: "Examples",
    readers: list["Reader"],
    families: list[str],
    heads: "Heads | None",
) -> dict[str, NDArray[np.float64]]:
    """Return split -> `(families, n)` logits of the heads without each family.

    `readers` are of validation and test.
    """
    from kerasfaces.train import unseen

    rows = []
    with unseen.quietly(len(families), "heads without a family") as add:
        for family in families:
            logits = unseen.logits_without(config, examples, family, readers, heads)
            rows.append(logits)
            add(1)
    val, test = zip(*rows, strict=True)
    return {"val": np.stack(val), "test": np.stack(test)}


def examples_of(
    config: TrainConfig, data: "Data", features: "FeatureCache"
) -> "Examples":
    """Return what heads are trained on and judged by: features, labels, families."""
    from kerasfaces.train.examples import Examples
    from kerasfaces.train.views import feature_readers, training_views

    views = training_views(config, data, data.readable("train"))
    val = features.reader(data.keys(data.readable("val")))
    return Examples.of(data, feature_readers(features, views), val, features.engine)


def columns_of(candidate: TrainConfig, every: list[TrainConfig]) -> "Columns | None":
    """Return where a candidate's features are among those of all layers; None is all."""
    from kerasfaces.features.supersets import slices

    models = [each.model for each in every]
    ((superset, columns),) = slices(candidate.model, models)
    is_whole = columns is not None and superset.taps == candidate.model.taps
    return None if is_whole else columns


def _described(candidate: TrainConfig, aucs: dict[str, float]) -> Json:
    return {
        "taps": list(candidate.model.taps),
        "head": _penalties(candidate.model.head),
        "val_auc_unseen": float(np.mean(list(aucs.values()))),
        "worst": min(aucs.values()),
        "families": aucs,
    }


def _penalties(head: "HeadConfig") -> str:
    if head.solver == "gradient":
        return f"l2 {head.l2:g}"
    return f"ridge {head.shrinkage:g}, between generators {head.between:g}"
