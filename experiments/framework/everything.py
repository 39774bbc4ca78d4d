"""All experiments one after another, and one page of their results.

Each works in a folder of its own under one folder; trainings and channel stores that
several ask for are made once. What breaks is named, its traceback written to `failures/`,
and the rest goes on; the hours of all of them count together. The page has the systems
first, then every table.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from experiments.framework import blocks, failures, launch
from experiments.framework.hours import total_s
from experiments.framework.launch import Job
from kerasfaces.core import engine, logs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import OutOfBudgetError, RunError
from kerasfaces.core.files import write_text
from kerasfaces.core.imports import import_keras
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import Section, tag

logger = logging.getLogger("kerasfaces.experiments")

_SYSTEMS = "systems"
_FIRST = (_SYSTEMS, "kabber2023", "tian2023", "mudgal2023", "yu2024", "frozen_base")
_LAST = ("best_study", "wan2023")  # they take what hours there are
Work = Callable[[Job], tuple[dict[str, Any], str]]


@dataclasses.dataclass(frozen=True)
class Ending:
    """How an experiment ended.

    Attributes:
        name: Name of the experiment.
        titles: Table -> heading.
        results: Content of its results.json; None where it came to no end.
        printed: Text for the terminal.
        waiting: Why it is not finished, where nothing is wrong; empty else.
        broken: Row of a table -> reason why its training or measurement failed.
    """

    name: str
    titles: Mapping[str, str]
    results: Mapping[str, Any] | None
    printed: str
    waiting: str = ""
    broken: Mapping[str, str] = dataclasses.field(default_factory=dict)


def order(names: Sequence[str]) -> list[str]:
    """Return the experiments in the order in which they run: the widest first."""
    first = [name for name in _FIRST if name in names]
    last = [name for name in _LAST if name in names]
    return [*first, *(n for n in names if n not in (*first, *last)), *last]


def run(jobs: Sequence[Job], folder: Path, show: Callable[[str], None]) -> int:
    """Run jobs and write `folder/index.html`; return 1 where something failed, else 0.

    Args:
        jobs: In order, each in `folder/<name>`.
        folder: Folder of all experiments.
        show: Called with what each prints.
    """
    endings = []
    for number, job in enumerate(jobs, start=1):
        logger.info("%s, %d of %d", job.name, number, len(jobs))
        ending = _run_one(_sharing(job, folder), folder)
        endings.append(ending)
        show(ending.printed)
    page = folder / "index.html"
    write_text(page, render(folder, endings))
    show("\n".join([*problems(endings), f"page: {page}"]))
    return int(any(ending.broken for ending in endings))


def in_own_process(job: Job, work: Work = launch.execute) -> tuple[dict[str, Any], str]:
    """Return what `work(job)` returns, in a fresh process; raise what it raises.

    A process takes its memory along and crashes alone.

    Raises:
        RunError: The process was killed, or crashed.
    """
    task = functools.partial(_with_keras, work)
    with engine.pool(
        task, Engine(workers=1), retries=0, label=job.name, apart=True
    ) as pool:
        pool.submit(job.name, job)
        outcome = pool.next()
    if outcome.value is None:
        raise RunError(f"{outcome.error}. The same command continues.")
    return outcome.value


def _with_keras(work: Work, job: Job) -> tuple[dict[str, Any], str]:
    logs.log_to_stderr()
    import_keras()
    return work(job)


def _sharing(job: Job, folder: Path) -> Job:
    """Return a job that shares trainings, stores and hours with the others of a folder."""
    context = dataclasses.replace(
        job.context,
        stores=job.context.stores or folder / "stores",
        runs=job.context.runs or folder / "runs",
        hours_of=folder,
    )
    return dataclasses.replace(job, context=context)


def _run_one(job: Job, folder: Path) -> Ending:
    name, titles = job.name, job.module.TITLES
    try:
        results, printed = in_own_process(job)
    except OutOfBudgetError as error:
        return Ending(name, titles, None, f"{name}\n\n{error}\n", str(error))
    except Exception as error:  # noqa: BLE001 - named in the page, traceback in a file
        why = failures.write(folder, name, error)
        printed = f"{name}\n\n{why}\n"
        return Ending(name, titles, None, printed, "", {"all of it": why})
    return Ending(name, titles, results, printed, "", launch.failures(results))


def render(folder: Path, endings: Sequence[Ending]) -> str:
    """Return the page.

    Args:
        folder: Folder of all experiments; links are relative to it.
        endings: Of the experiments, in the order they ran.
    """
    from experiments.systems import page

    parts: list[tuple[str, Section]] = []
    finished = [each for each in endings if each.results is not None]
    for each in finished:
        if each.name == _SYSTEMS and each.results is not None:
            parts += page.sections(each.results)
    parts.append(("experiments", _overview(folder, endings)))
    parts += [(each.name, _experiment(folder, each)) for each in finished]
    return pages.page(
        "All experiments",
        "kerasfaces experiments",
        [*dict.fromkeys(_quick_notes(endings)), *problems(endings)],
        parts,
        "Every number has its own table, data and n; an experiment's splits, seeds and "
        "notes stand under its name. Thresholds, epochs and trials were chosen on validation. "
        "A document's numbers are of its own images.",
    )


def _quick_notes(endings: Sequence[Ending]) -> Iterator[str]:
    for each in endings:
        notes = each.results["notes"] if each.results is not None else []
        yield from (note for note in notes if note.startswith("--quick"))


def problems(endings: Sequence[Ending]) -> list[str]:
    """Return what failed in any experiment, then what is not finished."""
    failed = [
        f"{each.name}, {line}: {why}"
        for each in endings
        for line, why in each.broken.items()
    ]
    return failed + [f"{each.name}: {each.waiting}" for each in endings if each.waiting]


def _overview(folder: Path, endings: Sequence[Ending]) -> Section:
    rows = []
    for each in endings:
        if each.results is None:
            state = each.waiting or "; ".join(each.broken.values())
            rows.append([each.name, state, markup.MISSING, markup.MISSING])
            continue
        statuses = [row["status"] for row in each.results["rows"]]
        left = {s: statuses.count(s) for s in dict.fromkeys(statuses) if s != "run"}
        state = f"{statuses.count('run')} rows" + "".join(
            f", {count} {status}" for status, count in left.items()
        )
        link = tag("a", each.name, href=f"#{each.name}")
        rows.append(
            [link, state, f"{each.results['hours']:.2f}", each.results["commit"][:7]]
        )
    header = ["Experiment", "Came to", "Hours", "Commit"]
    lead = markup.paragraph(_machine(folder, endings))
    table = markup.table("All of them", header, rows, numeric=False)
    return Section("Experiments", lead + table)


def _machine(folder: Path, endings: Sequence[Ending]) -> str:
    hours = f"{total_s(folder) / 3600:.2f} hours in all"
    results = next((e.results for e in endings if e.results is not None), None)
    if results is None:
        return f"{hours}."
    machine = results.get("machine", {})
    budget = machine.get("budget_hours")
    limit = "" if budget is None else f", of {budget:g} that were given"
    return f"{results['rows'][0]['data']}. {machine.get('text', '')}; {hours}{limit}."


def _experiment(folder: Path, ending: Ending) -> Section:
    """Return an experiment's tables, its circumstances, and links to its runs."""
    results = ending.results or {}
    details = (
        blocks.circumstances(results),
        blocks.reports(folder / ending.name, folder),
    )
    body = [
        *blocks.tables(results, ending.titles),
        *(markup.details(part.title, part.html) for part in details),
    ]
    return Section(ending.name, Markup("").join(body))
