"""Logits before and after a laundering -> does it move reals and fakes alike?

A unit is the standard deviation of the untouched logits within a class, both classes
pooled, so that detectors with logits of any scale can be compared. Per image, the shift is
its logit after the laundering minus before, in that unit. Then

    shift_real, shift_fake   mean over the images of a class; above 0: towards "fake"
    bias_index               shift_real - shift_fake

- Both shifts 0: the laundering leaves the detector alone.
- Equal shifts (bias index 0): it moves reals and fakes alike. The ranking stays, and it is
  the frozen threshold that fails: photos become alarms, or fakes pass.
- Bias index above 0: the classes approach each other, so many standard deviations of what
  lay between them; the shifts say whether photos rise (the laundering itself looks fake to
  the detector), fakes sink (it wipes out their traces), or both.
- Below 0: it drives the classes apart, as a detector does that reads the laundering.

Robustness (AUC after laundering) is another matter: it can fall without any mean shift,
when images move in all directions, and stay while all images move a long way.
"""

import math
from collections.abc import Mapping

import numpy as np

from kerasfaces.metrics import Estimate
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.metrics.intervals import LEVEL, undefined

_METHOD = "Student's t, the unit taken as known"
_WELCH = "Welch's t, the unit taken as known"


def measure(
    fake: Bools, before: Floats, after: Floats, unit: float
) -> Mapping[str, Estimate]:
    """Return `shift_real`, `shift_fake` and `bias_index`.

    Args:
        fake: `(n,)`.
        before: `(n,)` logits of the untouched images, finite.
        after: `(n,)` logits of the laundered ones, finite.
        unit: Of `unit_of`.
    """
    names = ("shift_real", "shift_fake", "bias_index")
    if not unit > 0:
        why = undefined(
            "the untouched logits do not vary, or a class has too few images"
        )
        return dict.fromkeys(names, why)
    shift = (after - before) / unit
    sides = [shift[~fake], shift[fake]]
    if min(map(len, sides)) < 2:
        return dict.fromkeys(names, undefined("fewer than two images of a class"))
    means = [float(side.mean()) for side in sides]
    errors = [float(side.var(ddof=1)) / len(side) for side in sides]
    degrees = [len(side) - 1 for side in sides]
    estimates = [
        _estimate(mean, error, n, _METHOD)
        for mean, error, n in zip(means, errors, degrees, strict=True)
    ]
    both = sum(errors)
    freedom = (
        both**2 / sum(e**2 / n for e, n in zip(errors, degrees, strict=True))
        if both > 0
        else float(min(degrees))
    )
    estimates.append(_estimate(means[0] - means[1], both, freedom, _WELCH))
    return dict(zip(names, estimates, strict=True))


def unit_of(fake: Bools, logits: Floats) -> float:
    """Return the standard deviation of logits within a class, both pooled; NaN if unknown.

    Args:
        fake: `(n,)`.
        logits: `(n,)` of untouched images, finite.
    """
    sides = [logits[~fake], logits[fake]]
    if min(map(len, sides)) < 2:
        return math.nan
    return math.sqrt(float(np.mean([side.var(ddof=1) for side in sides])))


def _estimate(
    mean: float, squared_error: float, freedom: float, method: str
) -> Estimate:
    from scipy.stats import t

    half = float(t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(squared_error)
    return Estimate(mean, mean - half, mean + half, method)
