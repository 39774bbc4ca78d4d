"""The quantile of a beta distribution without SciPy, for where a verdict is all that runs.

The regularised incomplete beta function by its continued fraction (NIST Digital Library of
Mathematical Functions, 8.17.22), evaluated by Lentz's method, and inverted by bisection.
"""

import math

_STEPS = 10_000
_TINY, _ENOUGH = 1e-300, 1e-15


def betaincinv(a: float, b: float, share: float) -> float:
    """Return x in 0..1 with I_x(a, b) = share.

    Args:
        a: Shape, > 0.
        b: Shape, > 0.
        share: Probability, in 0..1 exclusive.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if betainc(a, b, middle) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def betainc(a: float, b: float, x: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), x in 0..1."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # where the fraction converges slowly
        return 1 - betainc(b, a, 1 - x)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log1p(-x)) / a
    return front * _fraction(a, b, x)


def _fraction(a: float, b: float, x: float) -> float:
    """Return 1 / (1 + d1 / (1 + d2 / (1 + ...)))."""
    above, below = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    value = below
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            above = (1 + term / above) or _TINY
            below = 1 / ((1 + term * below) or _TINY)
            value *= above * below
        if abs(above * below - 1) < _ENOUGH:
            break
    return value
