"""Imports of what is heavy, chatty or optional."""

import contextlib
import importlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import BinaryIO, cast

from kerasfaces.core import numerics
from kerasfaces.core.errors import KerasfacesError, MissingExtraError

logger = logging.getLogger(__name__)
_START_UP_THREADS = 4  # a core's, of TensorFlow
_is_own_process = False


def own_process() -> None:
    """Say that this process is a command or a worker: its descriptors are ours.

    In somebody's program or notebook they are not, and `quiet` leaves them alone.
    """
    global _is_own_process
    _is_own_process = True


def _unnamed_file() -> BinaryIO:
    """Return an empty file; in memory where the system can, whatever the disk is like."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("chatter"), "w+b")
    return cast("BinaryIO", tempfile.TemporaryFile())


@contextmanager
def quiet(*, tell: bool = True) -> Iterator[None]:
    """Hold back what libraries write to stderr, in a process of ours.

    TensorFlow's C++ side writes to file descriptor 2 before any log level applies.

    Args:
        tell: Show it after all when something fails.
    """
    if not _is_own_process:
        yield
        return
    sys.stderr.flush()
    saved = os.dup(2)
    with _unnamed_file() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except BaseException as error:
            chatter.seek(0)
            if tell and not isinstance(error, KerasfacesError):
                sys.stderr.flush()
                with contextlib.suppress(OSError):
                    os.write(saved, chatter.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


def import_keras() -> None:
    """Import Keras and its backend without the backend's start-up chatter.

    Raises:
        KerasfacesError: See `numerics.import_keras`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    _require_threads()
    with quiet():
        numerics.import_keras()
        gpu_problem = numerics.gpu_problem()  # the first look at GPUs chatters, too
    if gpu_problem:
        logger.warning("%s", gpu_problem)
    if _is_own_process:  # in a program or notebook the level is its own
        # Above it are advices to whoever writes the code, such as on tracing.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _require_threads() -> None:
    """Fail with an error where TensorFlow, short of threads, would abort the process."""
    wanted, end = _START_UP_THREADS * (os.cpu_count() or 1), threading.Event()
    started: list[threading.Thread] = []
    try:
        for _ in range(wanted):
            started.append(threading.Thread(target=end.wait))
            started[-1].start()
    finally:
        end.set()
        for thread in started:
            if thread.ident is not None:
                thread.join()


def optional_import(module: str, extra: str) -> ModuleType:
    """Import an optional dependency.

    Raises:
        MissingExtraError: It is not installed, or its installation is broken (a library
            or version it needs is not there); the message gives the pip command.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"{module} is not installed; run: pip install 'kerasfaces[{extra}]'"
        ) from error
    except ImportError as error:
        reason = " ".join(str(error).split())
        raise MissingExtraError(
            f"{module} is installed but cannot be imported ({reason}); run: "
            f"pip install --force-reinstall 'kerasfaces[{extra}]'"
        ) from error
