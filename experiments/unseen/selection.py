"""Which variants' logits are averaged: those that help each other on validation.

Greedy forward selection (Caruana et al. 2004, "Ensemble selection from libraries of models"):
the best variant first, then whichever raises `val_auc_unseen` most, until none does.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.unseen.heads import Heads, averaged

BySeed = Mapping[int, Heads]


def select(variants: Mapping[str, BySeed]) -> list[str]:
    """Return the names of the variants to average, the best one first.

    Args:
        variants: Name -> what its heads say on each split seed; all on the same seeds.
    """
    names: list[str] = []
    best = -np.inf
    while left := [name for name in variants if name not in names]:
        objectives = {name: _objective(variants, [*names, name]) for name in left}
        name = max(left, key=lambda name: objectives[name])
        if objectives[name] <= best:
            break
        names.append(name)
        best = objectives[name]
    return names


def mean(variants: Mapping[str, BySeed], names: Sequence[str]) -> dict[int, Heads]:
    """Return, for each split seed, the mean of several variants' logits."""
    seeds = variants[names[0]]
    return {seed: averaged([variants[name][seed] for name in names]) for seed in seeds}


def _objective(variants: Mapping[str, BySeed], names: Sequence[str]) -> float:
    by_seed = mean(variants, names)
    return float(np.mean([each.objective for each in by_seed.values()]))
