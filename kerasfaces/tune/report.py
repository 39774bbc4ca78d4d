"""Study folder -> report.html: at the end of a study, or whenever somebody asks."""

import dataclasses
import logging
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate.report import sections_of
from kerasfaces.report.page import page
from kerasfaces.run import kinds
from kerasfaces.run import trials as records
from kerasfaces.run.folder import StudyRun
from kerasfaces.run.trials import Trial
from kerasfaces.tune import leaderboard
from kerasfaces.tune.study import OBJECTIVES

logger = logging.getLogger(__name__)

_SECTIONS = "kerasfaces.tune.sections"
_FEW = 10  # trials, below which pictures say little
_AHEAD = "s2"  # colour of trials that were better when they were cut short


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyInput:
    """A study folder, finished or not: what every section is drawn from."""

    folder: Path
    identity: Json  # the content of study.json
    about: Json  # the content of about.json; empty without it
    completed: list[Trial]  # with a score, best first
    failed: list[Trial]  # with a reason instead
    n_running: int  # trials that have begun and are not over
    table: pd.DataFrame  # the leaderboard
    result: Json | None  # of result.json; None while there is no winner
    environment: Json  # versions and machine, or empty

    @property
    def settings(self) -> Json:
        """Settings of the study."""
        settings: Json = self.identity["settings"]
        return settings

    @property
    def objective(self) -> str:
        """Column of the history by which trials are ranked."""
        return str(self.settings["objective"])

    @property
    def sign(self) -> float:
        """1 where the best trial has the largest score, -1 where the smallest."""
        return OBJECTIVES[self.objective]

    @property
    def n_ahead(self) -> int:
        """Number of trials that were better than the best when they were cut short."""
        return list(self.table.get("against_best", ())).count(leaderboard.BETTER)

    @property
    def colours(self) -> list[tuple[str, str]]:
        """The colours of trials and what they mean, for a legend."""
        colours = [("fake", "not distinguishable from the best"), ("real", "worse")]
        return colours + [(_AHEAD, "better, but cut short")] * (self.n_ahead > 0)

    @property
    def names(self) -> list[str]:
        """Hyperparameters that trials have, in the order declared."""
        return leaderboard.hyperparameters(self.table, self.identity["space"])

    @cached_property
    def _marks(self) -> dict[str, str]:
        """Id of each trial with a score -> `best`, `alike`, `better` or `worse`."""
        return dict(zip(self.table["trial"], self.table["against_best"], strict=True))

    def colour(self, trial: Trial) -> str:
        """Return the colour of a trial, one of `colours`."""
        special = {leaderboard.WORSE: "real", leaderboard.BETTER: _AHEAD}
        return special.get(self._marks[trial.trial_id], "fake")

    def kind(self, trial: Trial) -> str:
        """Return how a trial's point is drawn: in its colour, hollow if cut short."""
        return "open " * trial.partial + self.colour(trial)

    def line(self, trial: Trial) -> str:
        """Return how a trial's line is drawn: the best apart, the worse faint."""
        if self._marks[trial.trial_id] == leaderboard.BEST:
            return "mark"
        colour = self.colour(trial)
        return f"{colour} thin faint" if colour == "real" else f"{colour} thin"


def gather(folder: Path) -> StudyInput:
    """Read a study folder; a running study's too, and nothing is written.

    Raises:
        RunError: It holds no study, or no finished trial, or a damaged one.
    """
    study = StudyRun(folder)
    if not (folder / study.IDENTITY).exists():
        what = (
            f"it is a run, whose report is {study.report}"
            if (folder / kinds.POINT).is_file()
            else "give the folder that kerasfaces tune wrote (-o, else runs/tune-...)"
        )
        raise RunError(f"{folder} holds no study (no study.json in it); {what}.")
    identity, result = study.identity, study.result
    lacking = {"study", "settings", "space", "weights"} - set(identity)
    if lacking:
        raise RunError(
            f"{folder / study.IDENTITY} is damaged: it lacks {quoted(min(lacking))}."
        )
    objective, seed = (identity["settings"][name] for name in ("objective", "seed"))
    trials = records.load_all(folder)
    completed = records.ranked(trials, OBJECTIVES[objective])
    failed = [each for each in trials if each.status == records.FAILED]
    if (not completed and not failed) or not (folder / records.LABELS).exists():
        raise RunError(
            f"{folder} has no finished trial yet, so there is nothing to report; run the study "
            "(or wait for its first trial) and ask again."
        )
    n_running = sum(each.status == records.RUNNING for each in trials)
    # A study that was continued since has another winner, or will have.
    end = (completed[0].trial_id, len(completed)) if completed else None
    is_current = not n_running and (result.get("trial"), result.get("n_trials")) == end
    return StudyInput(
        folder=folder,
        identity=identity,
        about=study.about,
        completed=completed,
        failed=failed,
        n_running=n_running,
        table=leaderboard.make(folder, completed, failed, objective, seed),
        result=result if is_current else None,
        environment=study.environment,
    )


def write(folder: Path) -> Path:
    """Write `folder/report.html` of a study, finished, running or killed; return it.

    Raises:
        RunError: It holds no study, or no finished trial, or a damaged one.
    """
    study = StudyRun(folder)
    study.write_report(render(gather(folder)))
    return study.report


def render(data: StudyInput) -> str:
    """Return the page."""
    name = data.identity["study"]
    title = f"{name}: {data.about.get('title') or name}"
    footer = (
        "Trials were ranked on validation; the winner alone met the test images, once. What "
        "is not distinguishable from the best on this validation set may be as good or better."
    )
    warnings, sections = list(_warnings(data)), sections_of(_SECTIONS, data)
    return page(title, "kerasfaces study report", warnings, sections, footer)


def _engines(data: StudyInput) -> list[str]:
    """Return a sentence where trials of one model had features by different engines."""
    engines: dict[str, set[str]] = {}
    for trial in data.completed:
        name = (trial.config or {}).get("model", {}).get("name", "")
        named = {each.get("engine", "") for each in trial.repeats} - {""}
        engines.setdefault(name, set()).update(named)
    sentences = [
        f"Trials of {name} were trained on features by {' and by '.join(sorted(by))} (the "
        "study was continued elsewhere): their scores can differ in the last digits."
        for name, by in sorted(engines.items())
        if len(by) > 1
    ]
    for sentence in sentences:
        logger.warning("%s", sentence)
    return sentences


def _warnings(data: StudyInput) -> Iterator[str]:
    n_completed, n_failed = len(data.completed), len(data.failed)
    yield from data.about.get("notes", [])
    if data.result is None:
        yield (
            f"The search is not over: {n_completed} trials have a score, "
            f"{data.n_running} are unfinished, and no winner of them all was trained. The "
            "same command continues it."
        )
    yield from _engines(data)
    if n_failed:
        n_all = n_failed + n_completed
        yield f"{n_failed} of {n_all} trials failed; reasons are below the leaderboard."
    if partial := sum(each.partial for each in data.completed):
        ahead = (
            f" {data.n_ahead} of them were better than the best whole one even so: trained "
            "to the end, they might win."
        )
        yield (
            f"{partial} trials ended before their training did (Hyperband, the median rule): "
            "their scores are those of shorter trainings." + ahead * (data.n_ahead > 0)
        )
    if 0 < n_completed < _FEW:
        yield f"With {n_completed} trials, effects and intervals over trials say little."
