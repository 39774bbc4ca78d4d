"""How a command ends, above all when it is told to: soon, and with all it started.

SIGINT (Ctrl-C), SIGTERM and SIGHUP (a closed terminal) come at any moment, also while a
native library keeps the main thread or another one for minutes. Files appear whole or
not at all and locks die with their process, so nothing needs to be unwound: helper
processes are killed, temporary files removed, one sentence is written, and `os._exit`
ends the process. So it ends without a signal, too: while the interpreter dismantles
itself, a thread that comes back from native code hangs or aborts the process.

Commands alone do this (`cli.run`); the library installs nothing.
"""

import atexit
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

SENTENCE = "Interrupted; the same command continues where it stopped."
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_S = 3.0  # for the main thread, which may be in native code or wait for a lock
_KILL_S = 1.0  # until killed processes are gone
_TRACKER = b"resource_tracker"  # Python's or loky's: removes what is left, and ends


@contextmanager
def ending_at_once() -> Iterator[None]:
    """End the process by the exit or the error raised inside, or by a signal.

    To be called once, first of all, in the main thread. A signal that was ignored when
    the process started (`nohup`, a background job of a script) stays ignored.
    """
    ending = _Ending()
    atexit.register(ending.end)  # the first one registered is the last one called
    try:
        yield
    except SystemExit as leaving:
        code = leaving.code
        ending.code = code if isinstance(code, int) else int(code is not None)
        raise


class _Ending:
    """The end of this process; at most one signal decides on its exit code.

    Attributes:
        code: The exit code if no signal came.
    """

    def __init__(self) -> None:
        """Listen to the signals from now on."""
        self.code = 1
        self._signal: int | None = None
        self._begun = False
        self._stderr: int | None = None
        with suppress(OSError):  # `cli.quiet` may hold fd 2, or it was closed
            self._stderr = os.dup(2)
        # Python runs `_handle` once its main thread has left native code. The number of
        # the signal is in the pipe at once.
        self._told, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="interruptions", daemon=True).start()
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def end(self) -> None:
        """End the process now; its results are written."""
        self._begun = True
        # A library that took the handler (Ray) may have made it an exit by now.
        self._signal = self._signal or self._next(0)
        for stream in (sys.stdout, sys.__stdout__, sys.stderr):
            with suppress(Exception):
                stream and stream.flush()
        self._end_without_streams()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._signal = self._signal or number
        if self._begun:
            return  # the watching thread deals with it
        self._begun = True
        if "multiprocessing.process" in sys.modules:  # it waits for them at exit
            for worker in sys.modules["multiprocessing.process"].active_children():
                worker.kill()
        atexit.unregister(self.end)  # others may be registered earlier
        atexit._run_exitfuncs()  # temporary folders, semaphores, a cluster
        self.end()

    def _watch(self) -> None:
        """End the process if the main thread does not, or if it is told to again."""
        self._signal = self._next(None)
        self._next(_GRACE_S)
        self._end_without_streams()  # the main thread may hold their locks

    def _next(self, timeout_s: float | None) -> int | None:
        """Return the next signal's number; None if there is none in time."""
        while select.select([self._told], [], [], timeout_s)[0]:
            number = os.read(self._told, 1)[0]
            if number in SIGNALS:
                return number
        return None

    def _end_without_streams(self) -> None:
        if self._signal is None:
            os._exit(self.code)
        _kill_descendants()
        if self._stderr is not None:
            # On a terminal the cursor may stand behind a progress bar.
            start = "\n" if os.isatty(self._stderr) else ""
            with suppress(OSError):
                os.write(self._stderr, f"{start}error: {SENTENCE}\n".encode())
        os._exit(128 + self._signal)


def _kill_descendants() -> None:
    """Kill what this process started, and what that started; wait until it is gone."""
    end = time.monotonic() + _KILL_S
    while (alive := _descendants()) and time.monotonic() < end:
        for process in alive:
            with suppress(OSError):  # gone meanwhile
                os.kill(process, signal.SIGKILL)
        time.sleep(0.01)


def _descendants() -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            # pid (name) state parent ...; the name may hold anything
            words = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            if words[0] not in (b"Z", b"X"):
                children.setdefault(int(words[1]), []).append(int(folder.name))
    found = [os.getpid()]
    for process in found:  # which grows
        found += children.get(process, [])
    return [process for process in found[1:] if not _is_tracker(process)]


def _is_tracker(process: int) -> bool:
    with suppress(OSError):
        return _TRACKER in Path(f"/proc/{process}/cmdline").read_bytes()
    return False
