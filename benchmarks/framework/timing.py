"""Time work in fresh processes, where nothing that ran before is warm."""

import functools
import importlib
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_IMPORTS = ("kerasfaces.train.fit", "kerasfaces.manifest", "openvino")


def row(name: str, ratios: Sequence[float], target: float, what: str) -> dict[str, Any]:
    """Return what results.json keeps of one ratio.

    Args:
        name: Of the row.
        ratios: One per pair measured.
        target: What was promised.
        what: What against what.
    """
    return {
        "name": name,
        "ratio": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "target": target,
        "what": what,
    }


def seconds(work: Callable[[], None]) -> float:
    """Time `work` in a fresh process, where nothing it or the other side left is warm."""
    seconds: float = call(functools.partial(_timed, work))
    return seconds


def call(work: Callable[[], Any]) -> Any:
    """Run `work` in a fresh process, after its imports."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, _import) as pool:
        return pool.submit(work).result()


def _import() -> None:
    """Import what both sides need and start TensorFlow: neither is part of the work."""
    from kerasfaces.core.imports import import_keras

    import_keras()
    import tensorflow as tf

    tf.random.uniform(())  # its devices and threads exist once something has run
    for name in _IMPORTS:
        importlib.import_module(name)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
