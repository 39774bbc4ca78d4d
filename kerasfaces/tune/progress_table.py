"""A table of the running trials at the foot of the terminal, redrawn every second.

Trials write how far they are into `trial_*/progress.json`, whichever process trains them.
Log lines scroll past above the table, progress bars of what happens inside (images,
features) become lines of it. Where stderr is no terminal there is no table.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from kerasfaces.core.files import Json
from kerasfaces.core.progress import hosted_by
from kerasfaces.metrics.main_effects import short
from kerasfaces.run import trials as records
from kerasfaces.tune.search import Search

_SHOWN = 12  # trials


@contextmanager
def showing(search: Search, stream: TextIO | None = None) -> Iterator[bool]:
    """Show the table while inside, if `stream` (stderr if None) is a terminal.

    Yields:
        Whether it is shown.
    """
    console = Console(file=stream, stderr=stream is None, highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        yield False
        return
    tasks = Progress(
        TextColumn("{task.description}: {task.completed} of {task.total},"),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        console=console,
    )

    @contextmanager
    def as_line(total: int, label: str, unit: str) -> Iterator[Callable[[int], None]]:
        task = tasks.add_task(f"{label}, {unit}s", total=total)
        try:
            yield lambda n: tasks.advance(task, n)
        finally:
            tasks.remove_task(task)

    live = Live(
        console=console,
        get_renderable=lambda: _view(search, tasks),
        refresh_per_second=1,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with _logging_to(console), hosted_by(as_line), live:
        yield True


def _view(search: Search, tasks: Progress) -> Group:
    """Return a line on the whole search, running trials, and what they wait for."""
    running = search.running()
    parts: list[RenderableType] = [
        Text(_head(search), no_wrap=True, overflow="ellipsis")
    ]
    if running:
        table = Table(box=None, pad_edge=False, header_style="")
        for name in ("trial", "epoch", search.study.objective, "left", ""):
            table.add_column(name, no_wrap=True, overflow="ellipsis")
        for trial in running[:_SHOWN]:
            folder = records.folder_of(search.folder, trial.trial_id)
            values = " ".join(f"{k}={short(v)}" for k, v in trial.values.items())
            cells = _cells(records.read_progress(folder))
            table.add_row(trial.trial_id, *cells, Text(values))
        parts.append(table)
    if len(running) > _SHOWN:
        parts.append(Text(f"... and {len(running) - _SHOWN} more"))
    return Group(*parts, *[tasks] * bool(tasks.tasks))


def _head(search: Search) -> str:
    n_ended, total = len(search.ended()), search.oracle.total() or "?"
    best = f"best {search.study.objective}"
    parts = [f"{search.study.title}: {n_ended} of {total} trials"]
    parts += [f"{best} {t.score:.4f} ({t.trial_id})" for t in search.completed()[:1]]
    parts.append(f"{clock(search.passed_s())} so far")
    if (left_s := search.left_s()) is not None:
        parts.append(f"about {clock(left_s)} left")
    return ", ".join(parts)


def trial_left_s(progress: Json) -> float:
    """Return how long a trial will take at most, at its pace so far."""
    done = (progress["repeat"] - 1) * progress["epochs"] + progress["epoch"]
    rest = progress["repeats"] * progress["epochs"] - done
    return float(progress["seconds"] / max(1, progress["trained"]) * rest)


def clock(seconds: float) -> str:
    """Return `1:02:03`, or `2:03` under an hour."""
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:").removeprefix("0")


def _cells(progress: Json | None) -> tuple[str, str, str]:
    """Return a trial's epoch, objective and time left."""
    if progress is None:
        return "", "", ""
    epoch = "{epoch}/{epochs}".format_map(progress)
    if progress["repeats"] > 1:
        epoch += ", seed {repeat}/{repeats}".format_map(progress)
    return epoch, f"{progress['value']:.4f}", clock(trial_left_s(progress))


@contextmanager
def _logging_to(console: Console) -> Iterator[None]:
    """Write log lines above the table."""

    class ConsoleHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.print(self.format(record), markup=False, soft_wrap=True)

    logger, handler = logging.getLogger("kerasfaces"), ConsoleHandler()
    before = list(logger.handlers)
    handler.setFormatter(next((h.formatter for h in before if h.formatter), None))
    logger.handlers[:] = [handler]
    try:
        yield
    finally:
        logger.handlers[:] = before
