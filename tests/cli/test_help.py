"""Help answers at once: no command imports what is heavy before it knows what to do."""

import subprocess
import sys

import pytest

from kerasfaces.__main__ import STAGES

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
