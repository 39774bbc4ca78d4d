"""A run folder's measuring end: everything after the model has given its logits.

`finish` closes a new run; `evaluate_run` measures a finished one again from its own
predictions; `evaluate_manifest` measures it on other images, with the thresholds it has.
"""

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import Json
from kerasfaces.core.imports import import_keras
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate import (
    added,
    annotators,
    metrics_json,
    names,
    seen_images,
    slices,
    unseen,
)
from kerasfaces.evaluate.report import ReportInput, cautions, render
from kerasfaces.evaluate.unseen import RULE, LeftOut
from kerasfaces.manifest import Manifest, contradictions
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.inputs import Floats
from kerasfaces.run import predictions
from kerasfaces.run.folder import DetectorRun, EnsembleRun, ScoredRun
from kerasfaces.run.operating_point import (
    OperatingPoint,
    ValidationPredictions,
    choose_operating_point,
)

logger = logging.getLogger(__name__)
SPLITS = ("train", "val", "test")


class Scorer(NamedTuple):
    """What gives logits of files, `(n,)` with NaN where there is none, and the reasons."""

    name: str
    logits: Callable[[list[Path]], tuple[Floats, list[str]]]


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
    samples_per_group: int | None = None,
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
        samples_per_group: Also draw so many rows per group (kabber2023's protocol).
        left_out: Heads that had not seen a family: the operating point is chosen on their
            logits of validation, and unseen.json says what they do on each family.
        parent: Run that this one was made from by adding images: added.json says what its
            families lost or gained.

    Returns:
        The content of metrics.json.

    Raises:
        InputError: No usable validation split, or predictions that break the contract.
    """
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
    val = checked["val"]
    chosen_on = left_out.validation(val) if left_out else ValidationPredictions(val)
    point = choose_operating_point(chosen_on, false_alarm_rate)
    if left_out:
        point = dataclasses.replace(point, rule=point.rule + RULE)
    run = ScoredRun(folder)
    scored = {split: _scored(frame, point) for split, frame in checked.items()}
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
    return _measure(run, data, bootstrap, seed, samples_per_group=samples_per_group)


def evaluate_run(
    folder: Path,
    *,
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
) -> Json:
    """Measure a finished run again from its predictions; thresholds stay as they are.

    Slices by `source`, the attributes and the columns in `by`; for `samples_per_group` see
    `finish`. Returns the content of metrics.json.

    Raises:
        MissingFileError: There is no such folder, or it holds no finished run.
        InputError: A predictions file breaks the contract, or `by` names no column.
    """
    run = ScoredRun.open(folder)
    data = _read(run)
    frames = {
        split: run.predictions(split) for split in SPLITS if split in run.predicted
    }
    if not frames:
        raise MissingFileError(
            f"{folder} holds no predictions_<split>.csv; train it again."
        )
    data = dataclasses.replace(data, predictions=frames)
    with folders.lock(folder):
        return _measure(run, data, *_settings(run), by, samples_per_group)


def evaluate_manifest(
    folder: Path,
    manifest_path: Path,
    split: str = "test",
    *,
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
    store: Path | None = None,
    root: Path | None = None,
) -> tuple[Path, Json]:
    """Measure a finished run on the images of a manifest file; see `evaluate_images`.

    `root` is what relative paths in the manifest are relative to.
    """
    _with_network(folder, str(manifest_path))  # before the manifest is read
    return evaluate_images(
        folder,
        manifests.read(manifest_path, root),
        manifest_path.name,
        split,
        by=by,
        samples_per_group=samples_per_group,
        store=store,
    )


def evaluate_images(
    folder: Path,
    manifest: Manifest,
    name: str,
    split: str = "test",
    *,
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
    store: Path | None = None,
    scorer: Scorer | None = None,
) -> tuple[Path, Json]:
    """Measure a finished run on other images, with its own frozen thresholds.

    Writes predictions, metrics and report to `RUN/evaluations/<manifest digest>-<split>/`;
    the run's own numbers stay untouched. Returns that folder and its metrics.json.

    Args:
        folder: The run folder.
        manifest: The other images. Where none has a split, all count as `split`.
        name: What the report and the messages call them.
        split: Which of its rows.
        by: See `evaluate_run`.
        samples_per_group: See `finish`.
        store: A channel store that holds the images; see `run.predictor`.
        scorer: What gives the logits instead of the run's own network; the images may then
            be those the run was made with.

    Raises:
        MissingFileError: There is no such run.
        InputError: The manifest has no row of that split.
    """
    run = _with_network(folder, name)
    data = _read(run)
    kind = f"-{scorer.name}" if scorer else ""
    target = run.evaluation(f"{manifest.digest()[:12]}-{split}{kind}")
    if (manifest.rows["split"] == "").all():
        logger.info("%s has no splits; all its images count as %s.", name, split)
        manifest = dataclasses.replace(manifest, rows=manifest.rows.assign(split=split))
    chosen = manifest.rows["split"] == split
    if not chosen.any():
        known = ", ".join(sorted(set(manifest.rows["split"]) - {""}))
        raise InputError(
            f"{name} has no rows of split {quoted(split)}; it has: {known}."
        )
    contradiction = contradictions.sentence(manifest.rows)
    if contradiction:
        logger.warning("%s", contradiction)
    rows = manifest.rows[chosen].reset_index(drop=True)
    measured = dataclasses.replace(manifest, rows=rows)
    if scorer:
        logits = scorer.logits(measured.files())
        frame = predictions.check(predictions.as_predictions(rows, *logits), name)
    else:
        import_keras()  # only now is a framework needed: to run the model
        from kerasfaces.run.predictor import predict_run

        frame = predictions.check(predict_run(folder, manifest, split, store), name)
    n_seen = int(seen_images.mask(folder, measured).sum())
    origin = f"Measured on {name}, " + (
        f"not a result: {n_seen} of its {len(frame)} images were used to train this detector "
        "or to choose its epoch and threshold."
        if n_seen
        else f"{'its own' if _is_own(run, manifest) else 'other'} images."
    )
    if scorer:
        origin = f"Logits by the run's export, on {scorer.name}. {origin}"
    sentences = [origin, contradiction] if contradiction else [origin]
    data = dataclasses.replace(
        data,
        name=f"{folder.name} on {name}",
        predictions={split: _scored(frame, data.point)},
        audit=None,
        unseen={},
        added={},
        history=None,
        warnings=(*sentences, *data.warnings),
        image_root=manifest.folder,
    )
    with folders.lock(target.path, "evaluation"):
        target.write_predictions(split, data.predictions[split])
        settings = _settings(run)
        content = _measure(target, data, *settings, by, samples_per_group, n_seen)
    return target.path, content


def _is_own(run: DetectorRun, manifest: Manifest) -> bool:
    return run.manifest_file.is_file() and run.manifest.digest() == manifest.digest()


def _with_network(folder: Path, name: str) -> DetectorRun:
    """Open a run that can score other images: no ensemble."""
    if isinstance(ScoredRun.open(folder), EnsembleRun):
        raise InputError(
            f"{folder} is an ensemble: evaluate its members on {name} and join those."
        )
    return DetectorRun.open(folder)


def _read(run: ScoredRun) -> ReportInput:
    """Return what a finished run says of itself, nothing measured yet."""
    return ReportInput(
        name=run.path.name,
        predictions={},
        point=run.operating_point,
        metrics={},
        config=run.config,
        environment=run.environment,
        history=run.history,
        audit=run.audit or None,
        unseen=unseen.read(run),
        added=run.added,
        warnings=tuple(run.settings.get("warnings", ())),
        image_root=run.image_root,
        decisions=run.decisions,
    )


def _settings(run: ScoredRun) -> tuple[int, int]:
    """Return resamples and seed of a finished run."""
    settings = run.settings
    return int(settings.get("resamples", RESAMPLES)), int(settings.get("seed", 0))


def _scored(frame: pd.DataFrame, point: OperatingPoint) -> pd.DataFrame:
    return frame.assign(score=point.apply(predictions.ranking(frame)))


def _measure(
    run: ScoredRun,
    data: ReportInput,
    resamples: int,
    seed: int,
    by: Sequence[str] | None = None,
    samples_per_group: int | None = None,
    n_seen: int | None = None,
) -> Json:
    """Measure predictions; write metrics.json, metrics.csv and, last, report.html."""
    frames = slices.binned(data.predictions)
    columns: list[str] | None = None
    crossed: list[str] = []
    if by is not None:  # the usual ones and those asked for
        first = next(iter(frames.values()))
        plain, crossed = slices.asked(first, by)
        columns = [*slices.columns(first), *plain]
    labels, problems = annotators.read(data.image_root)
    labels = labels or run.settings.get("annotators", {})
    for problem in problems:
        logger.warning("%s", problem)
    data = dataclasses.replace(data, warnings=(*data.warnings, *problems))
    content = metrics_json.measure(
        frames,
        data.point,
        by=columns,
        resamples=resamples,
        seed=seed,
        samples_per_group=samples_per_group,
        crossed=crossed,
        labels=labels,
    )
    if labels:
        content["annotators"] = labels
    if n_seen is not None:
        content["seen"] = n_seen
    content["warnings"] = list(data.warnings)
    content["image_root"] = run.relative_root(data.image_root)
    if "ensemble" in data.config:
        content["without_score"] = names.NOT_SHARED
    run.metrics = content
    run.write_table(metrics_json.flat(content))
    headline = next(split for split in ("test", "val", "train") if split in frames)
    data = dataclasses.replace(
        data, predictions=frames, metrics=content, headline=headline
    )
    warnings = tuple(dict.fromkeys([*data.warnings, *cautions(data)]))
    run.write_report(render(dataclasses.replace(data, warnings=warnings)))
    return content
