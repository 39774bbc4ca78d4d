"""Main effects find what moved the score, and nothing where nothing did."""

import itertools
import math

import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.metrics import main_effects as effects


def grid(noise=0.01, repeats=3):
    """A grid in which `strong` moves the score by .1 a step and `idle` by nothing."""
    values, scores = [], []
    random = rng.generator(0, "grid")
    for strong, idle, _ in itertools.product((1, 2, 3), "ab", range(repeats)):
        values.append({"strong": strong, "idle": idle})
        scores.append(0.5 + 0.1 * strong + random.normal(0, noise))
    return values, scores


def test_the_one_that_matters_comes_first():
    strong, idle = effects.main_effects(*grid())
    assert (strong.name, idle.name) == ("strong", "idle")
    assert strong.share > 0.95
    assert strong.p_value <= 0.01
    assert idle.share < 0.1
    assert idle.p_value > 0.1
    assert [level.label for level in strong.levels] == ["1", "2", "3"]
    assert [level.n for level in strong.levels] == [6, 6, 6]
    means = [level.mean.value for level in strong.levels]
    assert max(means) - min(means) == pytest.approx(0.2, abs=0.02)
    for level, wanted in zip(strong.levels, (0.6, 0.7, 0.8), strict=True):
        assert level.mean.low < level.mean.value < level.mean.high
        assert level.mean.value == pytest.approx(wanted, abs=0.02)


def test_chance_is_seldom_called_an_effect():
    random = rng.generator(1, "chance")
    called = []
    for _ in range(40):
        values = [{"a": int(random.integers(3))} for _ in range(30)]
        called += [
            each.p_value < 0.05
            for each in effects.main_effects(values, random.normal(0, 1, 30))
        ]
    assert np.mean(called) <= 0.15


def test_groups_are_levelled_before_they_are_compared():
    values, scores = grid()
    far = [score + 5 for score in scores]
    both = effects.main_effects(values * 2, scores + far, [0] * 18 + [1] * 18)
    assert both[0].name == "strong"
    assert both[0].share > 0.95
    loose = effects.main_effects(values * 2, scores + far)
    assert loose[0].share < 0.1


def test_levels():
    many = [0.001 * i for i in range(30)]
    labels, order = effects.levels_of(many)
    assert len(order) == 3
    assert {labels.count(name) for name in order} == {10}
    assert effects.levels_of([2.0, None, 1.0])[1] == ["1", "2", effects.UNUSED]
    assert effects.levels_of(["b", "a", "b"])[1] == ["b", "a"]
    assert effects.levels_of([True, False])[0] == ["True", "False"]


def test_what_does_not_vary_has_no_effect_and_few_trials_no_interval():
    assert effects.main_effects([{"a": 1}, {"a": 1}], [0.1, 0.2]) == []
    (one,) = effects.main_effects([{"a": 1}, {"a": 2}], [0.1, 0.2])
    assert math.isnan(one.levels[0].mean.low)
    assert one.share == 0.0
    (same,) = effects.main_effects([{"a": i % 2} for i in range(8)], [0.5] * 8)
    assert (same.share, same.p_value) == (0.0, 1.0)


@pytest.mark.slow
def test_a_strong_effect_among_very_many_choices_is_shown():
    """More hyperparameters than a thousand permutations leave below .05 by Holm."""
    random = np.random.default_rng(0)
    names = [f"choice_{number}" for number in range(55)]
    values = [{name: int(random.integers(2)) for name in names} for _ in range(80)]
    scores = [one["choice_7"] + 0.1 * random.normal() for one in values]
    first = effects.main_effects(values, scores)[0]
    assert first.name == "choice_7"
    assert first.p_value < 0.05, first.p_value
