"""What the operating system refuses, in one sentence that says where and what to do.

Libraries wrap such failures in errors of their own (HDF5, SQLite, TensorFlow, a loader of
shared libraries); they are known by the system's words for them.
"""

import errno
import os
import re
import sqlite3
from collections.abc import Iterator

from kerasfaces.core import homes
from kerasfaces.core.errors import KerasfacesError

_AGAIN = "then run the same command again: nothing finished was lost, and it continues"
_THREADS = (
    "raise the limit on processes and threads (ulimit -u, or the container's), or end "
    "other programs"
)
_ADVICE = {
    errno.ENOSPC: "free some room",
    errno.EDQUOT: "free some room (your quota is used up)",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "mend its permissions, or choose another folder",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "end other programs (the whole system has too many files open)",
    errno.EIO: "check the disk or network drive, which fails",
    errno.ESTALE: "mount the network drive again, which was removed or replaced",
    errno.ENOTCONN: "mount the network drive again, which is gone",
    errno.ENODEV: "mount the drive again, which is gone",
    errno.ETIMEDOUT: "check the network or its drive, which does not answer",
    errno.ENOMEM: "end other programs, or work on less at a time",
    errno.EAGAIN: _THREADS,
}
_BAD_PATH = (
    errno.EEXIST,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ENAMETOOLONG,
    errno.ENOENT,
    errno.EPERM,
    errno.ELOOP,
    errno.EINVAL,
)
_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CACHE_HELPS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.ENOENT,
    errno.EEXIST,
    errno.EIO,
    errno.ESTALE,
)
_SQLITE = {
    "database or disk is full": errno.ENOSPC,
    "disk I/O error": errno.EIO,
    "unable to open database file": errno.EACCES,
    "attempt to write a readonly database": errno.EROFS,
    "out of memory": errno.ENOMEM,
}
_LOADER = {
    "failed to map segment": errno.ENOMEM,
    "cannot allocate memory": errno.ENOMEM,
}
_NUMBER = re.compile(r"errno = (\d+)|\[Errno (\d+)\]")
_CHAIN = 8  # errors behind an error that are looked at


def sentence(error: BaseException) -> str | None:
    """Return what a failure of the system comes to; None where it is a defect of ours.

    Args:
        error: Any exception that a command let through.
    """
    if isinstance(error, sqlite3.Error):
        code = next((n for text, n in _SQLITE.items() if text in str(error)), None)
        return None if code is None else _with_reason(code, _cache_name())
    if isinstance(error, OSError) and error.errno is not None:
        return _with_reason(error.errno, _name_of(error))
    for behind in _behind(error):
        if isinstance(behind, MemoryError):
            words = " ".join(str(behind).split())[:200].rstrip(".")
            what = f"Memory ran out ({words})" if words else "Memory ran out"
            return _advised(what, _ADVICE[errno.ENOMEM])
        if isinstance(behind, RuntimeError) and "start new thread" in str(behind):
            return _advised("No further thread could be started", _THREADS)
        code = behind.errno if isinstance(behind, OSError) else _code_in(str(behind))
        if code in _ADVICE and code != errno.EACCES:
            name = _name_of(behind) if isinstance(behind, OSError) else ""
            return _with_reason(code, name)
    if isinstance(error, OSError) and not isinstance(error, KerasfacesError):
        words = " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
        return _advised(words, "mend that")
    return None


def _with_reason(code: int, name: str) -> str:
    reason = os.strerror(code)
    if code in _BAD_PATH and name and not _in_cache(name):
        return f"{name}: {reason}; choose another path."
    if name:
        written = code in _WRITING
        reason = f"{reason} while writing {name}" if written else f"{name}: {reason}"
    advice = _ADVICE.get(code, "mend that")
    if name and _in_cache(name) and code in _CACHE_HELPS:
        advice += ", or set KERASFACES_CACHE to a folder that can be written"
        advice = advice.removeprefix("mend that, or ")
    return _advised(reason, advice)


def _advised(what: str, advice: str) -> str:
    return f"{what}; {advice}, {_AGAIN}."


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what led to it."""
    behind: BaseException | None = error
    for _ in range(_CHAIN):
        if behind is None:
            return
        yield behind
        behind = behind.__cause__ or behind.__context__


def _code_in(text: str) -> int:
    """Return the system's error number that a library's message speaks of, or 0."""
    if number := _NUMBER.search(text):
        return int(number[1] or number[2])
    words = {os.strerror(code): code for code in _ADVICE} | _LOADER
    return next((code for word, code in words.items() if word in text), 0)


def _name_of(error: OSError) -> str:
    names = [error.filename, error.filename2]
    return next((os.fsdecode(n) for n in names if isinstance(n, str | bytes)), "")


def _in_cache(name: str) -> bool:
    root = _cache_name()
    if not root:
        return False
    own, path = os.path.abspath(root), os.path.abspath(name)
    return path == own or path.startswith(own + os.sep) or own.startswith(path + os.sep)


def _cache_name() -> str:
    try:
        return str(homes.cache_root())
    except KerasfacesError:
        return ""
