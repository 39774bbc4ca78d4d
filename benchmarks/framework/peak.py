"""What this machine can do at most, so that a missed target can be told from slow code."""

import time
from collections.abc import Callable
from typing import Any

_SIDE = 4096


def flop(work: Callable[[], Any]) -> int:
    """Return the floating-point operations of products and convolutions in torch code."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


def flop_per_s() -> float:
    """Return how fast torch multiplies two large float32 matrices on all cores."""
    import torch

    a, b = torch.randn(_SIDE, _SIDE), torch.randn(_SIDE, _SIDE)
    times = []
    for _ in range(4):
        started = time.perf_counter()
        torch.mm(a, b)
        times.append(time.perf_counter() - started)
    return 2 * _SIDE**3 / min(times)


def words(operations: float, seconds: float) -> str:
    """Say what share of this machine's matrix products `seconds` for them reaches."""
    share = operations / seconds / flop_per_s()
    return f"ours at {share:.0%} of the speed of plain matrix products here"
