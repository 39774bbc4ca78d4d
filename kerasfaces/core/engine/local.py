"""Processes of this machine, as workers.

They are fresh interpreters that import the task's module and not the user's script, so a
script without `if __name__ == "__main__"` does its work once. Each has its share of the
cores and one GPU. They end with this process, however it ends.
"""

import atexit
import os
import pickle
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from kerasfaces.core import imports, interruptions, machine
from kerasfaces.core.engine.tasks import Runner, Task, close, result_of
from kerasfaces.core.engine.workers import LostError, UnavailableError

_OF_TERMINALS = [getattr(signal, n) for n in ("SIGINT", "SIGHUP") if hasattr(signal, n)]
_START = (
    "import sys; sys.path[:] = {path}; sys.argv[:] = {argv}; "
    "from {module} import serve; serve({parent})"
)
_LENGTH = struct.Struct("<Q")
_READY = b"ready"
_END_S = 3.0  # for a process that is told to end


def processes(task: bytes, n_workers: int) -> list["Process"]:
    """Return workers for a pickled task; a single one has all cores and GPUs."""
    if n_workers == 1:
        return [Process(task, {})]
    threads = str(max(1, machine.usable_cores() // n_workers))
    libraries = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "TF_NUM_INTRAOP")
    environment = {f"{each}_THREADS": threads for each in libraries}
    environment["TF_NUM_INTEROP_THREADS"] = "1"
    gpus = machine.gpus()
    if gpus:
        # Else the first worker on a GPU takes all of its memory.
        environment["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    workers = []
    for number in range(n_workers):
        own = {"CUDA_VISIBLE_DEVICES": gpus[number % len(gpus)]} if gpus else {}
        workers.append(Process(task, environment | own))
    return workers


class Process:
    """A worker process: pickles enter by its stdin and leave by its stdout."""

    def __init__(self, task: bytes, environment: dict[str, str]) -> None:
        self._task, self._environment = task, environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, or a new one; see `pools.Worker`."""
        self.close(at_once=False)
        path = [entry or str(Path.cwd()) for entry in sys.path]
        command = _START.format(
            path=path, argv=sys.argv, module=__name__, parent=os.getpid()
        )
        try:
            with interruptions.starting, _left_to_parent():
                self._process = subprocess.Popen(
                    [sys.executable, "-c", command],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ | self._environment,
                    creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
                )
        except OSError as error:
            raise UnavailableError(str(error)) from error
        try:
            if self._exchange(self._task) != _READY:
                raise LostError("it does not answer")
        except LostError as error:
            raise UnavailableError(str(error)) from error

    def run(self, item: bytes) -> Any:
        """Return the result of an item; see `pools.Worker`."""
        return result_of(self._exchange(item))

    def close(self, *, at_once: bool) -> None:
        """End the process; see `pools.Worker`."""
        process = self._process
        if process is None:
            return
        if at_once:  # the thread that waits for its answer does the rest
            process.kill()
            return
        for pipe in (process.stdin, process.stdout):  # their end is its end
            with suppress(OSError):
                pipe and pipe.close()
        _code(process)
        self._process = None

    def _exchange(self, message: bytes) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise LostError("it is not started")
        try:
            _write(process.stdin, message)
            return _read(process.stdout)
        except (OSError, EOFError) as error:
            raise LostError(_reason(_code(process))) from error


class ThisProcess:
    """Does a worker's work where no process can be started."""

    def __init__(self, task: Task[Any, Any]) -> None:
        self._task = task

    def start(self) -> None:
        """Do nothing; see `pools.Worker`."""

    def run(self, item: bytes) -> Any:
        """Return the result of an item; see `pools.Worker`."""
        return self._task(pickle.loads(item))

    def close(self, *, at_once: bool) -> None:
        """Close the task."""
        close(self._task)


def serve(parent: int) -> None:
    """Be a worker process: answer items until stdin ends.

    Args:
        parent: Number of the process that started this one.
    """
    machine.end_with(parent)
    imports.own_process()
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What libraries print is no answer, and no result of the command.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    runner = Runner(_read(incoming))
    _write(outgoing, _READY)
    with suppress(EOFError):
        while True:
            _write(outgoing, runner(_read(incoming)))
    runner.close()
    # The interpreter's own end may wait for threads in native code.
    atexit._run_exitfuncs()
    os._exit(0)


def _write(stream: IO[bytes], message: bytes) -> None:
    stream.write(_LENGTH.pack(len(message)))
    stream.write(message)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes:
    """Return the next message."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    message = stream.read(length)
    if len(message) < length:
        raise EOFError
    return message


def _code(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit code of a process that closed its pipes."""
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _reason(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):
        return "its process was killed; memory may have run out"
    return f"its process crashed with exit code {code}"


@contextmanager
def _left_to_parent() -> Iterator[None]:
    """Let a process started inside block what a terminal sends to the whole group.

    It would die of it, before its first line with a traceback; the parent ends it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_TERMINALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
