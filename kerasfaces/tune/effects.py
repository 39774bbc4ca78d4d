"""Which hyperparameters moved the score: main effects over a study's trials.

A main effect is the mean score of all trials that share a value, whatever else they
chose. In a grid and in random search the rest is balanced or drawn independently, so the
means can be compared; where an oracle follows its luck (Bayesian optimisation, Hyperband)
values it liked were tried with other good values, and the means say so too loudly.
"""

import dataclasses
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.metrics import Estimate

RESAMPLES = 1000
UNUSED = "not used"  # a hyperparameter under a condition that does not hold
_MOST_LEVELS = 6  # more numbers than this are put into three bins
_LEAST = 3  # trials that an interval needs
_PER_EFFECT = 40  # permutations: as many as Holm's correction leaves below .05
_METHOD = f"bootstrap over trials, {RESAMPLES} resamples"


@dataclasses.dataclass(frozen=True)
class Level:
    """One value of a hyperparameter, or one bin of values.

    Attributes:
        label: The value as text.
        n: Trials that have it.
        mean: Their mean score with its 95 % interval.
    """

    label: str
    n: int
    mean: Estimate


@dataclasses.dataclass(frozen=True)
class Effect:
    """One hyperparameter.

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
    values: Sequence[Mapping[str, Any]],
    scores: Sequence[float],
    groups: Sequence[Any] | None = None,
    seed: int = 0,
) -> list[Effect]:
    """Return the effect of every hyperparameter that varies, the largest share first.

    Args:
        values: One mapping per trial, name -> value; inactive names are absent.
        scores: One finite number per trial.
        groups: Trials of one group (one data split) are compared with each other only:
            each group's mean is moved to the mean of all.
        seed: Of resamples and permutations.
    """
    observed = np.asarray(scores, np.float64)
    belongs = _numbered([0] * observed.size if groups is None else list(groups))
    observed = _levelled(observed, belongs)
    names = list(dict.fromkeys(name for one in values for name in one))
    columns = {name: levels_of([one.get(name) for one in values]) for name in names}
    varied = {name: found for name, found in columns.items() if len(found[1]) > 1}
    drawn = max(RESAMPLES, _PER_EFFECT * len(varied))
    found = [
        _effect(name, labels, order, observed, belongs, seed, drawn)
        for name, (labels, order) in varied.items()
    ]
    adjusted = metrics.holm([each.p_value for each in found])
    corrected = [
        dataclasses.replace(each, p_value=p)
        for each, p in zip(found, adjusted, strict=True)
    ]
    return sorted(corrected, key=lambda each: (-each.share, each.p_value, each.name))


def levels_of(column: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Return each trial's level as text, and all levels in their natural order.

    Args:
        column: A hyperparameter's value in each trial; None where it was not active.
    """
    given = [value for value in column if value is not None]
    numeric = all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for value in given
    )
    if numeric and len(set(given)) > _MOST_LEVELS:
        limits = np.quantile(given, [0, 1 / 3, 2 / 3, 1])
        names = [f"{low:.2g} to {high:.2g}" for low, high in itertools.pairwise(limits)]
        labels = [
            UNUSED
            if value is None
            else names[int(np.searchsorted(limits[1:-1], value, "left"))]
            for value in column
        ]
    else:
        names = [short(value) for value in (sorted(set(given)) if numeric else given)]
        labels = [UNUSED if value is None else short(value) for value in column]
    order = [name for name in dict.fromkeys([*names, UNUSED]) if name in set(labels)]
    return labels, order


def short(value: Any) -> str:
    """Return a value for a narrow column."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _effect(
    name: str,
    labels: Sequence[str],
    order: Sequence[str],
    observed: NDArray[np.float64],
    belongs: NDArray[np.int64],
    seed: int,
    permutations: int,
) -> Effect:
    at = np.array([order.index(label) for label in labels])
    generator = rng.generator(seed, "effects", name)
    levels = tuple(
        Level(label, int((at == k).sum()), _mean(observed[at == k], generator))
        for k, label in enumerate(order)
    )
    between = _between(at, len(order), observed)
    total = float(((observed - observed.mean()) ** 2).sum())
    n, k = observed.size, len(order)
    share = 0.0
    if total > 0 and n > k:
        share = max(0.0, (between - (k - 1) * (total - between) / (n - k)) / total)
    beyond = 0
    for _ in range(permutations):
        # Ties count: a permutation that gives the same levels explains as much.
        drawn = _between(at, k, observed[_permuted(belongs, generator)])
        beyond += drawn >= between * (1 - 1e-9)
    return Effect(name, levels, share, (beyond + 1) / (permutations + 1))


def _mean(scores: NDArray[np.float64], generator: np.random.Generator) -> Estimate:
    value = float(scores.mean())
    if scores.size < _LEAST:
        return Estimate(value, math.nan, math.nan, "no interval: too few trials")
    draws = generator.integers(0, scores.size, (RESAMPLES, scores.size))
    low, high = np.quantile(scores[draws].mean(axis=1), [0.025, 0.975])
    return Estimate(value, float(low), float(high), _METHOD)


def _between(at: NDArray[np.int64], k: int, observed: NDArray[np.float64]) -> float:
    """Return the sum of squares between levels."""
    counts = np.bincount(at, minlength=k)
    sums = np.bincount(at, weights=observed - observed.mean(), minlength=k)
    return float((sums**2 / np.maximum(counts, 1)).sum())


def _permuted(
    belongs: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.intp]:
    """Return positions in random order, each within its group."""
    shuffled = np.lexsort((generator.random(belongs.size), belongs))
    places = np.argsort(belongs, kind="stable")
    order = np.empty(belongs.size, np.intp)
    order[places] = shuffled
    return order


def _levelled(
    observed: NDArray[np.float64], belongs: NDArray[np.int64]
) -> NDArray[np.float64]:
    counts = np.bincount(belongs)
    means = np.bincount(belongs, weights=observed) / counts
    levelled: NDArray[np.float64] = observed - means[belongs] + observed.mean()
    return levelled


def _numbered(groups: Sequence[Any]) -> NDArray[np.int64]:
    known = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    return np.array([known[group] for group in groups], np.int64)
