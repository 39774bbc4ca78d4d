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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Any

from kerasfaces.core import imports, interruptions, machine
from kerasfaces.core.engine import idle
from kerasfaces.core.engine.tasks import Runner, Task, close, result_of
from kerasfaces.core.engine.workers import LostError, UnavailableError

_OF_TERMINALS = [getattr(signal, n) for n in ("SIGINT", "SIGHUP") if hasattr(signal, n)]
_START = (
    "import sys; sys.path[:] = {path}; sys.argv[:] = {argv}; "
    "from {module} import serve; serve({parent})"
)
_HEAD = struct.Struct("<cQ")  # what a message is, and its length in bytes
_TASK, _ITEM, _OVER = b"t", b"i", b"o"
_READY = b"ready"


def processes(task: bytes, n_workers: int, keep: bool = False) -> list["Process"]:
    """Return workers for a pickled task; a single one has all cores and GPUs.

    `keep` lets their processes work on the next task of whoever keeps them, too.
    """
    if n_workers == 1:
        return [Process(task, {}, keep)]
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
        workers.append(Process(task, environment | own, keep))
    return workers


class Process:
    """A worker process: pickles enter by its stdin and leave by its stdout."""

    def __init__(self, task: bytes, environment: Mapping[str, str], keep: bool) -> None:
        self._task, self._environment, self.keep = task, environment, keep
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False

    def start(self) -> None:
        """Start the process, or a new one; see `workers.Worker`."""
        self.close(at_once=False)
        environment = dict(os.environ) | dict(self._environment)
        here = (_folder(), environment, _import_path(), sys.argv)
        beginning = pickle.dumps((*here, self._task))
        while self.keep and (process := idle.take(self._key)) is not None:
            self._process = process
            with suppress(LostError):
                self._exchange(_TASK, beginning)
                return
        try:
            self._process = process = self._spawn()
            if self._ended:  # while it started
                process.kill()
            self._exchange(_TASK, beginning)
        except (OSError, LostError) as error:
            raise UnavailableError(str(error)) from error

    def run(self, item: bytes) -> Any:
        """Return the result of an item; see `workers.Worker`."""
        return result_of(self._exchange(_ITEM, item))

    def close(self, *, at_once: bool) -> None:
        """End the process or keep it; see `workers.Worker`."""
        self._ended |= at_once
        process = self._process
        if process is None:
            return
        if at_once:  # the thread that waits for its answer does the rest
            process.kill()
            return
        with suppress(LostError):
            if self.keep:
                self._exchange(_OVER, b"")
                idle.keep(self._key, process, 2 * machine.usable_cores())
                self._process = None
        if self._process is not None:
            idle.end(process)
            self._process = None

    @property
    def _key(self) -> tuple[object, ...]:
        """What a process keeps from its start: its cores, its GPU, its stderr."""
        try:
            stderr = os.fstat(2)
        except OSError:  # it is closed
            return (*self._environment.items(),)
        return (*self._environment.items(), stderr.st_dev, stderr.st_ino)

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = _START.format(
            path=_import_path(), argv=sys.argv, module=__name__, parent=os.getpid()
        )
        with interruptions.starting, _left_to_parent():
            return subprocess.Popen(
                [sys.executable, "-c", command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | self._environment,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )

    def _exchange(self, kind: bytes, message: bytes) -> bytes:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise LostError("it is not started")
        try:
            _write(process.stdin, kind, message)
            return _read(process.stdout)[1]
        except (OSError, EOFError, ValueError) as error:
            self._process = None
            raise LostError(_reason(idle.end(process))) from error


class ThisProcess:
    """Does a worker's work where no process can be started."""

    keep = False

    def __init__(self, task: Task[Any, Any]) -> None:
        self._task = task

    def start(self) -> None:
        """Do nothing; see `workers.Worker`."""

    def run(self, item: bytes) -> Any:
        """Return the result of an item; see `workers.Worker`."""
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
    runner: Runner | None = None
    with suppress(EOFError, OSError):  # the driver is gone
        while True:
            kind, message = _read(incoming)
            if runner is not None and kind == _ITEM:
                answer = runner(message)
            else:
                answer = _READY
                if runner is not None:
                    runner.close()
                runner = _begin(message) if kind == _TASK else None
                if runner is None:  # an idle process holds nobody's folder
                    os.chdir(os.path.abspath(os.sep))
            _write(outgoing, kind, answer)
    if runner is not None:
        runner.close()
    # The interpreter's own end may wait for threads in native code.
    atexit._run_exitfuncs()
    os._exit(0)


def _begin(message: bytes) -> Runner:
    """Return the runner of a task, in the driver's surroundings."""
    folder, environment, path, argv, task = pickle.loads(message)
    os.environ.clear()
    os.environ.update(environment)
    with suppress(OSError):  # it is gone
        os.chdir(folder)
    sys.path[:], sys.argv[:] = path, argv
    with imports.quiet():
        runner = Runner(task)
        if "tensorflow" in sys.modules:  # its first look at GPUs chatters
            sys.modules["tensorflow"].config.list_physical_devices("GPU")
    return runner


def _write(stream: IO[bytes], kind: bytes, message: bytes) -> None:
    stream.write(_HEAD.pack(kind, len(message)))
    stream.write(message)
    stream.flush()


def _read(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """Return what the next message is, and the message."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    kind, length = _HEAD.unpack(head)
    message = stream.read(length)
    if len(message) < length:
        raise EOFError
    return kind, message


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it is gone
        return ""


def _import_path() -> list[str]:
    return [entry or _folder() for entry in sys.path]


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
