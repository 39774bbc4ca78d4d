"""Worker processes without work, kept a while for the next stage of a command.

A process takes a quarter of a second to start, which is longer than many a stage.
"""

import atexit
import os
import subprocess
import threading
from collections.abc import Hashable

_KEPT_S = 20.0
_END_S = 3.0  # for a process that is told to end

_lock = threading.Lock()
_idle: list[tuple[Hashable, "subprocess.Popen[bytes]"]] = []
_timers: list[threading.Timer] = []  # at most one


def take(key: Hashable) -> "subprocess.Popen[bytes] | None":
    """Return a process that was kept under a key and still runs; None without one."""
    with _lock:
        for at, (other, process) in enumerate(_idle):
            if other == key and process.poll() is None:
                del _idle[at]
                return process
    return None


def keep(key: Hashable, process: "subprocess.Popen[bytes]", limit: int) -> None:
    """Keep an idle process for `take`; it ends by itself if nobody wants it.

    Args:
        key: What a process must share with those that it can stand in for.
        process: It waits for a message on its stdin, and ends with it.
        limit: Upper limit of processes kept; the oldest end.
    """
    with _lock:
        _idle.append((key, process))
        surplus = [each for _, each in _idle[: len(_idle) - limit]]
        del _idle[: len(surplus)]
        while _timers:
            _timers.pop().cancel()
        timer = threading.Timer(_KEPT_S, end_all)
        timer.daemon = True
        timer.start()
        _timers.append(timer)
    for each in surplus:
        end(each)


def end_all() -> None:
    """End all idle processes."""
    with _lock:
        processes = [process for _, process in _idle]
        _idle.clear()
    for process in processes:
        _close(process)
    for process in processes:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> int:
    """Close a process' pipes, which is its end, and return its exit code."""
    _close(process)
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _close(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        try:
            if pipe is not None:
                pipe.close()
        except OSError:  # it is dead, and a message was on its way
            pass


def _forget() -> None:
    """Leave the processes to the parent that this process was forked from."""
    global _lock
    for _, process in _idle:
        _close(process)
        process.returncode = 0  # somebody else's child
    _idle.clear()
    _timers.clear()
    _lock = threading.Lock()


atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
