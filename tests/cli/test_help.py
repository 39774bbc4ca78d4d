"""Help answers at once: no command imports what is heavy before it knows what to do."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from kerasfaces import cli
from kerasfaces.__main__ import STAGES
from kerasfaces.__main__ import main as run

HEAVY = {
    "numpy",
    "pandas",
    "scipy",
    "PIL",
    "matplotlib",
    "keras",
    "tensorflow",
    "torch",
}


def test_every_command_is_a_stage():
    folder = Path(cli.__file__).parent
    modules = {path.stem if path.is_file() else path.name for path in folder.iterdir()}
    commands = {
        name
        for name in modules
        if not name.startswith("_")
        and hasattr(importlib.import_module(f"kerasfaces.cli.{name}"), "main")
    }
    assert commands == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_help_imports_nothing_heavy(stage):
    code = (
        "import sys\nfrom kerasfaces.__main__ import main\n"
        "try:\n    main([sys.argv[1], '--help'])\n"
        "except SystemExit:\n    pass\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, stage], capture_output=True, text=True, check=True
    )
    assert "usage:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "is_listed"),
    [("train", True), ("crossgen", False), ("estimate train", False)],
)
def test_models_are_listed_where_help_says_so(capsys, words, is_listed):
    with pytest.raises(SystemExit, match="0"):
        run([*words.split(), "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert ("listed below" in shown) == ("models:" in shown) == is_listed
    assert ("kerasfaces train --help lists them" in shown) == (not is_listed)
