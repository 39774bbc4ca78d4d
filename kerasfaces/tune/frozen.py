"""Our search space over frozen bases, shared by `tuning/frozen_*.py`.

Base × taps × pooling × resolution × scales × views × channels × head. Whatever part of
it decides features is a handful of choices, so that the base runs once per image, size
and view; the head's settings cost nothing but its own training. The defaults are those of `kerasfaces
train` on photos: random and Bayesian searches begin with them, so their winner is no worse
on validation (Hyperband draws all of its candidates).
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from kerasfaces.models import catalogue
from kerasfaces.models.config import HeadConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.inventory import Inventory

SIZES_PX = (160, 256)
VIEWS = (1, 2)
SCALES = ("1", "2", "1,2")
TAPS = ("four", "first two", "last two", "end")
HEADS = ("linear", "64", "256", "256,64")


def configure(
    hp: Any,
    inventory: Inventory,
    *,
    epochs: int = 100,
    patience: int | None = 15,
    sizes_px: Sequence[int] = SIZES_PX,
    tap_sets: Sequence[str] = TAPS,
    views: Sequence[int] = VIEWS,
) -> TrainConfig:
    """Ask for everything and return the run.

    Args:
        hp: `HyperParameters`.
        inventory: What there is here.
        epochs: Of the longest training.
        patience: See `TrainConfig`.
        sizes_px: Image sizes to choose from; with one, nothing is asked.
        tap_sets: Of `TAPS`.
        views: Numbers of views to choose from; with one, nothing is asked.
    """
    base = hp.Choice("base", list(inventory.bases))
    config = inventory.default(base)
    four = catalogue.load(base).taps
    taps = {"four": four, "first two": four[:2], "last two": four[2:], "end": ()}
    chosen = {
        "taps": taps[hp.Choice("taps", list(tap_sets))],
        "pooling": hp.Choice("pooling", ["mean_std", "mean"]),
        "scales": _numbers(hp.Choice("scales", list(SCALES), default="1,2"), float),
        "head": _head(hp),
    }
    if inventory.store is None:
        chosen["size_px"] = _choice(hp, "size_px", sizes_px, default=sizes_px[-1])
    elif len(inventory.inputs) > 1:
        chosen["inputs"] = tuple(hp.Choice("inputs", list(inventory.inputs)).split(","))
    model = dataclasses.replace(config.model, **chosen)
    n_views = 1 if inventory.store is not None else _choice(hp, "views", views)
    return dataclasses.replace(
        config,
        model=model,
        views=n_views,
        epochs=epochs,
        patience=patience,
        learning_rate=hp.Float(
            "learning_rate", 1e-4, 1e-2, default=1e-3, sampling="log"
        ),
    )


def _head(hp: Any) -> HeadConfig:
    kind = hp.Choice("head", list(HEADS))
    l2 = hp.Float("l2", 1e-4, 0.1, default=0.01, sampling="log")
    with hp.conditional_scope("head", list(HEADS[1:])):
        dropout = hp.Choice("dropout", [0.0, 0.2, 0.5])
    if kind == "linear":
        return HeadConfig(l2=l2)
    return HeadConfig(units=_numbers(kind, int), dropout=dropout, l2=l2)


def _choice(hp: Any, name: str, values: Sequence[Any], **options: Any) -> Any:
    """Ask, where there is something to choose from."""
    return values[0] if len(values) == 1 else hp.Choice(name, list(values), **options)


def _numbers(text: str, kind: Any) -> tuple[Any, ...]:
    return tuple(kind(part) for part in text.split(","))
