"""Rates of groups: how far apart they are, and how many images it takes to see that."""

import math
from collections.abc import Sequence
from itertools import combinations
from statistics import NormalDist

from kerasfaces.metrics.intervals import LEVEL, Estimate, combined, undefined

POWER = 0.8
Counts = tuple[int, int]  # how many of n


def needed_n(rate: float, gap: float, alpha: float = 1 - LEVEL) -> int:
    """Return how many images each of two groups needs for a gap in a rate to be seen.

    A two-sided test of two rates of equal n sees a gap of that size four times in five
    (Fleiss, Levin & Paik 2003, equation 4.14, without continuity correction).

    Args:
        rate: Rate of one group, 0..1; the other's is higher by `gap`, or lower where there
            is no room.
        gap: Difference of the two rates, 0..1, above 0.
        alpha: Level of the test.

    Example:
        >>> needed_n(0.10, 0.05)
        686
    """
    other = rate + gap if rate + gap <= 1 else rate - gap
    mean = (rate + other) / 2
    normal = NormalDist()
    under_equal = normal.inv_cdf(1 - alpha / 2) * math.sqrt(2 * mean * (1 - mean))
    spread = math.sqrt(rate * (1 - rate) + other * (1 - other))
    needed = ((under_equal + normal.inv_cdf(POWER) * spread) / gap) ** 2
    return math.ceil(needed)


def largest_gap(rates: Sequence[Sequence[Counts]]) -> Estimate:
    """Return the largest gap between two groups in any of several rates.

    The limits hold for all pairs of groups at once (Newcombe's intervals at Bonferroni's
    level), as the largest of many gaps is large by chance, too; the lower one is 0 where no
    pair is told apart.

    Args:
        rates: Per rate, `(count, n)` of each group that has it, n >= 1.
    """
    pairs = [pair for groups in rates for pair in combinations(groups, 2)]
    if not pairs:
        return undefined("fewer than two groups")
    level = 1 - (1 - LEVEL) / len(pairs)
    gaps = [combined(pair, (1, -1), level) for pair in pairs]
    value = max(abs(gap) for gap, _, _ in gaps)
    low = max(max(0.0, below, -above) for _, below, above in gaps)
    high = max(max(abs(below), abs(above)) for _, below, above in gaps)
    return Estimate(value, min(low, value), high, f"simultaneous, {len(pairs)} pairs")


def within_strata(strata: Sequence[tuple[Counts, Counts]]) -> Estimate:
    """Return the gap between two groups inside strata (Mantel-Haenszel risk difference).

    Limits by Sato's variance (Sato 1989, Biometrics 45:1323), which holds for few large
    strata and for many small ones.

    Args:
        strata: Per stratum `(count, n)` of the group and of the others, n >= 1.
    """
    weight = gap = first = second = 0.0
    for (a, n_a), (b, n_b) in strata:
        n = n_a + n_b
        weight += n_a * n_b / n
        gap += (a * n_b - b * n_a) / n
        first += (n_a**2 * b - n_b**2 * a + n_a * n_b * (n_b - n_a) / 2) / n**2
        second += (a * (n_b - b) + b * (n_a - a)) / (2 * n)
    if not weight:
        return undefined("no stratum has both groups")
    value = gap / weight
    variance = max(0.0, (value * first + second) / weight**2)
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * math.sqrt(variance)
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Estimate(value, low, high, f"Mantel-Haenszel over {len(strata)} strata")
