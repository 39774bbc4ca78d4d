"""The standard streams, made so that no command fails because of them.

Output may be closed, full, a pipe whose reader went away or one that takes nothing at the
moment, and its encoding may lack most characters. Work and files do not depend on it:
what cannot be written is dropped, and `lost` says why when the work is done.
"""

import codecs
import io
import os
import select
import sys
import time
from typing import Any, TextIO

# What reports and tables use; everything else is written as \uXXXX.
_PLAIN = {
    "–": "-",
    "—": "-",
    "−": "-",
    "…": "...",
    "×": "x",
    "±": "+-",
    "·": "-",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "→": "->",
    "≤": "<=",
    "≥": ">=",
}
_ERRORS = "kerasfaces.plain"
_RETRY_S = 0.01
_MODES = (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY)


def prepare() -> None:
    """Open what is closed, and replace this process's own stdout and stderr.

    A closed descriptor would be given to the next file that is opened, and what a
    library prints would be written into it. Processes started from now on write UTF-8.
    """
    _use_utf8_names()
    for number, mode in enumerate(_MODES):
        try:
            os.fstat(number)
        except OSError:
            _open_null(number, mode)
    codecs.register_error(_ERRORS, _plainly)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _guarded(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _guarded(sys.stderr, 2)
        os.environ["PYTHONIOENCODING"] = "utf-8"


def _use_utf8_names() -> None:
    """Start this process anew where file names are not read as UTF-8.

    The manifest would hold other names than under another locale. Python takes the
    encoding of names when it starts, and no later.
    """
    name = "PYTHONUTF8"
    if sys.getfilesystemencoding().lower() == "utf-8" or os.environ.get(name) == "1":
        return
    shown = getattr(sys.stdout or sys.stderr, "encoding", None) or "utf-8"
    os.environ[name] = "1"
    os.environ.setdefault("PYTHONIOENCODING", shown)  # what the terminal shows
    os.execv(sys.executable, sys.orig_argv)


def lost() -> OSError | None:
    """Return why results could not be written to stdout; None if they could."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw.error if isinstance(raw, _Outlet) else None


class _Outlet(io.RawIOBase):
    """Writes to a descriptor until that fails; then it takes everything and drops it.

    Attributes:
        error: The first failure.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number
        self.error: OSError | None = None

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return os.isatty(self._number)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        view = memoryview(data).cast("B")
        if self.error is None:
            try:
                return self._write(view)
            except OSError as error:
                self.error = error
        return len(view)

    def _write(self, view: memoryview) -> int:
        while True:
            try:
                return os.write(self._number, view)
            except BlockingIOError:  # a pipe that does not wait for its reader: we do
                if not hasattr(select, "poll"):  # Windows
                    time.sleep(_RETRY_S)
                    continue
                ready = select.poll()
                ready.register(self._number, select.POLLOUT)
                ready.poll()


def _guarded(stream: TextIO | None, number: int) -> TextIO:
    if stream is not None:
        try:
            stream.flush()
        except OSError:
            pass  # the outlet will meet the same failure, and keep it
    return io.TextIOWrapper(
        io.BufferedWriter(_Outlet(number)),
        encoding=(stream.encoding if stream is not None else "") or "utf-8",
        errors=_ERRORS,
        line_buffering=number == 2 or bool(stream and stream.isatty()),
        write_through=bool(getattr(stream, "write_through", False)),
    )


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding lacks in its letters: `×` as `x`, others in numbers."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    escaped = [
        _PLAIN.get(letter) or letter.encode("ascii", "backslashreplace").decode()
        for letter in letters
    ]
    return "".join(escaped), error.end


def _open_null(number: int, mode: int) -> None:
    opened = os.open(os.devnull, mode)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)
