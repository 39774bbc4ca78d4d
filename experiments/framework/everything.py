"""All experiments one after another, and one page of what they found.

Each works in a folder of its own under one folder; trainings and channel stores that
several ask for are made once. What breaks is named, its traceback kept in `failures/`, and
the rest goes on; the hours of all of them count together.
"""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.framework import apart, failures, index, launch
from experiments.framework.launch import Job
from kerasfaces.core.errors import OutOfBudgetError
from kerasfaces.core.files import write_text

logger = logging.getLogger("kerasfaces.experiments")

_FIRST = ("systems", "kabber2023", "tian2023", "mudgal2023", "yu2024", "frozen_base")
_LAST = ("best_study", "wan2023")  # they take what hours there are


def order(names: Sequence[str]) -> list[str]:
    """Return the experiments in the order in which they run: the widest first."""
    first = [name for name in _FIRST if name in names]
    last = [name for name in _LAST if name in names]
    return [*first, *(n for n in names if n not in (*first, *last)), *last]


def together(job: Job, folder: Path) -> Job:
    """Return a job that shares trainings, stores and hours with the others of a folder."""
    context = dataclasses.replace(
        job.context,
        stores=job.context.stores or folder / "stores",
        runs=job.context.runs or folder / "runs",
        hours_of=folder,
    )
    return dataclasses.replace(job, context=context)


def run(jobs: Sequence[Job], folder: Path, show: Callable[[str], None]) -> int:
    """Run jobs and write `folder/index.html`; return 1 where something failed, else 0.

    Args:
        jobs: In order, each in `folder/<name>`.
        folder: Of all.
        show: Called with what each prints.
    """
    outcomes = []
    for number, job in enumerate(jobs, start=1):
        logger.info("%s, %d of %d", job.name, number, len(jobs))
        outcome = _one(together(job, folder), folder)
        outcomes.append(outcome)
        show(outcome.printed)
    page = folder / "index.html"
    write_text(page, index.render(folder, outcomes))
    show(_ending(outcomes, page))
    return int(any(each.broken for each in outcomes))


def _one(job: Job, folder: Path) -> index.Done:
    name, titles = job.name, job.module.TITLES
    try:
        results, printed = apart.execute(job)
    except OutOfBudgetError as error:
        return index.Done(name, titles, None, f"{name}\n\n{error}\n", str(error))
    except Exception as error:  # noqa: BLE001 - named in the page, traceback kept
        return _broken(job, folder, error)
    broken = launch.failures(results)
    return index.Done(name, titles, results, printed, "", broken)


def _broken(job: Job, folder: Path, error: Exception) -> index.Done:
    why = failures.keep(folder, job.name, error)
    printed = f"{job.name}\n\n{why}\n"
    broken = {"all of it": why}
    return index.Done(job.name, job.module.TITLES, None, printed, "", broken)


def _ending(outcomes: Sequence[index.Done], page: Path) -> str:
    lines = []
    for each in outcomes:
        lines += [f"{each.name}, {line}: {why}" for line, why in each.broken.items()]
        if each.waiting:
            lines.append(f"{each.name}: {each.waiting}")
    return "\n".join([*lines, f"page: {page}"])
