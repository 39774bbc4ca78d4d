"""A finished run on images that it was not made with, by the thresholds it has.

Predictions, metrics and report go to `RUN/evaluations/`; the run's own stay as they are.
"""

import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.imports import import_keras
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate import measurement, seen_images
from kerasfaces.manifest import Manifest, contradictions
from kerasfaces.metrics.inputs import Floats
from kerasfaces.run import predictions
from kerasfaces.run.folder import DetectorRun, EnsembleRun, ScoredRun

logger = logging.getLogger(__name__)


class Scorer(NamedTuple):
    """What gives logits of files, `(n,)` with NaN where there is none, and the reasons."""

    name: str
    logits: Callable[[list[Path]], tuple[Floats, list[str]]]


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
        by: See `run.evaluate_run`.
        samples_per_group: See `evaluate_run`.
        store: A channel store that holds the images; see `run.predictor`.
        scorer: What gives the logits instead of the run's own network; the images may then
            be those the run was made with.

    Raises:
        MissingFileError: There is no such run.
        InputError: The manifest has no row of that split.
    """
    run = _with_network(folder, name)
    data = measurement.read(run)
    kind = f"-{scorer.name}" if scorer else ""
    target = run.evaluation(f"{manifest.digest()[:12]}-{split}{kind}")
    measured = rows_of_split(manifest, split, name)
    contradiction = contradictions.sentence(manifest.rows)
    if contradiction:
        logger.warning("%s", contradiction)
    frame = predictions.check(_predicted(run, measured, store, scorer), name)
    n_seen = int(seen_images.mask(folder, measured).sum())
    origin = _origin(name, len(frame), n_seen, _is_own(run, manifest), scorer)
    sentences = [origin, contradiction] if contradiction else [origin]
    data = dataclasses.replace(
        data,
        name=f"{folder.name} on {name}",
        predictions={split: measurement.scored(frame, data.point)},
        audit=None,
        unseen={},
        added={},
        history=None,
        warnings=(*sentences, *data.warnings),
        image_root=manifest.folder,
    )
    settings = (*measurement.settings(run), by, samples_per_group, n_seen)
    with folders.lock(target.path, "evaluation"):
        target.write_predictions(split, data.predictions[split])
        return target.path, measurement.measure(target, data, *settings)


def rows_of_split(manifest: Manifest, split: str, name: str) -> Manifest:
    """Return the rows of a split, or all where none has one; messages call them `name`.

    Raises:
        InputError: There is no such row.
    """
    rows = manifest.rows
    if (rows["split"] == "").all():
        logger.info("%s has no splits; all its images count as %s.", name, split)
        rows = rows.assign(split=split)
    chosen = rows["split"] == split
    if not chosen.any():
        known = ", ".join(sorted(set(rows["split"]) - {""}))
        raise InputError(
            f"{name} has no rows of split {quoted(split)}; it has: {known}."
        )
    return dataclasses.replace(manifest, rows=rows[chosen].reset_index(drop=True))


def _is_own(run: DetectorRun, manifest: Manifest) -> bool:
    return run.manifest_file.is_file() and run.manifest.digest() == manifest.digest()


def _with_network(folder: Path, name: str) -> DetectorRun:
    """Open a run that can score other images: no ensemble."""
    if isinstance(ScoredRun.open(folder), EnsembleRun):
        raise InputError(
            f"{folder} is an ensemble: evaluate its members on {name} and join those."
        )
    return DetectorRun.open(folder)


def _predicted(
    run: DetectorRun, images: Manifest, store: Path | None, scorer: Scorer | None
) -> pd.DataFrame:
    if scorer:
        logits, reasons = scorer.logits(images.files())
        return predictions.as_predictions(images.rows, logits, reasons)
    import_keras()  # only now is a framework needed: to run the model
    from kerasfaces.run.predictor import predict_run

    return predict_run(run.path, images, store=store)


def _origin(name: str, n: int, n_seen: int, is_own: bool, scorer: Scorer | None) -> str:
    """Say by what and on whose images it was measured, and how many had been seen."""
    by = f"Logits by the run's export, on {scorer.name}. " if scorer else ""
    if n_seen:
        return (
            f"{by}Measured on {name}, not a result: {n_seen} of its {n} images were used to "
            "train this detector or to choose its epoch and threshold."
        )
    return f"{by}Measured on {name}, {'its own' if is_own else 'other'} images."
