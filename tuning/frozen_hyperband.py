"""Our space over frozen bases by Hyperband: many short trainings, few long ones.

Base, taps, pooling, resolution, scales, views and head; with a store its channels too
(`kerasfaces/tune/frozen.py`). Ranked by validation AUC.
"""

import functools

from kerasfaces.tune import frozen
from kerasfaces.tune.study import Study


def get_study() -> Study:
    """Return the study."""
    return Study(
        title="frozen bases, hyperband",
        configure=functools.partial(frozen.configure, epochs=81, patience=None),
        bases=("mobilenetv2", "resnet50"),
        oracle="hyperband",
        max_epochs=81,
    )
