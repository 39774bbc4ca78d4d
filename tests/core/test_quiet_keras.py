"""What TensorFlow's logger shows: in a command faults alone, in a program what it wants."""

import logging
import os
import subprocess
import sys

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


@pytest.mark.tf
def test_a_command_says_nothing_of_gpus_that_are_not_there():
    """The first look at them writes to file descriptor 2 before any log level applies."""
    code = (
        "from kerasfaces.core import imports\n"
        "imports.own_process()\n"
        "imports.import_keras()\n"
        "import keras\n"
        "keras.random.normal((2,))\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stderr == ""
