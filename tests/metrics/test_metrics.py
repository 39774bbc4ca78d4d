"""Every metric against a slow second implementation, and in the same property lists."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces import metrics
from kerasfaces.core.errors import InputError

T = 0.4

# metric -> (its value by labels and values, its brute-force twin)
FUNCTIONS: dict[str, tuple[Callable, Callable]] = {}


def _twin(name: str, function: Callable) -> Callable:
    def add(slow: Callable) -> Callable:
        FUNCTIONS[name] = (function, slow)
        return slow

    return add


def _measured(name: str) -> Callable:
    """Return a metric at the threshold T, as `measure` gives it."""

    def value(labels, values):
        rows = metrics.Rows.of(labels, values, values)
        return metrics.measure(rows, metrics.Thresholds(T, T), 2)[name].value

    return value


def _cells(y, s):
    hits = sum(1 for a, b in zip(y, s, strict=True) if a and b >= T)
    misses = sum(1 for a, b in zip(y, s, strict=True) if a and b < T)
    alarms = sum(1 for a, b in zip(y, s, strict=True) if not a and b >= T)
    passes = sum(1 for a, b in zip(y, s, strict=True) if not a and b < T)
    return hits, misses, alarms, passes


def _or_nan(a, b):
    return a / b if b else math.nan


@_twin("auc", metrics.auc)
def slow_auc(y, s):
    pairs = [
        (f, r)
        for f, a in zip(s, y, strict=True)
        if a
        for r, b in zip(s, y, strict=True)
        if not b
    ]
    return sum((f > r) + 0.5 * (f == r) for f, r in pairs) / len(pairs)


@_twin("ap", metrics.ap)
def slow_ap(y, s):
    total, before = 0.0, 0.0
    for t in sorted(set(s), reverse=True):
        called = [a for a, b in zip(y, s, strict=True) if b >= t]
        recall = sum(called) / sum(y)
        total += (recall - before) * sum(called) / len(called)
        before = recall
    return total


@_twin("accuracy", _measured("accuracy"))
def slow_accuracy(y, s):
    hits, _, _, passes = _cells(y, s)
    return (hits + passes) / len(y)


@_twin("balanced_accuracy", _measured("balanced_accuracy"))
def slow_balanced(y, s):
    hits, misses, alarms, passes = _cells(y, s)
    return (_or_nan(hits, hits + misses) + _or_nan(passes, alarms + passes)) / 2


@_twin("precision", _measured("precision"))
def slow_precision(y, s):
    hits, _, alarms, _ = _cells(y, s)
    return _or_nan(hits, hits + alarms)


@_twin("recall", _measured("recall"))
def slow_recall(y, s):
    hits, misses, _, _ = _cells(y, s)
    return _or_nan(hits, hits + misses)


@_twin("f1", _measured("f1"))
def slow_f1(y, s):
    hits, misses, alarms, _ = _cells(y, s)
    return _or_nan(2 * hits, 2 * hits + alarms + misses)


FUNCTIONS["tpr_at_fpr_1pct"] = (_measured("tpr_at_fpr_1pct"), slow_recall)


@_twin("false_alarm_rate", _measured("false_alarm_rate"))
def slow_alarm_rate(y, s):
    _, _, alarms, passes = _cells(y, s)
    return _or_nan(alarms, alarms + passes)


@_twin("miss_rate", _measured("miss_rate"))
def slow_miss_rate(y, s):
    hits, misses, _, _ = _cells(y, s)
    return _or_nan(misses, hits + misses)


@_twin("ece", metrics.ece)
def slow_ece(y, s):
    total = 0.0
    for index in range(15):
        inside = [
            (a, b) for a, b in zip(y, s, strict=True) if min(int(b * 15), 14) == index
        ]
        if inside:
            fakes = sum(a for a, _ in inside) / len(inside)
            score = sum(b for _, b in inside) / len(inside)
            total += len(inside) / len(y) * abs(fakes - score)
    return total


@_twin("brier", metrics.brier)
def slow_brier(y, s):
    return sum((a - b) ** 2 for a, b in zip(y, s, strict=True)) / len(y)


each_metric = pytest.mark.parametrize("name", list(FUNCTIONS))
both_classes = st.lists(
    st.tuples(st.booleans(), st.integers(0, 20).map(lambda k: k / 20)),
    min_size=2,
    max_size=40,
).filter(lambda rows: len({fake for fake, _ in rows}) == 2)


def test_no_metric_is_forgotten():
    assert tuple(FUNCTIONS) == metrics.NAMES


@each_metric
@settings(max_examples=60, deadline=None)
@given(rows=both_classes)
def test_equals_brute_force_with_ties(name, rows):
    fast, slow = FUNCTIONS[name]
    y, s = [int(a) for a, _ in rows], [b for _, b in rows]
    assert fast(y, s) == pytest.approx(slow(y, s), abs=1e-12, nan_ok=True)


@each_metric
def test_order_of_rows_does_not_matter(name):
    y, s = _rows()
    order = np.random.default_rng(1).permutation(y.size)
    assert FUNCTIONS[name][0](y, s) == pytest.approx(
        FUNCTIONS[name][0](y[order], s[order]), abs=1e-12
    )


@each_metric
@pytest.mark.parametrize(
    "convert",
    [list, tuple, pd.Series, lambda x: x[:, None], lambda x: pd.DataFrame({"x": x})],
    ids=["list", "tuple", "series", "column", "frame"],
)
def test_any_container_gives_the_same(name, convert):
    y, s = _rows()
    function = FUNCTIONS[name][0]
    assert function(convert(y), convert(s)) == function(y, s)


@each_metric
def test_label_texts_mean_the_same(name):
    y, s = _rows()
    function = FUNCTIONS[name][0]
    assert function(np.where(y, "fake", "real"), s) == function(y, s)


@each_metric
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_is_refused_with_its_count(name, bad):
    y, s = _rows()
    s[[3, 5]] = bad
    with pytest.raises(InputError, match="2 of 200 values are NaN or infinite"):
        FUNCTIONS[name][0](y, s)


@each_metric
@pytest.mark.parametrize(
    "labels",
    [[0, 2], ["real", "maybe"], [0.0, np.nan], np.array(["fake", np.nan], object)],
)
def test_unknown_labels_are_refused(name, labels):
    with pytest.raises(InputError, match="labels"):
        FUNCTIONS[name][0](labels, [0.1, 0.9])


@each_metric
def test_lengths_must_agree(name):
    with pytest.raises(InputError, match="2 values for 3 scores"):
        FUNCTIONS[name][0]([0, 1], [0.1, 0.2, 0.9])


@pytest.mark.parametrize("name", ["auc", "ap"])
@pytest.mark.parametrize("labels", [[1, 1], [0, 0]])
def test_a_ranking_needs_both_classes(name, labels):
    with pytest.raises(InputError, match="needs both classes"):
        FUNCTIONS[name][0](labels, [0.1, 0.9])


@pytest.mark.parametrize("name", ["ece", "brier"])
def test_calibration_needs_probabilities(name):
    with pytest.raises(
        InputError, match=r"expected probabilities in 0\.\.1, got 0\.2\.\.1\.5"
    ):
        FUNCTIONS[name][0]([0, 1], [0.2, 1.5])
    with pytest.raises(InputError, match="at least one image"):
        FUNCTIONS[name][0]([], [])


def test_values_that_are_no_numbers_or_no_vector_are_refused():
    with pytest.raises(InputError, match="expected numbers"):
        metrics.auc([0, 1], ["a", "b"])
    with pytest.raises(InputError, match=r"shape \(2, 2\)"):
        metrics.auc([0, 1], [[1, 2], [3, 4]])


def test_auc_is_that_of_the_logits_where_scores_saturate():
    logits = np.array([40.0, 50.0, 60.0, 70.0])
    assert metrics.auc([0, 1, 0, 1], logits) == 0.75
    assert metrics.auc([0, 1, 0, 1], 1 / (1 + np.exp(-logits))) == 0.5


def test_curves_end_where_they_must_and_enclose_the_area():
    y, s = _rows()
    roc = metrics.roc_curve(y, s)
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(roc.y, roc.x) == pytest.approx(metrics.auc(y, s))
    pr = metrics.precision_recall_curve(y, s)
    area = (np.diff(pr.x, prepend=0) * pr.y).sum()
    assert area == pytest.approx(metrics.ap(y, s))


def test_reliability_counts_every_image():
    y, s = _rows()
    table = metrics.reliability(y, s, bins=5)
    assert table.n.sum() == y.size
    assert table.n_fake.sum() == y.sum()
    expected = s[(s >= 0.2) & (s < 0.4)].mean()
    assert table.mean_score[1] == pytest.approx(expected)


def _rows(n=200):
    random = np.random.default_rng(0)
    y = np.arange(n) % 2
    return y, np.clip(0.3 * y + random.uniform(0, 0.7, n), 0, 1)


def test_scores_that_are_probabilities_may_have_no_calibration_error():
    """Their ECE is all noise: an interval about it would never hold the truth."""
    held = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        score = random.uniform(0, 1, 120)
        fake = random.uniform(0, 1, 120) < score
        logit = np.log(score / (1 - score))
        rows, thresholds = (
            metrics.Rows.of(fake, logit, score),
            metrics.Thresholds(0.5, 0.9),
        )
        held += metrics.measure(rows, thresholds, 200, seed)["ece"].low == 0
    assert held >= 36
