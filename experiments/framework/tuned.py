"""Studies (kerasfaces tune) inside an experiment: one study folder per split seed."""

import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.framework.hours import clock
from experiments.framework.runner import Context, Ratio
from kerasfaces.core.files import Json
from kerasfaces.core.imports import optional_import
from kerasfaces.run.folder import StudyRun

if TYPE_CHECKING:
    from kerasfaces.tune.study import Study

logger = logging.getLogger("kerasfaces.experiments")


def load(name: str, **changes: Any) -> "Study":
    """Return a study of `tuning/`, with changes.

    Raises:
        MissingExtraError: KerasTuner is not installed.
    """
    optional_import("tensorboard", "tune")
    optional_import("keras_tuner", "tune")
    from kerasfaces.tune import study as studies

    return dataclasses.replace(studies.load(name)[1], **changes)


def run(
    context: Context,
    name: str,
    study: "Study",
    ratio: Ratio,
    seed: int,
) -> Path:
    """Search on one split, or find it searched; return the study folder.

    Args:
        context: Context of the experiment.
        name: File of the study in `tuning/`.
        study: The study.
        ratio: Ratio of the split.
        seed: Seed of the split.

    Raises:
        OutOfBudgetError: It is not finished, and the budget is spent.
    """
    from kerasfaces.tune.run import tune

    folder = context.run_folder(name, seed)
    if not StudyRun(folder).result:
        context.must_start(f"the study {name}, split seed {seed},")
    logger.info("study %s, split seed %d", name, seed)
    with clock(context.folder):
        return tune(
            name,
            study,
            context.split(ratio, seed),
            weights=[f"{base}={context.weights[base]}" for base in study.bases],
            folder=folder,
            notes=context.notes,
        )


def result(folder: Path) -> Json:
    """Return a finished study's result.json."""
    return StudyRun(folder).result


def completed(folder: Path) -> list[Any]:
    """Return a study's trials that have a score, in order of their numbers."""
    from kerasfaces.run import trials as records

    return [trial for trial in records.load_all(folder) if trial.score is not None]
