"""The speed promises, each a ratio measured in one run: `make bench`.

One file here is one group of benchmarks; `run(quick)` returns its rows.
"""

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from kerasfaces.core import registry


def run_alone(name: str, quick: bool) -> list[dict[str, Any]]:
    """Run one benchmark in a process of its own: torch and TensorFlow share none."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(_run, name, quick).result()


def _run(name: str, quick: bool) -> list[dict[str, Any]]:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    rows: list[dict[str, Any]] = registry.load("benchmarks", name).run(quick)
    return rows
