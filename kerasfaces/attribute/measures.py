"""Called against true -> confusion matrix and its numbers with 95 % intervals."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.files import Json
from kerasfaces.metrics import Estimate, Rows, Thresholds, measure, rate
from kerasfaces.metrics.bootstrap import RESAMPLES, draw_counts, rate_draws
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.metrics.intervals import is_near_perfect, percentiles, undefined
from kerasfaces.metrics.orders import Order

_CHUNK_ELEMENTS = 2**20


def confusion_matrix(
    true: Sequence[str], called: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """Return images per true class that occurs (rows) and name in `names` (columns)."""
    counts = pd.crosstab(np.array(true, dtype=object), np.array(called, dtype=object))
    counts = counts.reindex(index=list(names), columns=list(names), fill_value=0)
    return counts[counts.sum(axis=1) > 0]


def summary(matrix: pd.DataFrame, resamples: int = RESAMPLES, seed: int = 0) -> Json:
    """Return accuracy, mean recall and macro-F1, and precision and recall per class.

    Macro-F1 is the plain mean of the rows' F1; an image called `unknown` is a miss of its
    own class and, as `unknown` is a column, no false alarm of another. Images are resampled
    within each true class.
    """
    counts, right = matrix.to_numpy(), matrix.columns.get_indexer(matrix.index)
    observed, drawn = (
        counts[None].astype(np.float64),
        _resample(matrix, resamples, seed),
    )
    method = f"stratified bootstrap, {resamples} resamples"

    def estimate(function: Callable[[Floats, NDArray[np.intp]], Floats]) -> Estimate:
        value = float(function(observed, right)[0])
        return Estimate(value, *percentiles(function(drawn, right), value), method)

    hits = counts[np.arange(len(right)), right].tolist()
    n, n_called = counts.sum(axis=1).tolist(), counts.sum(axis=0)[right].tolist()
    f1 = _f1(observed, right)[0].tolist()
    estimates = {
        "accuracy": rate(sum(hits), sum(n)),
        "mean_recall": estimate(_mean_recall),
        "macro_f1": estimate(lambda *drawn: _f1(*drawn).mean(axis=1)),
    }
    classes = {
        name: {
            "n": n[row],
            "recall": rate(hits[row], n[row]).to_dict(),
            "precision": rate(
                hits[row], n_called[row], "nothing was called this"
            ).to_dict(),
            "f1": f1[row],
        }
        for row, name in enumerate(matrix.index)
    }
    return {
        "n": sum(n),
        **{key: value.to_dict() for key, value in estimates.items()},
        "classes": classes,
    }


def auroc(
    unknown: Bools, score: Floats, resamples: int = RESAMPLES, seed: int = 0
) -> Estimate:
    """Return the chance that an unknown image, `(n,)` bool, has a higher score than a known."""
    if unknown.all() or not unknown.any():
        return undefined(f"no {'known' if unknown.any() else 'unknown'} images")
    rows = Rows.of(unknown, score, np.zeros(score.size))
    return measure(rows, Thresholds(0.5, 0.5), resamples, seed)["auc"]


def mean_auroc(
    folds: Sequence[tuple[Bools, Bools, Floats]],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimate:
    """Return the mean AUROC over folds of known, unknown and score, `(n,)` each.

    The rows are the same in every fold. What one fold leaves out the others know, and all know
    the reals: their AUROCs go up and down together, so each image is drawn alike in every fold.
    """
    if not folds:
        return undefined("no generator was left out")
    own = [
        auroc(unknown[known | unknown], score[known | unknown], 2, seed)
        for known, unknown, score in folds
    ]
    drawn = _resampled_folds(folds, resamples, rng.generator(seed, "mean auroc"))
    value = float(np.mean([each.value for each in own]))
    low, high = percentiles(drawn.mean(axis=0), value)
    method = f"stratified bootstrap, images alike in {len(folds)} folds, {resamples} resamples"
    limits, n_near = [], 0
    for each, aucs, (known, unknown, _) in zip(own, drawn, folds, strict=True):
        near = is_near_perfect(each.value, int(known.sum()), int(unknown.sum()))
        n_near += near
        limits.append((each.low, each.high) if near else percentiles(aucs, each.value))
    if n_near:
        lowest, highest = np.mean(limits, axis=0).tolist()
        low, high = min(low, lowest), max(high, highest)
        method += (
            f"; widened for {n_near} with too few pairs out of order for a bootstrap"
        )
    return Estimate(value, low, high, method)


def _resampled_folds(
    folds: Sequence[tuple[Bools, Bools, Floats]],
    resamples: int,
    generator: np.random.Generator,
) -> Floats:
    """Return AUROCs `(folds, resamples)`; images of the same part in all folds are a stratum."""
    roles = np.stack([known + 2 * unknown.astype(int) for known, unknown, _ in folds])
    stratum = np.unique(roles, axis=1, return_inverse=True)[1].reshape(-1)
    strata = [np.flatnonzero(stratum == number) for number in range(stratum.max() + 1)]
    orders = [Order(score[known], score[unknown]) for known, unknown, score in folds]
    chunk = int(np.clip(_CHUNK_ELEMENTS // stratum.size, 1, resamples))
    parts = []
    for start in range(0, resamples, chunk):
        counts = np.empty((min(chunk, resamples - start), stratum.size), dtype=np.int64)
        for rows in strata:
            counts[:, rows] = draw_counts(rows.size, len(counts), generator)
        parts.append(
            [
                order.auc(counts[:, known], counts[:, unknown])
                for order, (known, unknown, _) in zip(orders, folds, strict=True)
            ]
        )
    return np.concatenate(parts, axis=1)


def _f1(counts: Floats, right: NDArray[np.intp]) -> Floats:
    """Return F1 `(k, rows)` of `(k, rows, columns)`; 0 where nothing was right."""
    hits = counts[:, np.arange(len(right)), right]
    both = counts.sum(axis=2) + counts.sum(axis=1)[:, right]
    return np.asarray(2 * hits / np.maximum(both, 1e-12), dtype=np.float64)


def _mean_recall(counts: Floats, right: NDArray[np.intp]) -> Floats:
    hits = counts[:, np.arange(len(right)), right]
    return np.asarray((hits / counts.sum(axis=2)).mean(axis=1), dtype=np.float64)


def _resample(matrix: pd.DataFrame, resamples: int, seed: int) -> NDArray[np.float64]:
    """Return `(resamples, rows, columns)`: each row's images drawn again.

    A row without a mistake would never vary; its hits are drawn from the distribution
    whose quantiles are their exact limits, and its misses spread evenly.
    """
    counts, right = matrix.to_numpy(), matrix.columns.get_indexer(matrix.index)
    drawn = np.empty((resamples, *counts.shape))
    for row, n in enumerate(counts.sum(axis=1).tolist()):
        generator = rng.generator(seed, "confusion", str(matrix.index[row]))
        hits = int(counts[row, right[row]])
        if hits not in (0, n):
            drawn[:, row] = generator.multinomial(n, counts[row] / n, size=resamples)
            continue
        drawn_hits = rate_draws(hits, n, resamples, generator) * n
        others = counts[row] + 1.0 if hits == 0 else np.ones(counts.shape[1])
        others[right[row]] = 0
        drawn[:, row] = (n - drawn_hits)[:, None] * others / max(others.sum(), 1e-12)
        drawn[:, row, right[row]] = drawn_hits
    return drawn
