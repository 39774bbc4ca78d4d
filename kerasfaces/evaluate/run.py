"""A run folder's measuring end: everything after the model has given its logits.

`finish` closes a new run; `evaluate_run` measures a finished one again from its own
predictions. On other images: `other_images`.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import Json
from kerasfaces.evaluate import added, measurement, unseen
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.evaluate.unseen import RULE, LeftOut
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run import predictions
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point

SPLITS = ("train", "val", "test")


def finish(
    folder: Path,
    frames: Mapping[str, pd.DataFrame],
    *,
    config: Json,
    environment: Json,
    history: pd.DataFrame | None = None,
    audit: Json | None = None,
    warnings: Sequence[str] = (),
    image_root: Path | None = None,
    bootstrap: int = RESAMPLES,
    seed: int = 0,
    false_alarm_rate: float | None = None,
    left_out: LeftOut | None = None,
    parent: Path | None = None,
) -> Json:
    """Choose the operating point on validation, score, measure and report a run.

    Writes predictions_<split>.csv, operating_point.json, audit.json (when there is one),
    metrics.json, metrics.csv and report.html, each atomically, the report last. The caller
    holds the folder's lock.

    Args:
        folder: The run folder.
        frames: Split -> predictions with `logit` (NaN and a `reason` where unreadable),
            `val` among them; a table without any logit is ranked by its `score`.
        config: The run's configuration.
        environment: Versions and machine.
        history: One row per epoch.
        audit: The manifest's audit as a dictionary; a flagged one warns by itself.
        warnings: Further sentences for the top of the report.
        image_root: What relative paths are relative to, for thumbnails.
        bootstrap: Resamples.
        seed: Keys resamples and draws.
        false_alarm_rate: Sets the threshold, instead of the highest balanced accuracy.
        left_out: Heads that had not seen a family: the operating point is chosen on their
            logits of validation, and unseen.json says what they do on each family.
        parent: Run that this one was made from by adding images: added.json says what its
            families lost or gained.

    Returns:
        The content of metrics.json.

    Raises:
        InputError: No usable validation split, or predictions that break the contract.
    """
    checked = _checked(frames)
    val = checked["val"]
    chosen_on = left_out.validation(val) if left_out else ValidationPredictions(val)
    point = choose_operating_point(chosen_on, false_alarm_rate)
    if left_out:
        point = dataclasses.replace(point, rule=point.rule + RULE)
    run = ScoredRun(folder)
    scored = {
        split: measurement.scored(frame, point) for split, frame in checked.items()
    }
    for split, frame in scored.items():
        run.write_predictions(split, frame)
    run.write_operating_point(point)
    if left_out:
        run.unseen_validation = unseen.as_json(chosen_on)
        run.unseen = left_out.measured(scored, point, bootstrap, seed)
    if parent and "test" in scored:
        old = ScoredRun(parent)
        run.added = added.compare(old, scored["test"], image_root, point)
    if audit is not None:
        run.audit = dict(audit)
    data = ReportInput(
        name=folder.name,
        predictions=scored,
        point=point,
        metrics={},
        config=config,
        environment=environment,
        history=history,
        audit=audit,
        unseen=run.unseen,
        added=run.added,
        warnings=tuple(warnings),
        image_root=image_root,
    )
    return measurement.measure(run, data, bootstrap, seed)


def _checked(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    checked = {
        split: predictions.check(frames[split], f"predictions of {split}")
        for split in SPLITS
        if split in frames
    }
    if "val" not in checked:
        raise InputError(
            "A run needs predictions of val to choose its threshold on; got "
            f"{', '.join(frames) or 'none'}."
        )
    return checked


def evaluate_run(
    folder: Path,
    *,
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
) -> Json:
    """Measure a finished run again from its predictions; thresholds stay as they are.

    Slices by `source`, the attributes and the columns in `by`. With `samples_per_group` so
    many rows per group are drawn as well (kabber2023's protocol). Returns the content of
    metrics.json.

    Raises:
        MissingFileError: There is no such folder, or it holds no finished run.
        InputError: A predictions file breaks the contract, or `by` names no column.
    """
    run = ScoredRun.open(folder)
    data = measurement.read(run)
    frames = {
        split: run.predictions(split) for split in SPLITS if split in run.predicted
    }
    if not frames:
        raise MissingFileError(
            f"{folder} holds no predictions_<split>.csv; train it again."
        )
    data = dataclasses.replace(data, predictions=frames)
    with folders.lock(folder):
        return measurement.measure(
            run, data, *measurement.settings(run), by, samples_per_group
        )
