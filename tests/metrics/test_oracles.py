"""Every metric beside scikit-learn's and SciPy's on random data, with ties."""

import numpy as np
import pytest
from scipy import stats
from sklearn import calibration
from sklearn import metrics as theirs

from kerasfaces import metrics as ours

T = 0.45

ORACLES = {
    "auc": lambda y, s: theirs.roc_auc_score(y, s),
    "ap": lambda y, s: theirs.average_precision_score(y, s),
    "accuracy": lambda y, s: theirs.accuracy_score(y, s >= T),
    "balanced_accuracy": lambda y, s: theirs.balanced_accuracy_score(y, s >= T),
    "precision": lambda y, s: theirs.precision_score(y, s >= T),
    "recall": lambda y, s: theirs.recall_score(y, s >= T),
    "f1": lambda y, s: theirs.f1_score(y, s >= T),
    "tpr_at_fpr_1pct": lambda y, s: theirs.recall_score(y, s >= T),
    "false_alarm_rate": lambda y, s: theirs.recall_score(~y, s >= T, zero_division=0),
    "miss_rate": lambda y, s: 1 - theirs.recall_score(y, s >= T),
    "ece": lambda y, s: expected_calibration_error(y, s),
    "brier": lambda y, s: theirs.brier_score_loss(y, s),
}


def expected_calibration_error(y, s, bins=15):
    edges = np.linspace(0, 1, bins + 1)
    shares, means = calibration.calibration_curve(y, s, n_bins=bins)
    n, _ = np.histogram(s, edges)
    return np.sum(n[n > 0] * np.abs(shares - means)) / n.sum()


@pytest.fixture(params=range(6))
def data(request):
    """Labels and scores; every second time the scores have ties."""
    random = np.random.default_rng(request.param)
    fake = random.random(60 + 40 * request.param) < random.uniform(0.2, 0.8)
    scores = 1 / (1 + np.exp(-random.normal(size=fake.size) - 1.2 * (fake - 0.5)))
    if request.param % 2:
        scores = np.round(scores, 1) * 0.97 + 0.007  # on no edge of a bin
    return fake, scores


def test_every_metric_is_beside_another(data):
    fake, scores = data
    rows = ours.Rows.of(fake, scores, scores)
    measured = ours.measure(rows, ours.Thresholds(T, T), resamples=10)
    assert set(ORACLES) == set(ours.NAMES)
    expected = {name: oracle(fake, scores) for name, oracle in ORACLES.items()}
    values = {name: estimate.value for name, estimate in measured.items()}
    assert values == pytest.approx(expected, abs=1e-9)


def test_curves_are_scikit_learns(data):
    fake, scores = data
    curve = ours.roc_curve(fake, scores)
    alarms, recall, _ = theirs.roc_curve(fake, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.x, alarms)
    np.testing.assert_allclose(curve.y, recall)
    curve = ours.precision_recall_curve(fake, scores)
    precision, recall, _ = theirs.precision_recall_curve(fake, scores)
    np.testing.assert_allclose(curve.x, recall[-2::-1])
    np.testing.assert_allclose(curve.y, precision[-2::-1])


def test_auc_is_mann_and_whitneys(data):
    fake, scores = data
    statistic = stats.mannwhitneyu(scores[fake], scores[~fake]).statistic
    expected = statistic / fake.sum() / (~fake).sum()
    assert ours.auc(fake, scores) == pytest.approx(expected)


def test_confusion_is_scikit_learns(data):
    fake, scores = data
    counts = ours.confusion(fake, scores, T)
    ((passes, alarms), (misses, hits)) = theirs.confusion_matrix(fake, scores >= T)
    assert (counts.passes, counts.alarms) == (passes, alarms)
    assert (counts.misses, counts.hits) == (misses, hits)


def test_reliability_is_scikit_learns(data):
    fake, scores = data
    bins = ours.reliability(fake, scores)
    shares, means = calibration.calibration_curve(fake, scores, n_bins=10)
    filled = bins.n > 0
    np.testing.assert_allclose(bins.mean_score[filled], means)
    np.testing.assert_allclose(bins.n_fake[filled] / bins.n[filled], shares)


def test_platts_sigmoid_is_scikit_learns(data):
    fake, scores = data
    fitted = ours.fit_platt(fake, scores)
    slope, offset = calibration._sigmoid_calibration(scores, fake)
    np.testing.assert_allclose([fitted.a, fitted.b], [-slope, -offset], rtol=1e-3)


def test_holm_is_every_step_of_bonferroni():
    p = np.sort(np.random.default_rng(0).random(9))
    stepped = np.maximum.accumulate(np.minimum(1, p * np.arange(9, 0, -1)))
    np.testing.assert_allclose(ours.holm(p.tolist()), stepped)
