"""Which choices moved a score: main effects of hyperparameters over trials.

A main effect is the mean score of all trials that share a value, whatever else they
chose. In a grid and in random search the rest is balanced or drawn independently, so the
means can be compared; where an oracle follows its luck (Bayesian optimisation, Hyperband)
values it liked were tried with other good values, and the means say so too loudly.
"""

import dataclasses
import itertools
import math
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.metrics.intervals import Estimate, holm

Value = bool | int | float | str  # of a hyperparameter
RESAMPLES = 1000
UNUSED = "not used"  # a hyperparameter under a condition that does not hold
_MOST_LEVELS = 6  # more numbers than this are put into three bins
_LEAST = 3  # trials that an interval needs
_PER_EFFECT = 40  # permutations: as many as Holm's correction leaves below .05
_METHOD = f"bootstrap over trials, {RESAMPLES} resamples"


@dataclasses.dataclass(frozen=True)
class Level:
    """One value of a hyperparameter, or one bin of values."""

    label: str  # the value as text
    n: int  # trials that have it
    mean: Estimate  # their mean score with its 95 % interval


@dataclasses.dataclass(frozen=True)
class Effect:
    """How the score depends on one hyperparameter.

    Attributes:
        name: Its name.
        levels: In their natural order.
        share: Of the scores' variance that the levels explain, corrected for what as many
            levels explain by chance (Kelley 1935, epsilon squared); 0 at least.
        p_value: Of no effect, by permuting the scores; Holm-corrected over all of them.
    """

    name: str
    levels: tuple[Level, ...]
    share: float
    p_value: float


def main_effects(
    values: Sequence[Mapping[str, Value]],
    scores: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
) -> list[Effect]:
    """Return the effect of every hyperparameter that varies, the largest share first.

    Each trial has values by name, inactive ones absent, and a finite score. Trials of one
    group (one data split) are compared with each other only: each group's mean is moved to
    the mean of all. The seed is that of resamples and permutations.
    """
    observed = np.asarray(scores, np.float64)
    group_of = np.zeros(observed.size, np.int64)
    if groups is not None:
        numbers = {group: i for i, group in enumerate(dict.fromkeys(groups))}
        group_of = np.array([numbers[group] for group in groups])
    means = np.bincount(group_of, weights=observed) / np.bincount(group_of)
    observed = observed - means[group_of] + observed.mean()
    names = list(dict.fromkeys(name for one in values for name in one))
    columns = {name: levels_of([one.get(name) for one in values]) for name in names}
    varied = {name: column for name, column in columns.items() if len(column[1]) > 1}
    n_permutations = max(RESAMPLES, _PER_EFFECT * len(varied))
    effects = [
        _effect(name, labels, order, observed, group_of, seed, n_permutations)
        for name, (labels, order) in varied.items()
    ]
    adjusted = holm([each.p_value for each in effects])
    corrected = [
        dataclasses.replace(each, p_value=p)
        for each, p in zip(effects, adjusted, strict=True)
    ]
    return sorted(corrected, key=lambda each: (-each.share, each.p_value, each.name))


def levels_of(column: Sequence[Value | None]) -> tuple[list[str], list[str]]:
    """Return each trial's level as text, and all levels in their natural order.

    `column` is a hyperparameter's value in each trial; None where it was not active.
    """
    active = [value for value in column if value is not None]
    numbers = [each for each in active if not isinstance(each, bool | str)]
    numeric = len(numbers) == len(active)
    if numeric and len(set(active)) > _MOST_LEVELS:
        limits = np.quantile(numbers, [0, 1 / 3, 2 / 3, 1])
        names = [f"{low:.2g} to {high:.2g}" for low, high in itertools.pairwise(limits)]

        def label(value: Value) -> str:
            return names[int(np.searchsorted(limits[1:-1], value, "left"))]

    else:
        label = short
        names = [short(value) for value in (sorted(set(active)) if numeric else active)]
    labels = [UNUSED if value is None else label(value) for value in column]
    order = [name for name in dict.fromkeys([*names, UNUSED]) if name in set(labels)]
    return labels, order


def short(value: object) -> str:
    """Return a value for a narrow column."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _effect(
    name: str,
    labels: Sequence[str],
    order: Sequence[str],
    observed: NDArray[np.float64],
    group_of: NDArray[np.int64],
    seed: int,
    n_permutations: int,
) -> Effect:
    level_of = np.array([order.index(label) for label in labels])
    generator = rng.generator(seed, "effects", name)
    parts = [observed[level_of == k] for k in range(len(order))]
    levels = tuple(
        Level(label, part.size, _mean(part, generator))
        for label, part in zip(order, parts, strict=True)
    )
    n, k = observed.size, len(order)
    between = _between(level_of, k, observed)
    total = float(((observed - observed.mean()) ** 2).sum())
    share = 0.0
    if total > 0 and n > k:
        share = max(0.0, (between - (k - 1) * (total - between) / (n - k)) / total)
    n_beyond = 0
    places = np.argsort(group_of, kind="stable")
    order_within = np.empty(n, np.intp)
    for _ in range(n_permutations):  # each group's scores in random order
        order_within[places] = np.lexsort((generator.random(n), group_of))
        permuted = _between(level_of, k, observed[order_within])
        # Ties count: a permutation that gives the same levels explains as much.
        n_beyond += permuted >= between * (1 - 1e-9)
    return Effect(name, levels, share, (n_beyond + 1) / (n_permutations + 1))


def _mean(scores: NDArray[np.float64], generator: np.random.Generator) -> Estimate:
    value = float(scores.mean())
    if scores.size < _LEAST:
        return Estimate(value, math.nan, math.nan, "no interval: too few trials")
    draws = generator.integers(0, scores.size, (RESAMPLES, scores.size))
    low, high = np.quantile(scores[draws].mean(axis=1), [0.025, 0.975])
    return Estimate(value, float(low), float(high), _METHOD)


def _between(
    level_of: NDArray[np.int64], k: int, observed: NDArray[np.float64]
) -> float:
    """Return the sum of squares between levels."""
    counts = np.bincount(level_of, minlength=k)
    sums = np.bincount(level_of, weights=observed - observed.mean(), minlength=k)
    return float((sums**2 / np.maximum(counts, 1)).sum())
