"""Commands start fast: `--help` answers within half a second."""

import statistics
import subprocess
import sys
import time
from typing import Any

LIMIT_S = 0.5
COMMANDS = {
    "kerasfaces_help": ["-m", "kerasfaces", "--help"],
    "train_help": ["-m", "kerasfaces.train", "--help"],
}


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return one row per command: the limit over the measured seconds."""
    rows = []
    for name, arguments in COMMANDS.items():
        ratios = [LIMIT_S / _seconds(arguments) for _ in range(2 if quick else 7)]
        rows.append(
            {
                "name": name,
                "ratio": statistics.median(ratios),
                "low": min(ratios),
                "high": max(ratios),
                "target": 1.0,
                "what": f"{LIMIT_S} s / seconds of `python {' '.join(arguments)}`",
            }
        )
    return rows


def _seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started
