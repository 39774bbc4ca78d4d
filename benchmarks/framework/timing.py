"""Time work, in fresh processes where nothing that ran before may be warm."""

import functools
import importlib
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_IMPORTS = ("kerasfaces.train.fit", "kerasfaces.manifest", "openvino")
_SIDE = 4096  # of the matrices whose product is this machine's best


def row(name: str, ratios: Sequence[float], target: float, what: str) -> dict[str, Any]:
    """Return a row of results.json.

    Args:
        name: Name of the row.
        ratios: One per pair measured.
        target: The promised ratio.
        what: Sentence on what is compared with what.
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
    seconds: float = call(functools.partial(elapsed_s, work))
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


def elapsed_s(work: Callable[[], Any]) -> float:
    """Return the seconds of one call in this process."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def flop(work: Callable[[], Any]) -> int:
    """Return the floating-point operations of products and convolutions in torch code."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def share_of_peak(operations: float, seconds: float) -> str:
    """Say what share of the speed of this machine's matrix products is reached.

    Tells a missed target from slow code. The speed is that of torch on two large float32
    matrices, on all cores.
    """
    import torch

    a, b = torch.randn(_SIDE, _SIDE), torch.randn(_SIDE, _SIDE)
    times = [elapsed_s(functools.partial(torch.mm, a, b)) for _ in range(4)]
    share = operations / seconds / (2 * _SIDE**3 / min(times))
    return f"ours at {share:.0%} of the speed of plain matrix products here"
