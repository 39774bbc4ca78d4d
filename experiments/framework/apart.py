"""A job in a process of its own, which takes its memory along and may crash alone."""

import os
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from experiments.framework import launch
from experiments.framework.launch import Job
from kerasfaces import cli
from kerasfaces.core import machine, workers
from kerasfaces.core.errors import RunError
from kerasfaces.core.imports import import_keras

Work = Callable[[Job], tuple[dict[str, Any], str]]


def execute(job: Job, work: Work = launch.execute) -> tuple[dict[str, Any], str]:
    """Return what `work(job)` returns, in a fresh process; raise what it raises.

    Raises:
        RunError: The process was killed, or crashed.
    """
    context = workers.Fresh()
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(sender, os.getpid(), job, work))
    child.start()
    sender.close()  # the child's copy is the last one: its end is the end of the pipe
    try:
        found = receiver.recv()
    except EOFError:
        child.join()
        raise RunError(
            f"its process ended with code {child.exitcode}: no memory left, killed, or a "
            "crash. The same command continues."
        ) from None
    finally:
        child.kill()
        child.join()
    if isinstance(found, BaseException):
        raise found
    results: tuple[dict[str, Any], str] = found
    return results


def _serve(sender: Connection, parent: int, job: Job, work: Work) -> None:
    machine.end_with(parent)
    cli.log_to_stderr()
    import_keras()
    try:
        found: Any = work(job)
    except Exception as error:  # noqa: BLE001 - raised by `execute`
        error.add_note(traceback.format_exc())  # tracebacks do not travel
        found = error
    sender.send(found)
