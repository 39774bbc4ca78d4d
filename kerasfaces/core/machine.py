"""What differs between operating systems: cores, limits, processes and their parents."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PARENT_CHECK_S = 1.0


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(cores())


def use_cores(cores: list[int]) -> None:
    """Bind this process to some cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def gpus() -> list[str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them.

    No framework is asked: it would take their memory.
    """
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is not None:
        return [name for name in allowed.split(",") if name not in ("", "-1")]
    devices = Path("/dev").glob("nvidia[0-9]*")
    return [str(number) for number, _ in enumerate(devices)]


def raise_file_limit() -> bool:
    """Allow this process as many open files as it may have; False if that is no more."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return False
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == hard:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return True


def is_running(process: int) -> bool:
    """Tell whether there is a process of this number."""
    import psutil

    return bool(psutil.pid_exists(process))


def end_with(parent: int) -> None:
    """End this process soon after a parent that was killed and could not end it.

    Args:
        parent: Its number, as it told it: by now it may be gone.
    """

    def watch() -> None:
        while os.getppid() == parent and is_running(parent):
            time.sleep(_PARENT_CHECK_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def exclusive(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold a file's lock, which dies with this process; its content is ours to write.

    Args:
        path: Made if need be.
        wait: Wait for another process that holds it.

    Raises:
        TimeoutError: Another process holds it.
    """
    import filelock

    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except filelock.Timeout as error:
        raise TimeoutError(str(path)) from error
    try:
        yield
    finally:
        lock.release()
