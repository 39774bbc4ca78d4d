"""A job in a process of its own, which takes its memory along and may crash alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experiments.framework import launch
from experiments.framework.launch import Job
from kerasfaces.core import engine, logs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import RunError
from kerasfaces.core.imports import import_keras

Work = Callable[[Job], tuple[dict[str, Any], str]]


def execute(job: Job, work: Work = launch.execute) -> tuple[dict[str, Any], str]:
    """Return what `work(job)` returns, in a fresh process; raise what it raises.

    Raises:
        RunError: The process was killed, or crashed.
    """
    one = Engine(workers=1)
    with engine.pool(_Apart(work), one, retries=0, label=job.name, apart=True) as pool:
        pool.submit(job.name, job)
        outcome = pool.next()
    if outcome.value is None:
        raise RunError(f"{outcome.error}. The same command continues.")
    return outcome.value


@dataclass(frozen=True)
class _Apart:
    work: Work

    def __call__(self, job: Job) -> tuple[dict[str, Any], str]:
        logs.log_to_stderr()
        import_keras()
        return self.work(job)
