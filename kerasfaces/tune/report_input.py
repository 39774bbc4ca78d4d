"""What every section of a study's report is given."""

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from kerasfaces import metrics
from kerasfaces.core.errors import RunError
from kerasfaces.core.texts import quoted
from kerasfaces.run import kinds
from kerasfaces.tune import leaderboard, records
from kerasfaces.tune.published import Published, from_json
from kerasfaces.tune.study import OBJECTIVES

_AHEAD = "s2"  # a colour of its own


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyInput:
    """A study folder, finished or not.

    Attributes:
        folder: The folder.
        identity: The content of study.json.
        about: The content of about.json; empty without it.
        completed: Trials with a score, best first.
        failed: Trials with a reason instead.
        n_running: Trials that have begun and are not over.
        table: The leaderboard.
        result: The content of result.json; None while there is no winner.
        environment: Versions and machine, or empty.
    """

    folder: Path
    identity: Mapping[str, Any]
    about: Mapping[str, Any]
    completed: list[Any]
    failed: list[Any]
    n_running: int
    table: pd.DataFrame
    result: Mapping[str, Any] | None
    environment: Mapping[str, Any]

    @property
    def objective(self) -> str:
        """Column of the history by which trials are ranked."""
        found: str = self.identity["settings"]["objective"]
        return found

    @property
    def seed(self) -> int:
        """The study's."""
        found: int = self.identity["settings"]["seed"]
        return found

    @property
    def more_is_better(self) -> bool:
        """Tell whether the best trial has the largest score."""
        return OBJECTIVES[self.objective] == "max"

    @cached_property
    def against_best(self) -> dict[str, str]:
        """Id of each trial with a score -> `best`, `alike`, `better` or `worse`."""
        ranked = self.table[self.table["rank"].notna()]
        if ranked.empty:
            return {}
        return dict(zip(ranked["trial"], ranked["against_best"], strict=True))

    @property
    def n_like_best(self) -> int:
        """Trials that chance may have kept from first place, the best included."""
        found = list(self.against_best.values())
        return found.count(leaderboard.BEST) + found.count(leaderboard.ALIKE)

    @property
    def n_ahead(self) -> int:
        """Trials that were better than the best when they were cut short."""
        return list(self.against_best.values()).count(leaderboard.BETTER)

    @property
    def colours(self) -> list[tuple[str, str]]:
        """The colours of trials and what they mean, for a legend."""
        found = [("fake", "not distinguishable from the best"), ("real", "worse")]
        if self.n_ahead:
            found.append((_AHEAD, "better, but cut short"))
        return found

    @property
    def names(self) -> list[str]:
        """Hyperparameters in the order declared, those under conditions once."""
        texts = (text.partition(" if ")[0] for text in self.identity["space"])
        return list(dict.fromkeys(texts))

    @property
    def published(self) -> Published | None:
        """The document's grid, if this is one."""
        found = self.about.get("published")
        return from_json(found) if found else None

    def colour(self, trial: Any) -> str:
        """Return the colour of a trial, one of `colours`."""
        verdict = self.against_best[trial.trial_id]
        return {leaderboard.WORSE: "real", leaderboard.BETTER: _AHEAD}.get(
            verdict, "fake"
        )

    def kind(self, trial: Any) -> str:
        """Return how a trial's point is drawn: in its colour, hollow if cut short."""
        return f"open {self.colour(trial)}" if trial.partial else self.colour(trial)

    def line(self, trial: Any) -> str:
        """Return how a trial's line is drawn: the best apart, the worse faint."""
        if self.against_best[trial.trial_id] == leaderboard.BEST:
            return "mark"
        colour = self.colour(trial)
        return f"{colour} thin faint" if colour == "real" else f"{colour} thin"


def gather(folder: Path) -> StudyInput:
    """Read a study folder; a running study's too, and nothing is written.

    Raises:
        RunError: It holds no study, or no finished trial, or a damaged one.
    """
    if not (folder / "study.json").exists():
        what = (
            f"it is a run, whose report is {folder / 'report.html'}"
            if (folder / kinds.POINT).is_file()
            else "give the folder that kerasfaces tune wrote (-o, else runs/tune-...)"
        )
        raise RunError(f"{folder} holds no study (no study.json in it); {what}.")
    identity = records.read_object(folder / "study.json")
    lacking = {"study", "settings", "space", "weights"} - set(identity)
    if lacking:
        raise RunError(
            f"{folder / 'study.json'} is damaged: it lacks {quoted(min(lacking))}."
        )
    settings = identity["settings"]
    trials = records.load_all(folder)
    completed = records.ranked(trials, OBJECTIVES[settings["objective"]])
    failed = [each for each in trials if each.status == records.FAILED]
    if (not completed and not failed) or not (folder / "val_labels.npy").exists():
        raise RunError(
            f"{folder} has no finished trial yet, so there is nothing to report; run the study "
            "(or wait for its first trial) and ask again."
        )
    n_running = sum(each.status == records.RUNNING for each in trials)
    judged = _Judged(settings["objective"], settings["seed"])
    return StudyInput(
        folder=folder,
        identity=identity,
        about=_json(folder / "about.json") or {},
        completed=completed,
        failed=failed,
        n_running=n_running,
        table=leaderboard.make(judged, folder, completed, failed),
        result=_current(folder, completed, n_running),
        environment=_json(folder / "environment.json") or {},
    )


@dataclasses.dataclass(frozen=True)
class _Judged:
    objective: str
    seed: int


def _json(path: Path) -> dict[str, Any] | None:
    return records.read_object(path) if path.exists() else None


def _current(folder: Path, completed: list[Any], n_running: int) -> Any:
    """Return result.json, unless the study was continued since."""
    result = _json(folder / "result.json")
    if result is None or not completed or n_running:
        return None
    same = (result.get("trial"), result.get("n_trials"))
    return result if same == (completed[0].trial_id, len(completed)) else None


def mean_sd(trial: Any, name: str) -> tuple[float, float | None]:
    """Return a trial's mean and sd over its training seeds; None with one seed."""
    observed = [one[name] for one in trial.repeats]
    mean, sd = metrics.mean_sd(observed)
    return mean, sd if len(observed) > 1 else None
