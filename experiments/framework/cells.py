"""Trainings of an experiment, each by itself: what fails is named and the rest goes on.

A system is what a line of a table is measured on; it is trained on every split seed, on
all images or on what is drawn of some generators, as `kerasfaces crossgen` draws.
"""

import dataclasses
import functools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.framework import failures
from experiments.framework.rows import FAILED, NO_BUDGET, NO_WEIGHTS, RUN, Row
from experiments.framework.runner import Context, Outcome, Ratio
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    MissingFileError,
    OutOfBudgetError,
)
from kerasfaces.run.folder import DetectorRun, Run
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.training import Training

if TYPE_CHECKING:
    from kerasfaces.crossgen.training_sets import TrainingSet

logger = logging.getLogger("kerasfaces.experiments")
Key = TypeVar("Key")


@dataclasses.dataclass(frozen=True, kw_only=True)
class System:
    """A detector that is trained on every split.

    Attributes:
        label: Names its run folders; the model's name where it is trained as its preset
            says, on everything.
        config: How it is trained.
        weights: Text of `--weights`.
        trained_on: Generators; None is every image of the manifest.
        size: Fakes to train on, in equal shares of the generators, and as many reals;
            None is all there are.
    """

    label: str
    config: TrainConfig | BaselineConfig
    weights: str = "none"
    trained_on: tuple[str, ...] | None = None
    size: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attempted:
    """Runs of a system.

    Attributes:
        status: `RUN`, or why there is not one number.
        folders: Split seed -> finished run folder.
        ended: Why the rest of the splits was not run; empty if all were.
        note: A sentence on what failed; empty if nothing did.
    """

    status: str
    folders: Mapping[int, Path] = dataclasses.field(default_factory=dict)
    ended: str = ""
    note: str = ""


def train_all(
    context: Context, systems: Mapping[Key, System], ratio: Ratio
) -> dict[Key, Attempted]:
    """Train every system on every split, on the engine's workers where there are some.

    Args:
        context: Context of the experiment.
        systems: In order of importance.
        ratio: Ratio of the splits.
    """
    context.train_ahead(
        functools.partial(_request, context, system, ratio, seed)
        for system in systems.values()
        for seed in context.seeds
        if not context.missing_weights(system.config.model.name, system.weights)
    )
    return {key: train(context, system, ratio) for key, system in systems.items()}


def train(context: Context, system: System, ratio: Ratio) -> Attempted:
    """Train a system on every split, or find it trained.

    Budget, missing weights and whatever goes wrong become a status. What would stop
    every other system as well (a full disk, a locked folder) is raised.
    """
    why = context.missing_weights(system.config.model.name, system.weights)
    if why:
        return Attempted(status=NO_WEIGHTS, ended=NO_WEIGHTS, note=why)
    return attempt(
        context,
        system.label,
        lambda seed: _train(context, system, ratio, seed),
        # Where trainings are shared, whether there is one shows when it is asked for.
        lambda seed: (
            context.runs is not None
            or DetectorRun(context.run_folder(system.label, seed)).is_finished
        ),
    )


def attempt(
    context: Context,
    label: str,
    work: Callable[[int], Path],
    is_finished: Callable[[int], bool],
) -> Attempted:
    """Do `work` for every split seed until the budget is spent or it fails.

    Args:
        context: Context of the experiment.
        label: Name of the work, for messages.
        work: Split seed -> finished folder.
        is_finished: Tells whether a seed needs no more time.
    """
    folders: dict[int, Path] = {}
    for seed in context.seeds:
        if not is_finished(seed):
            if not context.can_start():
                return _stopped(NO_BUDGET, folders)
            forget()
        try:
            folders[seed] = work(seed)
        except OutOfBudgetError:
            return _stopped(NO_BUDGET, folders)
        except MissingFileError as error:
            return _failed(label, seed, error, folders)
        except OSError:  # no room, or a lock: the rest would fail as well
            raise
        except Exception as error:  # noqa: BLE001 - named in the table
            if not isinstance(error, KerasfacesError):
                failures.write(context.folder, f"{label}-split-{seed}", error)
            return _failed(label, seed, error, folders)
    return Attempted(status=RUN, folders=folders)


def require_one(attempts: Collection[Attempted]) -> None:
    """Refuse to print tables in which every training failed: the images are at fault.

    Raises:
        InputError: With every reason, once.
    """
    statuses = {each.status for each in attempts} - {NO_WEIGHTS}
    if statuses and all(each.startswith(FAILED) for each in statuses):
        why = " ".join(dict.fromkeys(each.note for each in attempts if each.note))
        raise InputError(f"Nothing could be trained. {why}")


def outcome(
    context: Context,
    planned: Mapping[str, System],
    attempts: Mapping[str, Attempted],
    rows: Sequence[Row],
    notes: Sequence[str],
) -> Outcome:
    """Return an experiment's results, with what its trainings have to say.

    Args:
        context: Context of the experiment.
        planned: Line -> system.
        attempts: Line -> its runs.
        rows: Rows of results.json.
        notes: Sentences that stand before those of the trainings.
    """
    return Outcome(
        rows=rows,
        weights=weights(planned, attempts),
        notes=[*notes, *attempt_notes(attempts.values(), context)],
        failed={
            line: each.ended
            for line, each in attempts.items()
            if each.folders and failures.is_failure(each.ended)
        },
    )


def attempt_notes(attempts: Collection[Attempted], context: Context) -> list[str]:
    """Return the notes of all systems, and how many of them had no time."""
    notes = list(dict.fromkeys(each.note for each in attempts if each.note))
    left = sum(
        each.status == NO_BUDGET or 0 < len(each.folders) < len(context.seeds)
        for each in attempts
    )
    if left:
        notes.append(
            f"{left} of {len(attempts)} detectors are not trained on every split: the budget "
            f"of {context.budget_h} hours was spent, or they failed. The same command "
            "continues."
        )
    return notes


def forget() -> None:
    """Free the memory of the last training's graphs."""
    import keras

    keras.utils.clear_session()


def drawn(context: Context, system: System, ratio: Ratio, seed: int) -> "TrainingSet":
    """Return what a system of some generators is trained on; its test rows are all."""
    from kerasfaces.crossgen import training_sets

    split = context.split(ratio, seed)
    rows = split.rows
    every = sorted(set(rows.loc[rows["label"] == "fake", "source"]))
    size = training_sets.Size(system.size, None)
    return training_sets.draw(split, system.trained_on or every, every, size, seed)


def audit(context: Context) -> dict[str, Any]:
    """Return the audit of all files, which every training shares."""
    return Run(context.folder).keep_audit(context.unsplit()) or {}


def _train(context: Context, system: System, ratio: Ratio, seed: int) -> Path:
    if context.runs is not None:
        forget()
    return context.train(
        system.label,
        system.config,
        ratio,
        seed,
        **_arguments(context, system, ratio, seed),
    )


def _request(context: Context, system: System, ratio: Ratio, seed: int) -> Training:
    arguments = _arguments(context, system, ratio, seed)
    return context.request(system.label, system.config, ratio, seed, **arguments)


def _arguments(
    context: Context, system: System, ratio: Ratio, seed: int
) -> dict[str, Any]:
    manifest, notes = None, []
    if system.trained_on is not None:
        manifest = drawn(context, system, ratio, seed).manifest
        notes = [f"Trained on {', '.join(system.trained_on)} alone among generators."]
    return {
        "manifest": manifest,
        "weights": system.weights,
        "audit": audit(context),
        "notes": notes,
    }


def _stopped(status: str, folders: Mapping[int, Path]) -> Attempted:
    return Attempted(status=RUN if folders else status, folders=folders, ended=status)


def _failed(
    label: str, seed: int, error: Exception, folders: Mapping[int, Path]
) -> Attempted:
    # An unexpected error names its type: KeyError('x') says more than 'x'.
    known = isinstance(error, KerasfacesError)
    why = failures.line(str(error) if known else repr(error))
    logger.error("%s, split seed %d failed: %s; the rest goes on", label, seed, why)
    note = f"{label} failed on split {seed}: {why} The same command tries it again."
    return dataclasses.replace(_stopped(failures.status(why), folders), note=note)


def weights(
    planned: Mapping[str, System], attempts: Mapping[str, Attempted]
) -> dict[str, Any]:
    """Return model -> where its weights came from, as results.json says it."""
    sources: dict[str, Any] = {}
    any_random = False
    for name, each in attempts.items():
        system = planned[name]
        model = system.config.model.name
        if each.folders and system.weights != "none":
            first = next(iter(each.folders.values()))
            sources[model] = DetectorRun(first).base_weights
        elif each.status == NO_WEIGHTS:
            sources[model] = NO_WEIGHTS
        any_random |= bool(each.folders) and system.weights == "none"
    if any_random:
        sources["everything else"] = "trained from random weights"
    return sources
