"""Our space over frozen bases by Bayesian optimisation: 100 heads.

Base, taps, pooling, resolution, scales, views and head; with a store its channels too
(`kerasfaces/tune/frozen.py`). Ranked by validation AUC.
"""

from kerasfaces.tune import frozen
from kerasfaces.tune.study import Study


def get_study() -> Study:
    """Return the study."""
    return Study(
        title="frozen bases, bayesian",
        configure=frozen.configure,
        bases=("mobilenetv2", "resnet50"),
        oracle="bayesian",
        max_trials=100,
    )
