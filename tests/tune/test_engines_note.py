"""A study continued on another engine says so in its report and log."""

import logging
import types

import pytest

from kerasfaces.tune import report


def study(*engines):
    trials = [
        types.SimpleNamespace(
            config={"model": {"name": name}}, repeats=[{"engine": engine}, {}]
        )
        for name, engine in engines
    ]
    return types.SimpleNamespace(completed=trials)


@pytest.mark.parametrize(
    ("engines", "n_said"),
    [
        ((("a", "keras 3"), ("a", "openvino 1")), 1),
        ((("a", "keras 3"), ("b", "openvino 1")), 0),  # each base has its own
        ((("a", ""), ("a", "openvino 1")), 0),  # of an earlier version
    ],
)
def test_trials_on_features_by_two_engines_are_named(engines, n_said, caplog):
    with caplog.at_level(logging.WARNING, "kerasfaces"):
        said = report._engines(study(*engines))
    assert len(said) == len(caplog.records) == n_said
    if said:
        assert (
            "Trials of a were trained on features by keras 3 and by openvino 1"
            in (said[0])
        )
