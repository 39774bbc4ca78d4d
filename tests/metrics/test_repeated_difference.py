"""The paired comparison of systems with several seeds, against slow second ones."""

import numpy as np
import pytest

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError


def example(n=80, seeds=3, better=1.0):
    random = rng.generator(0, "repeated")
    labels = np.arange(n) % 2
    good = random.normal(0, 1, (seeds, n)) + better * labels
    bad = random.normal(0, 1, (2, n))
    return labels, good, bad


VALUE = {
    "auc": metrics.auc,
    "accuracy": lambda labels, logits: np.mean((logits > 0) == (labels == 1)),
    "loss": lambda labels, logits: np.mean(np.logaddexp(0, logits) - labels * logits),
}


@pytest.mark.parametrize("metric", VALUE)
def test_the_difference_is_that_of_the_means(metric):
    labels, good, bad = example()
    found = metrics.repeated_difference(metric, labels, good, bad, resamples=300)
    mean = [
        np.mean([VALUE[metric](labels, row) for row in side]) for side in (good, bad)
    ]
    assert found.estimate.value == pytest.approx(mean[0] - mean[1])
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert found.p_value < 0.05
    back = metrics.repeated_difference(metric, labels, bad, good, resamples=300)
    assert back.estimate.low == pytest.approx(-found.estimate.high)


def test_one_seed_is_the_ordinary_paired_bootstrap():
    labels, good, bad = example()
    ours = metrics.repeated_difference("auc", labels, good[0], bad[0])
    theirs = metrics.auc_difference(labels, good[0], bad[0])
    assert ours.estimate == theirs.estimate
    assert ours.p_value == theirs.p_value


@pytest.mark.parametrize("metric", VALUE)
def test_the_same_system_is_not_different_from_itself(metric):
    labels, good, _ = example()
    found = metrics.repeated_difference(metric, labels, good, good[::-1], 100)
    assert found.estimate.value == pytest.approx(0)
    assert found.p_value == 1.0


def test_mistakes():
    labels, good, bad = example()
    with pytest.raises(InputError, match="metric: expected auc, accuracy or loss"):
        metrics.repeated_difference("f1", labels, good, bad)
    with pytest.raises(InputError, match="80 values for 79 scores"):
        metrics.repeated_difference("auc", labels, good, bad[:, :-1])


def test_a_large_difference_survives_correction_over_hundreds():
    labels, good, bad = example(n=200, better=2.0)
    found = metrics.repeated_difference("auc", labels, good, bad)
    assert metrics.holm([found.p_value] * 500)[0] < 0.001
    slight = metrics.repeated_difference("auc", labels, *example(n=200, better=0.2)[1:])
    assert metrics.holm([slight.p_value] * 5)[0] > 0.05
