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
from kerasfaces.tune import records, trial_results
from kerasfaces.tune.search import Search

_SHOWN = 12  # trials


class _Display:
    """A line on the whole search, a table of running trials, what they wait for."""

    def __init__(self, search: Search, console: Console) -> None:
        self._search = search
        self._tasks = Progress(
            TextColumn("{task.description}: {task.completed} of {task.total},"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=console,
        )

    def __rich__(self) -> Group:
        """Return what is to be seen now."""
        running = self._search.running()
        parts: list[RenderableType] = [
            Text(self._head(), no_wrap=True, overflow="ellipsis")
        ]
        if running:
            parts.append(self._table(running[:_SHOWN]))
        if len(running) > _SHOWN:
            parts.append(Text(f"... and {len(running) - _SHOWN} more"))
        return Group(*parts, self._tasks) if self._tasks.tasks else Group(*parts)

    @contextmanager
    def task(
        self, total: int, label: str, unit: str
    ) -> Iterator[Callable[[int], None]]:
        """Show something that is under way as a line; see `core.progress`."""
        task = self._tasks.add_task(f"{label}, {unit}s", total=total)
        try:
            yield lambda n: self._tasks.advance(task, n)
        finally:
            self._tasks.remove_task(task)

    def _table(self, trials: list[trial_results.Trial]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="")
        for name in ("trial", "epoch", self._search.study.objective, "left", ""):
            table.add_column(name, no_wrap=True, overflow="ellipsis")
        for trial in trials:
            folder = records.folder_of(self._search.folder, trial.trial_id)
            progress = records.read_progress(folder)
            values = " ".join(f"{k}={short(v)}" for k, v in trial.values.items())
            cells = ("", "", "") if progress is None else _cells(progress)
            table.add_row(trial.trial_id, *cells, Text(values))
        return table

    def _head(self) -> str:
        search, left_s = self._search, self._search.left_s()
        parts = [
            f"{search.study.title}: {len(search.ended())} of {search.oracle.total() or '?'} trials"
        ]
        for best in search.completed()[:1]:
            parts.append(
                f"best {search.study.objective} {best.score:.4f} ({best.trial_id})"
            )
        parts.append(f"{clock(search.passed_s())} so far")
        if left_s is not None:
            parts.append(f"about {clock(left_s)} left")
        return ", ".join(parts)


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
    display = _Display(search, console)
    live = Live(
        display,
        console=console,
        refresh_per_second=1,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with _logging_to(console), hosted_by(display.task), live:
        yield True


def trial_left_s(progress: Json) -> float:
    """Return how long a trial will take at most, at its pace so far."""
    done = (progress["repeat"] - 1) * progress["epochs"] + progress["epoch"]
    rest = progress["repeats"] * progress["epochs"] - done
    return float(progress["seconds"] / max(1, progress["trained"]) * rest)


def clock(seconds: float) -> str:
    """Return `1:02:03`, or `2:03` under an hour."""
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:").removeprefix("0")


def _cells(progress: Json) -> tuple[str, str, str]:
    """Return a trial's epoch, objective and time left."""
    several = progress["repeats"] > 1
    seed = f", seed {progress['repeat']}/{progress['repeats']}" if several else ""
    return (
        f"{progress['epoch']}/{progress['epochs']}{seed}",
        f"{progress['value']:.4f}",
        clock(trial_left_s(progress)),
    )


@contextmanager
def _logging_to(console: Console) -> Iterator[None]:
    """Write log lines above the table."""

    class ConsoleHandler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            console.print(self.format(record), markup=False, soft_wrap=True)

    logger, handler = logging.getLogger("kerasfaces"), ConsoleHandler()
    before = list(logger.handlers)
    formatters = [each.formatter for each in before if each.formatter]
    handler.setFormatter((formatters or [logging.Formatter("%(message)s")])[0])
    logger.handlers[:] = [handler]
    try:
        yield
    finally:
        logger.handlers[:] = before
