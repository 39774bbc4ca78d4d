"""The mean difference over splits, against a slow second implementation."""

import numpy as np
import pytest

from kerasfaces import metrics, rng
from kerasfaces.errors import InputError


def splits(gain, count=3):
    """Test splits of 60 images each out of 100, two systems on each."""
    random = rng.generator(0, "splits")
    labels = np.arange(100) % 2
    found = []
    for _ in range(count):
        chosen = np.r_[
            random.choice(np.flatnonzero(labels == 0), 30, replace=False),
            random.choice(np.flatnonzero(labels == 1), 30, replace=False),
        ]
        fake = labels[chosen]
        b = random.normal(0, 1, 60) + fake
        a = b + gain * fake + random.normal(0, 0.2, 60)
        found.append(([f"{i}.jpg" for i in chosen], fake, a, b))
    return found


def brute_force(a, b, fake):
    def auc(logits):
        real, other = logits[fake == 0], logits[fake == 1]
        return np.mean((other[:, None] > real) + 0.5 * (other[:, None] == real))

    return auc(a) - auc(b)


def test_value_is_the_mean_of_the_splits_differences():
    given = splits(0.5)
    found = metrics.pooled_auc_difference(given)
    wanted = np.mean([brute_force(a, b, fake) for _, fake, a, b in given])
    assert found.estimate.value == pytest.approx(wanted)
    assert found.estimate.low < wanted < found.estimate.high
    assert found.p_value < 0.05
    assert metrics.pooled_auc_difference(splits(0.0)).p_value > 0.05


def test_a_split_seen_twice_tells_nothing_new():
    one = splits(0.5, count=1)
    once = metrics.pooled_auc_difference(one).estimate
    twice = metrics.pooled_auc_difference(one * 2).estimate
    assert (once.low, once.high) == pytest.approx((twice.low, twice.high))
    paired = metrics.auc_difference(*one[0][1:]).estimate
    assert once.high - once.low == pytest.approx(paired.high - paired.low, rel=0.1)


def test_mistakes():
    with pytest.raises(InputError, match="at least one split"):
        metrics.pooled_auc_difference([])
    with pytest.raises(InputError, match=r"ids: expected 4, got 3\."):
        metrics.pooled_auc_difference(
            [("abc", [0, 0, 1, 1], [1, 2, 3, 4], [1, 2, 3, 4])]
        )
    with pytest.raises(InputError, match="'a' is real in one row, fake in another"):
        metrics.pooled_auc_difference([("aba", [0, 0, 1], [1, 2, 3], [1, 2, 3])])
