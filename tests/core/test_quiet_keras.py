"""What TensorFlow's logger shows: in a command faults alone, in a program what it wants."""

import logging

import pytest

from kerasfaces.core import imports, numerics


@pytest.fixture
def level(monkeypatch):
    theirs = logging.getLogger("tensorflow")
    before = theirs.level
    theirs.setLevel(logging.INFO)
    monkeypatch.setattr(numerics, "import_keras", lambda: None)
    monkeypatch.setattr(numerics, "gpu_problem", lambda: "")
    yield lambda: theirs.level
    theirs.setLevel(before)


@pytest.mark.parametrize(
    ("is_command", "expected"), [(True, logging.ERROR), (False, logging.INFO)]
)
def test_its_advice_is_not_shown_by_commands(level, monkeypatch, is_command, expected):
    monkeypatch.setattr(imports, "_is_own_process", is_command)
    monkeypatch.setattr(imports, "quiet", lambda: pytest.MonkeyPatch.context())
    imports.import_keras()
    assert level() == expected
