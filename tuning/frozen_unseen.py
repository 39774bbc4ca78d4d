"""Heads for generators that training has not seen: ranked by families of fakes left out.

Random search over taps, pooling, scales and linear or hidden heads of MobileNetV2 at 256 px,
on laundered views (without a store) and sources weighed by the square root of their number.
Each trial also trains its head once without each family of fakes (the manifest's column
`family`, else the source); the mean of the families' AUCs on validation counts. All
candidates are columns of one base's features.
"""

import dataclasses
from typing import TYPE_CHECKING

from kerasfaces.train.config import TrainConfig
from kerasfaces.tune import frozen
from kerasfaces.tune.components import Components
from kerasfaces.tune.study import Study

if TYPE_CHECKING:
    from keras_tuner import HyperParameters


def get_study() -> Study:
    """Return the study."""
    return Study(
        title="frozen bases, for unseen generators",
        configure=configure,
        bases=("mobilenetv2",),
        oracle="random",
        objective="val_auc_unseen",
        max_trials=60,
        budget_h=1.0,
    )


def configure(hp: "HyperParameters", components: Components) -> TrainConfig:
    """Return a candidate."""
    config = frozen.configure(
        hp,
        components,
        sizes_px=(256,),
        tap_sets=("four", "first two", "last two"),
        views=(4,),
    )
    launder = 1.0 if components.store is None else 0.0
    return dataclasses.replace(config, launder=launder, weigh_sources="sqrt")
