"""Our search space over frozen bases, shared by `tuning/frozen_*.py`.

Base × taps × pooling × resolution × scales × views × channels × head. Whatever part of
it decides features is a handful of choices, so that the base runs once per image, size
and view; the head's settings cost nothing but its own training. The defaults are those of `kerasfaces
train` on photos: random and Bayesian searches begin with them, so their winner is no worse
on validation (Hyperband draws all of its candidates).
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasfaces.models import catalogue
from kerasfaces.models.config import HeadConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.components import Components

if TYPE_CHECKING:
    from keras_tuner import HyperParameters

TAPS = ("four", "first two", "last two", "end")
HEADS = {"linear": (), "64": (64,), "256": (256,), "256,64": (256, 64)}
_SCALES = {"1": (1.0,), "2": (2.0,), "1,2": (1.0, 2.0)}


def configure(
    hp: "HyperParameters",
    components: Components,
    *,
    epochs: int = 100,
    patience: int | None = 15,
    sizes_px: Sequence[int] = (160, 256),
    tap_sets: Sequence[str] = TAPS,
    views: Sequence[int] = (1, 2),
) -> TrainConfig:
    """Ask a `HyperParameters` for everything and return the run.

    `epochs` are those of the longest training, `tap_sets` some of `TAPS`. Where there is one
    size or number of views to choose from, nothing is asked.
    """
    base = hp.Choice("base", list(components.bases))
    config = components.default(base)
    four = catalogue.load(base).taps
    taps = {"four": four, "first two": four[:2], "last two": four[2:], "end": ()}
    chosen = {
        "taps": taps[hp.Choice("taps", list(tap_sets))],
        "pooling": hp.Choice("pooling", ["mean_std", "mean"]),
        "scales": _SCALES[hp.Choice("scales", list(_SCALES), default="1,2")],
        "head": _head(hp),
    }
    n_views = 1
    if components.store is None:
        chosen["size_px"] = _choice(hp, "size_px", sizes_px, default=sizes_px[-1])
        n_views = _choice(hp, "views", views)
    elif len(components.inputs) > 1:
        inputs = hp.Choice("inputs", list(components.inputs))
        chosen["inputs"] = tuple(inputs.split(","))
    rate = hp.Float("learning_rate", 1e-4, 1e-2, default=1e-3, sampling="log")
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, **chosen),
        views=n_views,
        epochs=epochs,
        patience=patience,
        learning_rate=rate,
    )


def _head(hp: "HyperParameters") -> HeadConfig:
    kind = hp.Choice("head", list(HEADS))
    l2 = hp.Float("l2", 1e-4, 0.1, default=0.01, sampling="log")
    with hp.conditional_scope("head", list(HEADS)[1:]):
        dropout = hp.Choice("dropout", [0.0, 0.2, 0.5])
    if kind == "linear":
        return HeadConfig(l2=l2)
    return HeadConfig(units=HEADS[kind], dropout=dropout, l2=l2)


def _choice(
    hp: "HyperParameters", name: str, values: Sequence[int], **options: int
) -> int:
    """Ask, where there is something to choose from."""
    return values[0] if len(values) == 1 else hp.Choice(name, list(values), **options)
