"""Our space within an hour on two cores: heads on the features that train computes anyway.

Random search over taps, pooling, scales and head of MobileNetV2 at 256 px, no augmented
views: all candidates are columns of the features of `kerasfaces train`'s own default, so
the base runs once per image and a trial costs its head. With a store its channels are
varied too (`kerasfaces/tune/frozen.py`). Ranked by validation AUC, the median rule stops
hopeless trials.
"""

import functools

from kerasfaces.tune import frozen
from kerasfaces.tune.study import Study


def get_study() -> Study:
    """Return the study."""
    return Study(
        title="frozen bases, one hour",
        configure=functools.partial(
            frozen.configure,
            sizes_px=(256,),
            tap_sets=("four", "first two", "last two"),
            views=(1,),
        ),
        bases=("mobilenetv2",),
        oracle="random",
        max_trials=200,
        median_after=10,
        budget_h=1.0,
    )
