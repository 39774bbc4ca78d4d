"""A finished run and a manifest -> the laundering matrix in a folder; it resumes anywhere."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasfaces.core import config as configs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, write_text
from kerasfaces.core.imports import import_keras
from kerasfaces.core.texts import quoted
from kerasfaces.dataset import file_facts
from kerasfaces.evaluate import seen_images
from kerasfaces.evaluate.other_images import rows_of_split
from kerasfaces.launder import cells, page, results, scoring, variants
from kerasfaces.launder.cells import Answers
from kerasfaces.launder.laundered import Photo
from kerasfaces.manifest import Manifest, contradictions, face_rows
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run.folder import DetectorRun, LaunderedRun

logger = logging.getLogger(__name__)
VERSION = 1  # raise whenever the same logits give other numbers
AT_LEAST = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class LaunderSettings:
    """What is laundered, and how it is measured."""

    # Names (`jpeg`) or names with a strength (`jpeg:70`); none means all.
    launderings: Sequence[str] = ()
    split: str = "test"  # which rows of the manifest, where rows have splits
    at_least: int = AT_LEAST  # images below which a generator is named, not measured
    resamples: int = RESAMPLES  # bootstrap resamples
    seed: int = 0  # keys them
    folder: Path | None = None  # where the result goes; by default inside the run
    # Where images are laundered; by default a process per core.
    engine: Engine = dataclasses.field(default_factory=Engine)


def launder(
    run: Path,
    manifest: Manifest | None = None,
    settings: LaunderSettings | None = None,
    name: str = "",
) -> LaunderedRun:
    """Score every laundered version of the images and measure; return the folder.

    A finished folder is returned as it is; an interrupted one continues.

    Args:
        run: A detector's run folder, on pixels.
        manifest: Other images than the run's own.
        settings: By default every laundering on the test split.
        name: What messages call the manifest.

    Raises:
        InputError: The run was trained on some of these images, there is no row of the
            split, a class has too few images, or the run is on channels.
        MissingFileError: There is no such run.
        RunError: The folder holds another matrix.
        LockedError: Another process is writing it.
    """
    settings = settings or LaunderSettings()
    detector = DetectorRun.open(run)
    chosen = variants.of(settings.launderings)
    data = detector.manifest if manifest is None else manifest
    data = rows_of_split(data, settings.split, name or f"{run}'s manifest")
    _refuse_seen(run, data)
    answers_of = _identity(detector, data, settings, chosen)
    folder = LaunderedRun(
        settings.folder
        or detector.laundered(f"{configs.digest(answers_of, 10)}-{settings.split}").path
    )
    with folder.writing(answers_of):
        if folder.is_finished:
            logger.info("%s is finished; nothing to do", folder.path)
            return folder
        folder.describe_machine()
        _measure(detector, data, settings, chosen, folder)
    return folder


def _measure(
    detector: DetectorRun,
    data: Manifest,
    settings: LaunderSettings,
    chosen: Sequence[variants.Variant],
    folder: LaunderedRun,
) -> None:
    import_keras()
    from kerasfaces.run.predictor import Predictor

    rows, files = data.rows, data.files()
    predictor = Predictor(detector.path)
    face_rows.require_same(data, predictor.face_policy, str(detector.path))
    _ = predictor.input_spec  # a run on channels is refused before anything is read
    keys, unread = file_facts.keys_of(files)
    photos = list(map(Photo, files, keys))
    scores = scoring.score(detector, predictor, photos, chosen, folder, settings.engine)
    whole = [
        why or (next(iter(each.values())) if len(each) == len(chosen) else "")
        for why, each in zip(unread, scores.reasons, strict=True)
    ]
    if all(whole):
        raise InputError(
            f"None of the {len(rows):,} images has a logit (first: {quoted(rows['path'][0])}, "
            f"{whole[0]}). Check where the images are (`root`)."
        )
    reasons = whole, scores.reasons
    answers = Answers(
        (rows["label"] == "fake").to_numpy(),
        rows["source"],
        chosen,
        scores.logits,
        scores.refused(chosen),
        detector.operating_point,
    )
    _require_both(answers, settings.at_least)
    measured, cameras = cells.measure(
        answers, settings.at_least, settings.resamples, settings.seed
    )
    content = results.content(
        answers,
        measured,
        cameras,
        _described(detector, data, settings, chosen),
        reasons,
        settings.resamples,
        settings.seed,
    )
    contradiction = contradictions.sentence(rows)
    if contradiction:
        content["warnings"].append(contradiction)
    content["name"] = detector.name
    folder.result = content
    write_text(folder.table_file, results.table(measured))
    images = results.images(rows, chosen, scores.logits, reasons)
    write_text(folder.images_file, images)
    folder.write_report(page.render(content))  # last: with it the matrix is finished


def _described(
    detector: DetectorRun,
    data: Manifest,
    settings: LaunderSettings,
    chosen: Sequence[variants.Variant],
) -> Json:
    """Return what a reader needs to do it again."""
    point = detector.operating_point
    return {
        "run": str(detector.path),
        "split": settings.split,
        "launderings": ", ".join(each.name for each in chosen[1:]),
        "threshold": f"{point.threshold:.4f} ({point.rule})",
        "threshold for 1 % false alarms": (
            f"{point.threshold_fpr_1pct:.4f} ({point.rule_fpr_1pct})"
        ),
        "resamples": settings.resamples,
        "seed": settings.seed,
        "manifest": data.digest()[:12],
    }


def _refuse_seen(run: Path, data: Manifest) -> None:
    n_seen = int(seen_images.mask(run, data).sum())
    if n_seen:
        raise InputError(
            f"The detector was trained or validated on {n_seen:,} of these {len(data):,} "
            "images, so that no number on them would be a result. Give other images, or leave "
            "the manifest out for the run's own test split."
        )


def _require_both(answers: Answers, at_least: int) -> None:
    known = np.isfinite(answers.logits[:, 0])
    for label, mask in (("real", ~answers.fake), ("fake", answers.fake)):
        n = int((mask & known).sum())
        if n < at_least:
            raise InputError(
                f"There are {n:,} readable {label} images, and the matrix needs at least "
                f"{at_least} (`at_least`); give more images."
            )


def _identity(
    detector: DetectorRun,
    data: Manifest,
    settings: LaunderSettings,
    chosen: Sequence[variants.Variant],
) -> Json:
    """Return everything that decides the result."""
    return {
        "version": VERSION,
        "detector": scoring.identity(detector),
        "point": detector.operating_point.to_json(),
        "manifest": data.digest(),
        "split": settings.split,
        "variants": [each.name for each in chosen],
        "at_least": settings.at_least,
        "resamples": settings.resamples,
        "seed": settings.seed,
    }
