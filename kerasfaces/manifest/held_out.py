"""Rows and a simple classifier -> each row's rank by a model that has not seen it."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.manifest import groups
from kerasfaces.manifest.split import NEAR_DUPLICATES
from kerasfaces.manifest.table import LABELS, Manifest

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

_FOLDS = 5
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def folds(manifest: Manifest, fake: Bools, seed: int) -> groups.Rows:
    """Return each row's fold `(n,)`, groups (pair, identity, copy) whole, classes spread.

    Raises:
        InputError: Fewer than two groups of a class.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    pairs = list(groups.edges(manifest, NEAR_DUPLICATES).values())
    members = groups.join(len(fake), pairs)
    for label, mask in zip(LABELS, (~fake, fake), strict=True):
        count = len(np.unique(members[mask]))
        if count < 2:
            raise InputError(
                f"the audit needs at least two readable {label} images that do not belong "
                f"together (pair, identity or copy); got {int(mask.sum())} in {count} "
                f"group{'' if count == 1 else 's'}. Add images, or check the paths "
                "(kerasfaces manifest check)."
            )
    n_folds = min(_FOLDS, *(len(np.unique(members[mask])) for mask in (fake, ~fake)))
    splitter = StratifiedGroupKFold(
        n_folds, shuffle=True, random_state=rng.integer_seed(seed, "audit folds")
    )
    numbers = np.empty(len(fake), dtype=np.int64)
    for number, (_, test) in enumerate(splitter.split(numbers, fake, members)):
        numbers[test] = number
    return numbers


def ranks(
    values: Floats, fake: Bools, folds: groups.Rows, model: "ClassifierMixin"
) -> Floats:
    """Return each row's rank (0..1) within its fold by a model that has not seen it.

    Ranks, because the models of two folds have different scales; equal scores share one.

    Args:
        values: `(n, facts)` finite.
        fake: `(n,)`.
        folds: `(n,)`, of `folds`.
        model: A classifier of scikit-learn.
    """
    from threadpoolctl import threadpool_limits

    ranked = np.full(len(fake), 0.5)
    if (values == values[0]).all():
        return ranked
    with threadpool_limits(1):  # more threads cost more than they bring
        for fold in np.unique(folds):
            test = folds == fold
            if len(np.unique(fake[~test])) < 2:
                continue
            model.fit(values[~test], fake[~test])
            scores = model.predict_proba(values[test])[:, 1]
            ranked[test] = (pd.Series(scores).rank().to_numpy() - 0.5) / test.sum()
    return ranked


def auc(ranked: Floats, fake: Bools, seed: int) -> metrics.Estimate:
    """Return the AUC of ranks, with its interval."""
    rows = metrics.Rows.of(fake, ranked, ranked)
    return metrics.measure(rows, metrics.Thresholds(0.5, 0.5), seed=seed)["auc"]
