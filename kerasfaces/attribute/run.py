"""Make an attribution's run folder: every file of it, in order, resumable in between."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute import classes as class_rules
from kerasfaces.attribute import heads, measures, openset, predictions
from kerasfaces.attribute.classes import UNKNOWN
from kerasfaces.attribute.features import ImageFeatures
from kerasfaces.attribute.heads import Answers
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.evaluate.report import audit_sentence
from kerasfaces.metrics import Estimate, rate
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run.folder import AttributionRun, DetectorRun

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What an attribution is, apart from detector and images."""

    l2: float = 0.01  # strength of the head's penalty
    # Share of known validation images that may be called unknown, each class weighing
    # alike.
    reject: float = openset.REJECTED
    resamples: int = RESAMPLES  # bootstrap resamples
    seed: int = 0  # keys them; the head needs none

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.l2 < 1e6:
            raise InputError(
                f"`l2`: expected more than 0 and less than 1e6, got {self.l2:g}, e.g. 0.01."
            )
        if not 0 < self.reject < 1:
            raise InputError(
                f"`reject`: expected a share between 0 and 1, got {self.reject:g}, e.g. 0.05."
            )
        if not self.resamples >= 100:
            raise InputError(f"resamples: expected at least 100, got {self.resamples}.")


def attribute(
    detector: Path,
    manifest: manifests.Manifest | None = None,
    folder: Path | None = None,
    config: Config | None = None,
) -> Path:
    """Train the heads, measure them and report; return the run folder.

    Writes config.json, environment.json, manifest.csv, audit.json, heads/*.npz, attribution_val.csv,
    attribution_test.csv, attribution.json and, last, report.html.

    Args:
        detector: A finished run on a frozen base.
        manifest: Other images than the run's own, split or not.
        folder: Where to write; by default `runs/attribution-HASH`.
        config: Settings.

    Raises:
        KerasfacesError: See `features.load`, `classes.find`; or the folder holds another
            attribution.
    """
    from kerasfaces.attribute import features, report

    config = config or Config()
    own = manifest is None
    source = DetectorRun.open(detector)
    if manifest is None:
        manifest = source.manifest
    identity = {
        "attribute": configs.to_dict(config),
        "detector": configs.digest(source.config),
        "manifest": manifest.digest(),
    }
    folder = folder or Path("runs") / f"attribution-{configs.digest(identity, 10)}"
    run = AttributionRun(folder)
    with run.writing(identity):
        if run.is_finished:
            logger.info("%s is finished; nothing to do", folder)
            return folder
        run.describe_machine()
        manifest = run.keep_manifest(manifest)
        images = features.load(detector, manifest)
        notes = [] if own else ["The images are not those the detector was made with."]
        audit = run.keep_audit(manifest)
        if audit and audit["flagged"]:
            notes.append(audit_sentence(audit))
        content = measured(images, run, config, notes)
        content = {**content, "detector": str(detector.resolve())}
        run.result = content
        run.write_report(report.render(content, folder.name))
    return folder


def measured(
    images: ImageFeatures,
    run: AttributionRun,
    config: Config,
    notes: Sequence[str] = (),
) -> Json:
    """Train what is missing, write the tables, and return attribution.json's content."""
    classes = class_rules.find(images.rows, images.readable)
    for note in classes.notes:
        logger.warning("%s", note)
    rows = images.rows[images.readable].reset_index(drop=True)
    answers, *folds = heads.train_all(
        rows, images.read, classes, run.head_file, config.l2, config.reject
    )
    frame = predictions.table(
        images.rows,
        images.reasons,
        answers.names,
        answers.logits,
        answers.score,
        answers.point,
    )
    for split in ("val", "test"):
        part = frame[frame["split"] == split].reset_index(drop=True)
        predictions.write(part, run.table_file(split))
    bad = frame[frame["reason"] != ""]
    unreadable = (bad["path"] + ": " + bad["reason"]).tolist()
    shown = [
        (fold.known, fold.unknown, fold.score) for fold in folds if fold.unknown.any()
    ]
    mean_auroc = measures.mean_auroc(shown, config.resamples, config.seed)
    notes = [*notes, *classes.notes]
    if not folds:
        notes.append(
            "There is one generator: leaving it out would leave nothing to tell apart, so how "
            "well unknown generators are recognised was not measured."
        )
    if unreadable:
        notes.append(
            f"{len(unreadable):,} images could not be read and are in no number."
        )
    return {
        "classes": classes.to_json(),
        "open_set": dataclasses.asdict(answers.point),
        "test": {
            "with_unknown": _calls(rows, answers, config, forced=False),
            "forced": _calls(rows, answers, config, forced=True),
            "rejected": _rejected(answers).to_dict(),
            "real_sources": predictions.real_sources(rows, answers),
        },
        "left_out": [_fold(rows, fold, config) for fold in folds],
        "mean_auroc_unknown": mean_auroc.to_dict(),
        "unreadable": unreadable[:50],
        "n_unreadable": len(unreadable),
        "notes": notes,
        "config": configs.to_dict(config),
    }


def _calls(
    rows: pd.DataFrame, answers: Answers, config: Config, *, forced: bool
) -> Json:
    """Return matrix and numbers over known and unknown rows."""
    measured, names = answers.measured, answers.names
    true = answers.true(rows[measured])
    if forced:
        called = openset.closest(answers.logits[measured], names)
    else:
        called, names = answers.called(measured), (*names, UNKNOWN)
    matrix = measures.confusion_matrix(true, called, names)
    content = {
        "true": list(matrix.index),
        "called": list(matrix.columns),
        "counts": matrix.to_numpy().tolist(),
    }
    numbers = measures.summary(matrix, config.resamples, config.seed)
    return {"matrix": content, **numbers}


def _fold(rows: pd.DataFrame, fold: Answers, config: Config) -> Json:
    """Return how a generator fares with a head that has never seen it."""
    called = fold.called(fold.unknown)
    counts = {name: called.count(name) for name in (*fold.names, UNKNOWN)}
    n = len(called)
    (generator,) = fold.left_out
    own = (rows["label"] == "fake") & (rows["source"] == generator)
    measured, setting = fold.measured, (config.resamples, config.seed)
    aurocs = {
        rule: measures.auroc(
            fold.unknown[measured], score[measured], *setting
        ).to_dict()
        for rule, score in fold.scores.items()
    }
    return {
        "generator": generator,
        "n": n,
        "n_met": int(own.sum()) - n,
        "n_known": int(fold.known.sum()),
        "auroc": aurocs[fold.rule],
        "rule": fold.rule,
        "auroc_by_rule": aurocs,
        "called_unknown": rate(counts[UNKNOWN], n, "no image of it").to_dict(),
        "called_real": rate(counts["real"], n, "no image of it").to_dict(),
        "known_rejected": _rejected(fold).to_dict(),
        "called": counts,
        "open_set": dataclasses.asdict(fold.point),
        "numbers": _calls(rows, fold, config, forced=False),
    }


def _rejected(answers: Answers) -> Estimate:
    """Return the share of known test rows that are called unknown."""
    called = answers.called(answers.known)
    return rate(called.count(UNKNOWN), len(called))
