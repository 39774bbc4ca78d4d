"""Commands start fast: `--help` answers within half a second."""

import functools
import subprocess
import sys
from typing import Any

from benchmarks.framework import timing

LIMIT_S = 0.5
COMMANDS = {
    "kerasfaces_help": ["-m", "kerasfaces", "--help"],
    "train_help": ["-m", "kerasfaces.train", "--help"],
}


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return one row per command: the limit over the measured seconds."""
    rows = []
    for name, arguments in COMMANDS.items():
        call = functools.partial(
            subprocess.run,
            [sys.executable, *arguments],
            check=True,
            capture_output=True,
        )
        repeats = range(2 if quick else 7)
        ratios = [LIMIT_S / timing.elapsed_s(call) for _ in repeats]
        what = f"{LIMIT_S} s / seconds of `python {' '.join(arguments)}`"
        rows.append(timing.row(name, ratios, 1.0, what))
    return rows
