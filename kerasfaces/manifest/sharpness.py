"""How well do sharpness, noise and compression alone separate real from fake?

Numbers of `images.sharpness` and the bytes per pixel enter; cross-validated AUCs leave, and
where each fake has the real photo it was made from, how often the two can be told apart
side by side: the picture's content cancels there, so that far less shows up.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasfaces import metrics
from kerasfaces.images import sharpness
from kerasfaces.manifest import groups, held_out
from kerasfaces.manifest.held_out import Bools, Floats
from kerasfaces.metrics.intervals import EstimateJson

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

NAMES = (*sharpness.NAMES, "bytes_per_pixel")
LIMIT = 0.60  # flagged when an interval's lower bound is above
_SMALLEST = 1e-4  # added before the logarithm


@dataclasses.dataclass(frozen=True)
class Statistic:
    """One number's power to separate.

    Attributes:
        name: One of `NAMES`.
        auc: Out-of-fold AUC of a logistic regression that sees it alone.
        median_real: Of the reals.
        median_fake: Of the fakes.
        lower_in_fake: Share of pairs in which the fake's value is the lower one.
    """

    name: str
    auc: EstimateJson
    median_real: float
    median_fake: float
    lower_in_fake: EstimateJson


@dataclasses.dataclass(frozen=True)
class SharpnessResult:
    """What sharpness tells of the labels.

    Attributes:
        auc: Out-of-fold AUC of a logistic regression that sees all statistics.
        paired: Share of pairs whose fake a logistic regression, fitted to the differences of
            other pairs, finds; undefined without pairs.
        n: Images measured.
        n_pairs: Pairs with both a real and a fake among them.
        n_too_small: Images left out, with a side below 24 px.
        flagged: The lower bound of `auc` or of `paired` exceeds .60.
        statistics: Each alone, the most telling first.
    """

    auc: EstimateJson
    paired: EstimateJson
    n: int
    n_pairs: int
    n_too_small: int
    flagged: bool
    statistics: tuple[Statistic, ...]


def audit(
    measured: Sequence[dict[str, float]],
    pair_ids: Sequence[str],
    fake: Bools,
    folds: groups.Rows,
    seed: int,
) -> SharpnessResult:
    """Measure how well sharpness separates the classes.

    Args:
        measured: Per image the numbers of `NAMES`; empty where it is too small.
        pair_ids: Per image; empty where it belongs to no pair.
        fake: `(n,)`.
        folds: `(n,)`, of `held_out.folds`: no pair is in two.
        seed: Keys the intervals.
    """
    usable = np.array([bool(each) for each in measured], dtype=bool)
    table = pd.DataFrame([each for each in measured if each], columns=list(NAMES))
    values: Floats = table.to_numpy(dtype=np.float64)
    fake, folds = fake[usable], folds[usable]
    ids = np.asarray(pair_ids, dtype=object)[usable]
    logs = np.log(values + _SMALLEST)
    change, pair_folds = _changes(logs, ids, fake, folds)
    statistics = [
        Statistic(
            name=name,
            auc=_auc(logs[:, [i]], fake, folds, seed),
            median_real=_median(values[~fake, i]),
            median_fake=_median(values[fake, i]),
            lower_in_fake=_rate(-change[:, i]),
        )
        for i, name in enumerate(NAMES)
    ]
    auc = _auc(logs, fake, folds, seed)
    paired = _rate(_paired_scores(change, pair_folds))
    lows = [each["low"] for each in (auc, paired)]
    return SharpnessResult(
        auc=auc,
        paired=paired,
        n=len(fake),
        n_pairs=len(change),
        n_too_small=int((~usable).sum()),
        flagged=any(low is not None and low > LIMIT for low in lows),
        statistics=(*sorted(statistics, key=lambda each: -(each.auc["value"] or 0)),),
    )


def _model() -> "Pipeline":
    """Return a logistic regression on values and their squares and products."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    return make_pipeline(
        StandardScaler(),
        PolynomialFeatures(2, include_bias=False),
        LogisticRegression(max_iter=1000),
    )


def _auc(logs: Floats, fake: Bools, folds: groups.Rows, seed: int) -> EstimateJson:
    if len(np.unique(fake)) < 2:
        why = "one class has no image that is large enough"
        return metrics.rate(0, 0, why).to_dict()
    ranked = held_out.ranks(logs, fake, folds, _model())
    return held_out.auc(ranked, fake, seed).to_dict()


def _changes(
    logs: Floats, ids: pd.Series, fake: Bools, folds: groups.Rows
) -> tuple[Floats, groups.Rows]:
    """Return per pair the mean of its fakes less that of its reals, and its fold."""
    names = list(range(logs.shape[1]))
    frame = pd.DataFrame(logs, columns=names).assign(id=ids, fold=folds)
    frame = frame[ids != ""]
    kind = fake[ids != ""]
    reals, fakes = (
        frame[mask].groupby("id", sort=True)[[*names, "fold"]].mean()
        for mask in (~kind, kind)
    )
    both = reals.index.intersection(fakes.index)
    change = fakes.loc[both, names].to_numpy() - reals.loc[both, names].to_numpy()
    return change, reals.loc[both, "fold"].to_numpy(dtype=np.int64)


def _paired_scores(change: Floats, folds: groups.Rows) -> Floats:
    """Return per pair a score above 0 where its fake is found, by other pairs' differences."""
    from sklearn.linear_model import LogisticRegression

    scores = np.zeros(len(change))
    for fold in np.unique(folds):
        test = folds == fold
        if test.all():
            continue
        # Soft signs: a sharp scene changes many times as much as a soft one.
        scale = np.median(np.abs(change[~test]), axis=0) + 1e-12
        softened = np.arcsinh(change / scale)
        other = softened[~test]
        sides = np.concatenate([other, -other])
        model = LogisticRegression(fit_intercept=False, max_iter=1000)
        model.fit(sides, np.repeat([1, 0], len(other)))
        scores[test] = model.decision_function(softened[test])
    return scores


def _rate(scores: Floats) -> EstimateJson:
    """Return the share above 0 with its exact interval; of equals, half count."""
    hits = int((scores > 0).sum()) + int((scores == 0).sum()) // 2
    return metrics.rate(hits, len(scores), "no pair of a real and a fake").to_dict()


def _median(values: Floats) -> float:
    return float(np.median(values)) if values.size else 0.0
