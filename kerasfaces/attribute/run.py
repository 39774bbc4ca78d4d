"""Make an attribution's run folder: every file of it, in order, resumable in between."""

import dataclasses
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute import classes as class_rules
from kerasfaces.attribute import heads, measure, openset, predictions
from kerasfaces.attribute.classes import UNKNOWN
from kerasfaces.attribute.features import ImageFeatures
from kerasfaces.attribute.heads import Answers
from kerasfaces.core import config as configs
from kerasfaces.core import environment, folders
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json, write_json, write_text
from kerasfaces.evaluate.warn import audit_sentence
from kerasfaces.manifest import audit as audits
from kerasfaces.metrics import Estimate, rate
from kerasfaces.metrics.bootstrap import RESAMPLES

logger = logging.getLogger(__name__)
FORMAT_VERSION = 2
FILE = "attribution.json"
_EARLY = {"environment.json", "manifest.csv", "audit.json"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """What an attribution is, apart from detector and images.

    Attributes:
        l2: Strength of the head's penalty.
        reject: Share of known validation images that may be called unknown, each class
            weighing alike.
        resamples: Bootstrap resamples.
        seed: Keys them; the head needs none.
    """

    l2: float = 0.01
    reject: float = openset.REJECTED
    resamples: int = RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 < self.l2 < 1e6:
            raise InputError(f"--l2: expected more than 0, got {self.l2:g}, e.g. 0.01.")
        if not 0 < self.reject < 1:
            raise InputError(
                f"--reject: expected a share between 0 and 1, got {self.reject:g}, e.g. 0.05."
            )
        if self.resamples < 100:
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
    features.check_run(detector)
    if manifest is None:
        manifest = manifests.read(detector / "manifest.csv")
    identity = _identity(detector, manifest, config)
    folder = folder or Path("runs") / f"attribution-{configs.digest(identity, 10)}"
    with folders.lock(folder):
        folders.claim(folder, "config.json", identity, "run", _EARLY)
        if (folder / FILE).exists() and (folder / "report.html").exists():
            logger.info("%s is finished; nothing to do", folder)
            return folder
        write_json(folder / "environment.json", environment.describe())
        manifest = _split(manifest, folder)
        images = features.load(detector, manifest)
        notes = [] if own else ["The images are not those the detector was made with."]
        audit = audits.kept(manifest, folder)
        if audit and audit["flagged"]:
            notes.append(audit_sentence(audit))
        content = measured(images, folder, config, notes)
        content = {**content, "detector": str(detector.resolve())}
        write_json(folder / FILE, content)
        page = report.render(content, folder.name)
        write_text(folder / "report.html", page)
    return folder


def measured(
    images: ImageFeatures,
    folder: Path,
    config: Config,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Train what is missing, write the tables, and return attribution.json's content."""
    classes = class_rules.find(images.rows, images.readable)
    for note in classes.notes:
        logger.warning("%s", note)
    rows = images.rows[images.readable].reset_index(drop=True)
    answers, *folds = heads.train_all(
        rows, images.read, classes, folder, config.l2, config.reject
    )
    for split in ("val", "test"):
        frame = predictions.table(images.rows, images.reasons, answers, split)
        predictions.write(frame, folder / f"attribution_{split}.csv")
    unreadable = [
        f"{path}: {reason}"
        for path, reason in zip(images.rows["path"], images.reasons, strict=True)
        if reason
    ]
    shown = [
        (fold.known, fold.unknown, fold.score) for fold in folds if fold.unknown.any()
    ]
    mean_auroc = measure.mean_auroc(shown, config.resamples, config.seed)
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
        "notes": [*notes, *classes.notes, *_limits(folds, unreadable)],
        "config": configs.to_dict(config),
    }


def _limits(folds: Sequence[Answers], unreadable: Sequence[str]) -> Iterator[str]:
    """Yield what was not measured, a sentence each."""
    if not folds:
        yield (
            "There is one generator: leaving it out would leave nothing to tell apart, so how "
            "well unknown generators are recognised was not measured."
        )
    if unreadable:
        yield f"{len(unreadable):,} images could not be read and are in no number."


def _calls(
    rows: pd.DataFrame, answers: Answers, config: Config, *, forced: bool
) -> dict[str, Any]:
    """Return matrix and numbers over known and unknown rows."""
    true = answers.true(rows[answers.measured])
    if forced:
        names = answers.names
        called = openset.closest(answers.logits[answers.measured], names)
    else:
        names = (*answers.names, UNKNOWN)
        called = answers.called(answers.measured)
    matrix = measure.Matrix.of(true, called, names)
    numbers = measure.summary(matrix, config.resamples, config.seed)
    return {"matrix": matrix.to_json(), **numbers}


def _fold(rows: pd.DataFrame, fold: Answers, config: Config) -> dict[str, Any]:
    """Return how a generator fares with a head that has never seen it."""
    called = fold.called(fold.unknown)
    counts = {name: called.count(name) for name in (*fold.names, UNKNOWN)}
    n = len(called)
    (generator,) = fold.left_out
    own = (rows["label"] == "fake") & (rows["source"] == generator)
    aurocs = {
        rule: measure.auroc(
            fold.unknown[fold.measured],
            score[fold.measured],
            config.resamples,
            config.seed,
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


def _identity(
    detector: Path, manifest: manifests.Manifest, config: Config
) -> dict[str, Any]:
    file = detector / "config.json"
    return {
        "format": FORMAT_VERSION,
        "attribute": configs.to_dict(config),
        "detector": configs.digest(read_json(file)) if file.is_file() else None,
        "manifest": manifest.digest(),
    }


def _split(manifest: manifests.Manifest, folder: Path) -> manifests.Manifest:
    """Return the manifest with splits, as the run folder keeps it."""
    from kerasfaces.train.data import split_if_needed

    path = folder / "manifest.csv"
    if not path.exists():
        manifests.write(split_if_needed(manifest), path)
    return manifests.read(path)
