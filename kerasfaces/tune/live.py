"""A table of the running trials at the foot of the terminal, redrawn every second.

Trials say how far they are in `trial_*/progress.json` (`progress`), so it
does not matter which process trains them. Log lines scroll past above the table, and
progress bars of what happens inside (images, features) become lines of it. Where stderr
is no terminal there is no table: plain lines, as from every other command.
"""

import dataclasses
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from kerasfaces.core.progress import hosted_by
from kerasfaces.tune import progress
from kerasfaces.tune.announce import left_s
from kerasfaces.tune.effects import short
from kerasfaces.tune.study import Study

_PAUSE_S = 1.0
_MOST = 12  # trials shown


@dataclasses.dataclass(frozen=True)
class Running:
    """One trial that somebody trains.

    Attributes:
        trial_id: Which.
        worker: Who.
        values: Its hyperparameters.
        progress: What it last said; None before its first word.
    """

    trial_id: str
    worker: str
    values: Mapping[str, Any]
    progress: Mapping[str, Any] | None


def table(
    study: Study,
    running: Sequence[Running],
    tasks: Sequence[str],
    head: str,
    width: int,
) -> list[str]:
    """Return the lines to show, none wider than the terminal.

    Args:
        study: The study.
        running: Trials in work.
        tasks: Lines about what happens inside.
        head: The first line.
        width: Of the terminal, in letters.
    """
    cells = [["trial", "by", "epoch", study.objective, "left", ""]]
    for one in running[:_MOST]:
        said = one.progress
        values = " ".join(f"{name}={short(each)}" for name, each in one.values.items())
        if said is None:
            cells.append([one.trial_id, one.worker, "", "", "", values])
            continue
        seeds = (
            f", seed {said['repeat']}/{said['repeats']}" if said["repeats"] > 1 else ""
        )
        cells.append(
            [
                one.trial_id,
                one.worker,
                f"{said['epoch']}/{said['epochs']}{seeds}",
                f"{said['value']:.4f}",
                clock(trial_left_s(said)),
                values,
            ]
        )
    columns = range(len(cells[0]))
    widths = [max(len(row[i]) for row in cells) for i in columns]
    lines = [head]
    if running:
        lines += [
            "  ".join(row[i].ljust(widths[i]) for i in columns).rstrip()
            for row in cells
        ]
    if len(running) > _MOST:
        lines.append(f"... and {len(running) - _MOST} more")
    return [line[: max(1, width - 1)] for line in [*lines, *tasks]]


def trial_left_s(said: Mapping[str, Any]) -> float:
    """Return how long a trial will take at most, at its pace so far."""
    done = (said["repeat"] - 1) * said["epochs"] + said["epoch"]
    rest = said["repeats"] * said["epochs"] - done
    return float(said["seconds"] / max(1, said["trained"]) * rest)


def clock(seconds: float) -> str:
    """Return `1:02:03`, or `2:03` under an hour."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return (
        f"{hours}:{minutes:02d}:{whole % 60:02d}"
        if hours
        else f"{minutes}:{whole % 60:02d}"
    )


class Painter:
    """Keeps some lines at the foot of a terminal."""

    def __init__(self, stream: TextIO) -> None:
        """Draw nothing yet."""
        self._stream, self._drawn = stream, 0
        self._lock = threading.RLock()
        self._lines: list[str] = []

    def draw(self, lines: Sequence[str]) -> None:
        """Replace the lines."""
        with self._lock:
            self._lines = list(lines)
            self._write("")

    def above(self, text: str) -> None:
        """Write a line that stays, above the others."""
        with self._lock:
            self._write(text + "\n")

    def _write(self, text: str) -> None:
        # Up to the first of the lines, then erase to the end of the screen.
        back = f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
        shown = "".join(f"{line}\n" for line in self._lines)
        self._stream.write(back + text + shown)
        self._stream.flush()
        self._drawn = len(self._lines)


class Live:
    """What is shown while a search runs; use `showing`."""

    def __init__(
        self, study: Study, oracle: Any, folder: Path, painter: Painter
    ) -> None:
        """Remember what to look at."""
        self._study, self._oracle, self._folder = study, oracle, folder
        self._painter = painter
        self._tasks: dict[int, tuple[str, int, int, float]] = {}
        self._started, self._before = time.monotonic(), len(oracle.ended())

    def refresh(self) -> None:
        """Look at the trials and draw."""
        running = [
            Running(
                trial.trial_id,
                worker,
                trial.hyperparameters.values,
                progress.read(self._folder, trial.trial_id),
            )
            for worker, trial in sorted(self._oracle.running().items())
        ]
        width = shutil.get_terminal_size().columns
        tasks = [_task(*each) for each in list(self._tasks.values())]
        self._painter.draw(table(self._study, running, tasks, self._head(), width))

    @contextmanager
    def task(
        self, total: int, label: str, unit: str
    ) -> Iterator[Callable[[int], None]]:
        """Show something that is under way as a line; see `cli.progress`."""
        key = max(self._tasks, default=0) + 1
        started = time.monotonic()
        self._tasks[key] = (f"{label}, {unit}s", 0, total, started)

        def add(n: int) -> None:
            name, done, total, started = self._tasks[key]
            self._tasks[key] = (name, done + n, total, started)

        try:
            yield add
        finally:
            del self._tasks[key]

    def _head(self) -> str:
        done, total = len(self._oracle.ended()), self._oracle.total()
        gone_s = time.monotonic() - self._started
        parts = [f"{self._study.title}: {done} of {total or '?'} trials"]
        best = self._oracle.completed()[:1]
        if best:
            parts.append(
                f"best {self._study.objective} {best[0].score:.4f} ({best[0].trial_id})"
            )
        parts.append(f"{clock(gone_s)} so far")
        left = left_s(self._oracle, done - self._before, gone_s)
        if left is not None:
            parts.append(f"about {clock(left)} left")
        return ", ".join(parts)


@contextmanager
def showing(
    study: Study, oracle: Any, folder: Path, stream: TextIO | None = None
) -> Iterator[bool]:
    """Show the table while inside, if there is a terminal to show it on.

    Yields:
        Whether it is shown.
    """
    stream = stream or sys.stderr
    if not stream.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield False
        return
    painter = Painter(stream)
    live = Live(study, oracle, folder, painter)
    over = threading.Event()

    def keep() -> None:
        while not over.wait(_PAUSE_S):
            live.refresh()

    thread = threading.Thread(target=keep, daemon=True)
    with _logging_above(painter), hosted_by(live.task):
        live.refresh()
        thread.start()
        try:
            yield True
        finally:
            over.set()
            thread.join()
            painter.draw([])


class _Above(logging.Handler):
    """Log lines above the table."""

    def __init__(self, painter: Painter) -> None:
        super().__init__()
        self._painter = painter

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self._painter.above(self.format(record))


@contextmanager
def _logging_above(painter: Painter) -> Iterator[None]:
    logger = logging.getLogger("kerasfaces")
    before = list(logger.handlers)
    handler = _Above(painter)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.handlers[:] = [handler]
    try:
        yield
    finally:
        logger.handlers[:] = before


def _task(label: str, done: int, total: int, started: float) -> str:
    gone_s = time.monotonic() - started
    left = f", {clock(gone_s / done * (total - done))} left" if done else ""
    return f"{label}: {done} of {total}{left}"
