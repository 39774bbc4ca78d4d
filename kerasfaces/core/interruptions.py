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
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

SENTENCE = "Interrupted; the same command continues where it stopped."
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)  # Windows has no terminals that hang up
]
_GRACE_S = 3.0  # for the main thread, which may be in native code or wait for a lock
_CLEAN_S = 2.0  # for removing what is temporary
_KILL_S = 1.0  # until killed processes are gone
_WORKER = "kerasfaces.core.engine"
_TRACKER = "resource_tracker"  # Python's or loky's: removes what is left, and ends

starting = threading.RLock()  # held while a worker starts, and from the end's begin on


@contextmanager
def ending_at_once() -> Iterator[None]:
    """End the process by the exit or the error raised inside, or by a signal.

    To be called once, first of all, in the main thread. A signal that was ignored when
    the process started (`nohup`, a background job of a script) stays ignored.
    """
    import psutil  # noqa: F401 - whole before a signal can come while it is imported

    ending = _Ending()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)
    atexit.register(ending.end)  # the first one registered is the last one called
    try:
        yield
    except SystemExit as leaving:
        code = leaving.code
        ending.code = code if isinstance(code, int) else int(code is not None)
        raise


@contextmanager
def answered_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Leave the signals to `handle` meanwhile, in the main thread: it ends the work itself.

    A service finishes what it accepted, which takes longer than other commands may.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    wakeup = signal.set_wakeup_fd(-1)
    before = {
        number: signal.signal(number, handle)
        for number in SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)


def _forget() -> None:
    """Leave a forked process alone: what it is told is no word to this one."""
    signal.set_wakeup_fd(-1)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


class _Ending:
    """The end of this process; the first signal, if one comes, decides on its exit code.

    Attributes:
        code: The exit code if no signal came.
    """

    def __init__(self) -> None:
        self.code = 1
        self._signal: int | None = None
        self._cleaning = threading.Lock()  # held by the thread that does it
        self._stderr: int | None = None
        with suppress(OSError):  # of its own: `imports.quiet` takes fd 2 for a while
            self._stderr = os.dup(2)
        # Python runs `_handle` once its main thread has left native code. The number of
        # the signal is in the socket at once; Windows takes no pipe here.
        self._wakeup, self._write_end = socket.socketpair()
        self._wakeup.setblocking(False)
        self._write_end.setblocking(False)
        self._receiving = threading.RLock()  # from the socket into `_signal`
        signal.set_wakeup_fd(self._write_end.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, name="interruptions", daemon=True).start()
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def end(self) -> None:
        """End the process now, its output written."""
        for stream in (sys.stdout, sys.__stdout__, sys.stderr):
            with suppress(Exception):
                stream and stream.flush()
        # A library that took the handler (Ray) may have made the signal an exit.
        self._next(0)
        with self._receiving:  # `_watch` may have received it just now
            self._end_without_streams()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._signal = self._signal or number
        if self._cleaning.acquire(blocking=False):
            try:
                self._clean_up()
            finally:  # an error would go on in the main thread, which might catch it
                self.end()
        while True:  # not a step further: the other thread ends the process
            time.sleep(1)

    def _watch(self) -> None:
        """End the process if the main thread does not, or if it is told to again."""
        self._next(None)
        self._next(_GRACE_S)
        if self._cleaning.acquire(blocking=False):
            cleaning = threading.Thread(target=self._clean_up, daemon=True)
            cleaning.start()
            cleaning.join(_CLEAN_S)
        self._end_without_streams()  # the main thread may hold their locks

    def _clean_up(self) -> None:
        """Remove temporary folders, semaphores and the like as the interpreter would."""
        # What other threads meet meanwhile, such as closed files, is nobody's concern.
        sys.unraisablehook = lambda _: None
        threading.excepthook = lambda _: None
        atexit.unregister(self.end)  # others may be registered earlier
        starting.acquire(timeout=_KILL_S)
        _kill_descendants(_WORKER)
        atexit._run_exitfuncs()

    def _next(self, timeout_s: float | None) -> int | None:
        """Return the next signal's number, the first one kept; None if none is in time."""
        while select.select([self._wakeup], [], [], timeout_s)[0]:
            with self._receiving, suppress(BlockingIOError):  # another thread was first
                number = self._wakeup.recv(1)[0]
                if number in SIGNALS:
                    self._signal = self._signal or number
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


def _kill_descendants(command: str = "") -> None:
    """Kill what this process started, and what that started; wait until it is gone.

    Args:
        command: Kill only processes whose command line contains this.
    """
    import psutil

    end = time.monotonic() + _KILL_S
    while (alive := _descendants(command)) and time.monotonic() < end:
        for process in alive:
            with suppress(psutil.Error):  # gone meanwhile
                process.kill()
        time.sleep(0.01)


def _descendants(command: str) -> "list[psutil.Process]":
    import psutil

    processes = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # gone meanwhile
            line = " ".join(process.cmdline())
            alive = process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
            if alive and command in line and _TRACKER not in line:
                processes.append(process)
    return processes
