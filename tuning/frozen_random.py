"""Our space over frozen bases at random: 200 heads, the median rule stops hopeless ones.

Base, taps, pooling, resolution, scales, views and head; with a store its channels too
(`kerasfaces/tune/frozen.py`). Ranked by validation AUC.
"""

from kerasfaces.tune import frozen
from kerasfaces.tune.study import Study


def get_study() -> Study:
    """Return the study."""
    return Study(
        title="frozen bases, random",
        configure=frozen.configure,
        bases=("mobilenetv2", "resnet50"),
        oracle="random",
        max_trials=200,
        median_after=10,
    )
