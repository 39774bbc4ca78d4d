"""What all commands share: exit codes, logging, progress, optional imports.

Results go to stdout, everything else to stderr. A user's mistake ends in one sentence
and exit code 2, an interruption in 130 (SIGINT), 143 (SIGTERM) or 129 (SIGHUP).
"""

import argparse
import contextlib
import gc
import importlib
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import BinaryIO, NoReturn, cast

from kerasfaces import failures, interruptions, numerics, streams
from kerasfaces.errors import KerasfacesError, MissingExtraError
from kerasfaces.texts import safe

logger = logging.getLogger("kerasfaces")
_START_UP_THREADS = 4  # a core's, of TensorFlow
_PLAIN_PROGRESS_S = 10.0  # off a terminal: at most one line this often


def parser(
    stage: str, description: str, examples: Sequence[str]
) -> argparse.ArgumentParser:
    """Return an argument parser whose `--help` ends with examples, one command a line."""
    return argparse.ArgumentParser(
        prog=f"kerasfaces {stage}",
        description=description,
        epilog="examples:\n" + "\n".join(f"  {example}" for example in examples),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run(
    main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None = None
) -> NoReturn:
    """Run a command's `main(argv)` and exit the process with its code.

    Without `argv` the process is the command's own: its streams are prepared (see
    `streams`) and signals end it (see `interruptions`).
    """
    with contextlib.ExitStack() as stack:

        def begin(argv: Sequence[str] | None) -> int:
            if argv is None:
                stack.enter_context(interruptions.ending_at_once())
                numerics.settle_environment()
            return main(argv)

        if argv is None:
            streams.prepare()
        sys.exit(_code(begin, argv) or _unprinted())


def _code(
    main: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None
) -> int:
    """Run a command; return its exit code, having said what went wrong."""
    log_to_stderr()
    try:
        return main(argv)
    except KerasfacesError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return _fail(interruptions.SENTENCE, 130)
    except SystemExit as stop:  # argparse, which has printed what there was to say
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except Exception as error:
        told = failures.sentence(error)
        if told is None:
            raise
        return _fail(told)


def _unprinted() -> int:
    """Return 2 where results could not be printed, 0 where their reader only left."""
    sys.stdout.flush()
    error = streams.lost()
    if error is None or isinstance(error, BrokenPipeError):
        return 0
    return _fail(
        f"The results could not be printed (stdout: {error.strerror}); files are complete. "
        "Give stdout another place and run the same command again."
    )


def _fail(message: str, code: int = 2) -> int:
    sys.stderr.write(f"error: {safe(message)}\n")
    return code


class _Printable(logging.Formatter):
    """Makes control characters visible: names out of files reach a terminal here."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))


def log_to_stderr() -> None:
    """Show what the house logs; a command's own processes call it for themselves."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Printable("%(levelname)s: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)


Host = Callable[[int, str, str], AbstractContextManager[Callable[[int], None]]]
_hosts: list[Host] = []


@contextmanager
def hosted_by(host: Host) -> Iterator[None]:
    """Let something else that draws on the terminal show all progress inside.

    Args:
        host: Called as `progress` is.
    """
    _hosts.append(host)
    try:
        yield
    finally:
        _hosts.pop()


@contextmanager
def progress(
    total: int, label: str, unit: str = "image"
) -> Iterator[Callable[[int], None]]:
    """Show progress on stderr: a bar on a terminal, a plain line now and then elsewhere.

    Args:
        total: How many units there are in all.
        label: What is being done.
        unit: One unit's name.

    Yields:
        A function that adds `n` finished units.
    """
    if _hosts:
        with _hosts[-1](total, label, unit) as host_add:
            yield host_add
        return
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=label, unit=f" {unit}", dynamic_ncols=True) as bar:
            yield lambda n: (bar.update(n), None)[1]
        return
    started = last = time.monotonic()
    done = 0

    def add(n: int) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= _PLAIN_PROGRESS_S:
            last = now
            rate = done / (now - started)
            left_s = (total - done) / rate if rate else float("nan")
            logger.info(
                "%s: %d of %d, %.0f %ss/s, %.0f s left",
                label,
                done,
                total,
                rate,
                unit,
                left_s,
            )

    yield add


def _unnamed_file() -> BinaryIO:
    """Return an empty file; in memory where the system can, whatever the disk is like."""
    if hasattr(os, "memfd_create"):
        return open(os.memfd_create("chatter"), "w+b")
    return cast("BinaryIO", tempfile.TemporaryFile())


@contextmanager
def quiet(*, tell: bool = True) -> Iterator[None]:
    """Hold back what libraries write to stderr.

    TensorFlow's C++ side writes to file descriptor 2 before any log level applies.

    Args:
        tell: Show it after all when something fails.
    """
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
    # A million imported objects that live to the end: looking through them again in every
    # full collection costs a fifth of a second each time.
    gc.freeze()


def _require_threads() -> None:
    """Fail with an error where TensorFlow, short of threads, would abort the process.

    Raises:
        RuntimeError: The system gives no more threads.
    """
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
