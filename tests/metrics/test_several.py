"""Mean AUC differences over several kinds of fakes, against the plain definition."""

import numpy as np
import pytest

from kerasfaces import metrics, rng
from kerasfaces.errors import InputError
from kerasfaces.metrics.several import mean_auc_difference


def made(n_real=60, sizes=(20, 45), strength=(1.5, 0.3)):
    random = rng.generator(0, "several")
    reals = tuple(random.normal(0, 1, n_real).round(1) for _ in strength)
    fakes = [
        tuple(random.normal(each, 1, n).round(1) for each in strength) for n in sizes
    ]
    return reals, fakes


def test_the_value_is_the_mean_of_auc_differences():
    reals, fakes = made()
    expected = []
    for fake in fakes:
        labels = [0] * len(reals[0]) + [1] * len(fake[0])
        a, b = (
            metrics.auc(labels, np.concatenate([real, one]))
            for real, one in zip(reals, fake, strict=True)
        )
        expected.append(a - b)
    found = mean_auc_difference(reals, fakes)
    assert found.estimate.value == pytest.approx(np.mean(expected))
    assert found.estimate.low < found.estimate.value < found.estimate.high
    assert found.estimate.low > 0
    assert found.p_value < 0.01


def test_turned_round_the_sign_turns():
    reals, fakes = made()
    found = mean_auc_difference(reals, fakes).estimate
    turned = mean_auc_difference(reals[::-1], [fake[::-1] for fake in fakes]).estimate
    assert turned.value == pytest.approx(-found.value)
    assert turned.low == pytest.approx(-found.high)


def test_one_kind_is_the_known_difference():
    reals, fakes = made(sizes=(40,))
    labels = [0] * 60 + [1] * 40
    known = metrics.auc_difference(
        labels,
        *(np.concatenate([reals[i], fakes[0][i]]) for i in (0, 1)),
    )
    found = mean_auc_difference(reals, fakes)
    assert found.estimate.value == pytest.approx(known.estimate.value)
    assert found.estimate.low == pytest.approx(known.estimate.low, abs=0.02)


def test_equal_systems_differ_by_nothing():
    reals, fakes = made(strength=(0.5, 0.5))
    same = mean_auc_difference(
        (reals[0], reals[0]), [(fake[0], fake[0]) for fake in fakes]
    )
    assert same.estimate.value == same.estimate.low == same.estimate.high == 0
    assert same.p_value == 1


def test_mistakes():
    reals, fakes = made()
    with pytest.raises(InputError, match="at least one kind"):
        mean_auc_difference(reals, [])
    with pytest.raises(InputError, match=r"fakes\[0\]: expected the same images"):
        mean_auc_difference(reals, [(fakes[0][0], fakes[0][1][:-1])])
    with pytest.raises(InputError, match="NaN"):
        mean_auc_difference(reals, [(fakes[0][0] * np.nan, fakes[0][1])])
