"""Evaluation of 100,000 predictions with 1,000 bootstrap resamples: seconds and memory.

Both are upper limits, so a ratio is limit / measured and its target is 1. What is
measured is `kerasfaces.evaluate.metrics_json.measure` in a fresh process, after imports, one
thread: all metrics of all rows, of 7 sources and of the 10 groups of 3 attributes.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

from benchmarks.framework import timing

LIMIT_S, LIMIT_MB = 10.0, 1024.0
_N, _RESAMPLES, _REPEATS = 100_000, 1000, 3


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return both ratios: the median of three runs, with the lowest and the highest."""
    runs = [_fresh() for _ in range(1 if quick else _REPEATS)]
    what = f"measure() of {_N:,} predictions, {_RESAMPLES} resamples, 18 slices"
    return [
        _ratio(
            "evaluate-seconds", LIMIT_S, [run["seconds"] for run in runs], "s", what
        ),
        _ratio(
            "evaluate-memory", LIMIT_MB, [run["peak_mb"] for run in runs], "MB", what
        ),
    ]


def _ratio(
    name: str, limit: float, measured: list[float], unit: str, what: str
) -> dict[str, Any]:
    middle = statistics.median(measured)
    what = f"limit of {limit:g} {unit} / {middle:.3g} {unit}: {what}"
    return timing.row(name, [limit / value for value in measured], 1.0, what)


def _fresh() -> dict[str, float]:
    """Measure in a process of its own, so that the peak is this work's alone."""
    command = [sys.executable, "-m", "benchmarks.evaluate"]
    process = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(process.stdout)
    return measured


def _measure() -> dict[str, float]:
    import numpy as np
    import pandas as pd

    from kerasfaces.evaluate.metrics_json import measure
    from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point

    random = np.random.default_rng(0)
    fake = np.arange(_N) % 2 == 1
    sources = random.integers(0, 5, _N)
    frame = pd.DataFrame(
        {
            "path": [f"{i}.png" for i in range(_N)],
            "label": np.where(fake, "fake", "real"),
            "source": np.where(
                fake, [f"gan{s}" for s in sources], [f"camera{s % 2}" for s in sources]
            ),
            "split": "val",
            "logit": random.normal(0, 1, _N) + 2.2 * fake,
            "reason": "",
            **{
                f"attr_{k}": random.choice([f"group{i}" for i in range(k)], _N)
                for k in (2, 3, 5)
            },
        }
    ).assign(score=np.nan)
    point = choose_operating_point(ValidationPredictions(frame))
    test = frame.assign(split="test", score=point.apply(frame["logit"]))
    started = time.perf_counter()
    measure({"test": test}, point, resamples=_RESAMPLES)
    seconds = time.perf_counter() - started
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": seconds, "peak_mb": peak_kb / 1024}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measure()))
