"""Differences pooled over splits that share test images, against slow second ones."""

import math
import re

import numpy as np
import pytest

from kerasfaces import metrics
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError


def splits(n=60, count=3, better=0.7, tested=30, key="pooled"):
    """Return test rows of random, overlapping halves of `n` images of each class."""
    random = rng.generator(0, key)
    labels = np.arange(2 * n) % 2
    hard = random.normal(0, 1, 2 * n)  # an image is hard for every training
    found = []
    for _ in range(count):
        rows = np.concatenate(
            [random.choice(np.flatnonzero(labels == c), tested, False) for c in (0, 1)]
        )
        noise = random.normal(0, 0.5, (2, rows.size))
        a = hard[rows] + (1 + better) * labels[rows] + noise[0]
        b = hard[rows] + labels[rows] + noise[1]
        found.append(metrics.TestRows([f"{i}.png" for i in rows], labels[rows], a, b))
    return found


def slowly(rows, resamples):
    """Resample images by name, and score each resample from its repeated rows."""
    random = rng.generator(1, "slow")
    of = {
        key: int(label)
        for s in rows
        for key, label in zip(s.keys, s.labels, strict=True)
    }
    drawn = []
    for _ in range(resamples):
        counts = {}
        for label in (0, 1):
            names = [key for key, own in of.items() if own == label]
            for key in random.choice(names, len(names)):
                counts[key] = counts.get(key, 0) + 1
        each = []
        for split in rows:
            repeats = [counts.get(key, 0) for key in split.keys]
            y, a, b = (
                np.repeat(values, repeats)
                for values in (split.labels, split.logits_a, split.logits_b)
            )
            each.append(metrics.auc(y, a) - metrics.auc(y, b))
        drawn.append(np.mean(each))
    return np.array(drawn)


def test_the_value_is_the_mean_and_the_interval_that_of_a_slow_bootstrap():
    rows = splits()
    found = metrics.pooled_difference(rows, resamples=2000)
    each = [
        metrics.auc_difference(r.labels, r.logits_a, r.logits_b, 10).estimate.value
        for r in rows
    ]
    assert found.estimate.value == pytest.approx(np.mean(each))
    low, high = np.quantile(slowly(rows, 600), [0.025, 0.975])
    width = high - low
    assert found.estimate.low == pytest.approx(low, abs=0.15 * width)
    assert found.estimate.high == pytest.approx(high, abs=0.15 * width)
    assert found.p_value < 0.05


def test_one_split_is_the_ordinary_paired_bootstrap():
    (only,) = splits(count=1)
    pooled = metrics.pooled_difference([only], resamples=4000).estimate
    plain = metrics.auc_difference(
        only.labels, only.logits_a, only.logits_b, resamples=4000
    ).estimate
    assert pooled.value == pytest.approx(plain.value)
    width = plain.high - plain.low
    assert pooled.low == pytest.approx(plain.low, abs=0.1 * width)
    assert pooled.high == pytest.approx(plain.high, abs=0.1 * width)


def test_the_same_split_five_times_tells_no_more_than_once():
    (only,) = splits(count=1)
    once = metrics.pooled_difference([only]).estimate
    often = metrics.pooled_difference([only] * 5).estimate
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_resamples_that_miss_a_class_count_against_a_difference():
    """Three splits of five own images of a class: some resamples draw none of one split."""
    random = rng.generator(0, "few")
    labels = np.arange(10) % 2
    rows = [
        metrics.TestRows(
            [f"{number}/{i}" for i in range(10)],
            labels,
            random.normal(0, 1, 10) + 1.5 * labels,
            random.normal(0, 1, 10),
        )
        for number in range(3)
    ]
    found = metrics.pooled_difference(rows, resamples=1000)
    missed = int(re.search(r", (\d+) left out", found.estimate.method)[1])
    assert 2 < missed < 50
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert found.p_value > 2 * missed / 1001


def test_other_images_in_every_split_tell_more():
    def width(rows):
        estimate = metrics.pooled_difference(rows).estimate
        return estimate.high - estimate.low

    apart = [
        metrics.TestRows(
            [f"{i}/{key}" for key in rows.keys],
            rows.labels,
            rows.logits_a,
            rows.logits_b,
        )
        for i, rows in enumerate(splits(count=4))
    ]
    assert width(apart) < 0.7 * np.mean([width([rows]) for rows in apart])


def test_turned_around_it_is_the_other_sign():
    rows = splits()
    turned = [metrics.TestRows(r.keys, r.labels, r.logits_b, r.logits_a) for r in rows]
    there, back = (metrics.pooled_difference(each) for each in (rows, turned))
    assert back.estimate.low == pytest.approx(-there.estimate.high)
    assert back.p_value == there.p_value


def test_a_system_against_itself_differs_by_nothing():
    rows = [
        metrics.TestRows(r.keys, r.labels, r.logits_a, r.logits_a) for r in splits()
    ]
    found = metrics.pooled_difference(rows)
    assert (found.estimate.value, found.estimate.low, found.estimate.high) == (0, 0, 0)
    assert found.p_value == 1.0


def test_resamples_that_miss_a_class_give_no_interval():
    rows = [
        metrics.TestRows([f"{i}a", f"{i}b"], [0, 1], [0.0, 1.0], [1.0, 0.0])
        for i in range(3)
    ]
    found = metrics.pooled_difference(rows)
    assert found.estimate.value == 1.0
    assert math.isnan(found.estimate.low)
    assert math.isnan(found.p_value)
    assert found.estimate.method.startswith("no interval")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: [], "at least one split"),
        (lambda rows: [*rows, swapped(rows[0])], "real in one split and fake"),
        (lambda rows: [doubled(rows[0])], "different ones"),
        (lambda rows: [shortened(rows[0])], "different ones"),
    ],
)
def test_what_cannot_be_pooled_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        metrics.pooled_difference(change(splits()))


def swapped(rows):
    return metrics.TestRows(rows.keys, 1 - rows.labels, rows.logits_a, rows.logits_b)


def doubled(rows):
    keys = [rows.keys[0], rows.keys[0], *rows.keys[2:]]
    return metrics.TestRows(keys, rows.labels, rows.logits_a, rows.logits_b)


def shortened(rows):
    return metrics.TestRows(rows.keys[1:], rows.labels, rows.logits_a, rows.logits_b)


def test_a_clear_difference_is_shown_among_forty():
    clear = metrics.pooled_difference(splits(better=4.0))
    assert clear.estimate.low > 0.1
    assert metrics.holm([clear.p_value] * 40)[0] < 0.05
