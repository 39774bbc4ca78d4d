"""Make an attribution's run folder: every file of it, in order, resumable in between."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import pandas as pd

from kerasfaces import manifest as manifests
from kerasfaces.attribute import classes as class_rules
from kerasfaces.attribute import heads, measure, openset, rules
from kerasfaces.attribute.classes import UNKNOWN, Classes
from kerasfaces.attribute.heads import Answers
from kerasfaces.attribute.material import Material
from kerasfaces.core import config as configs
from kerasfaces.core import environment, folders
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json, write_json, write_text
from kerasfaces.evaluate.warn import audit_sentence
from kerasfaces.manifest import audit as audits
from kerasfaces.metrics import rate
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
        KerasfacesError: See `material.load`, `classes.find`; or the folder holds another
            attribution.
    """
    from kerasfaces.attribute import material, report

    config = config or Config()
    own = manifest is None
    material.check_run(detector)
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
        read = material.load(detector, manifest)
        notes = [] if own else ["The images are not those the detector was made with."]
        told = audits.kept(manifest, folder)
        if told and told["flagged"]:
            notes.append(audit_sentence(told))
        content = make(read, folder, config, notes)
        content = {**content, "detector": str(detector.resolve())}
        write_json(folder / FILE, content)
        page = report.render(content, folder.name)
        write_text(folder / "report.html", page)
    return folder


def make(
    material: Material, folder: Path, config: Config, notes: list[str] | None = None
) -> dict[str, Any]:
    """Train what is missing, write the tables, and return attribution.json's content."""
    readable = material.readable
    found = class_rules.find(material.rows, readable)
    for note in found.notes:
        logger.warning("%s", note)
    rows = material.rows[readable].reset_index(drop=True)
    trained = heads.train_all(
        rows, material.read, found, folder, config.l2, config.reject
    )
    answers = rules.chosen(rows, trained, found)
    for split in ("val", "test"):
        frame = heads.table(material.rows, material.reasons, answers[0], split)
        heads.write_table(frame, folder / f"attribution_{split}.csv")
    return _content(material, rows, found, answers, config, notes or [])


def _content(
    material: Material,
    rows: pd.DataFrame,
    found: Classes,
    answers: list[Answers],
    config: Config,
    notes: list[str],
) -> dict[str, Any]:
    every, *folds = answers
    bad = [
        f"{path}: {reason}"
        for path, reason in zip(material.rows["path"], material.reasons, strict=True)
        if reason
    ]
    said = [*notes, *found.notes]
    if not folds:
        said.append(
            "There is one generator: leaving it out would leave nothing to tell apart, so how "
            "well unknown generators are recognised was not measured."
        )
    if bad:
        said.append(f"{len(bad):,} images could not be read and are in no number.")
    shown = [
        (fold.known, fold.unknown, fold.score) for fold in folds if fold.unknown.any()
    ]
    return {
        "classes": found.to_json(),
        "open_set": every.point.to_json(),
        "test": {
            "with_unknown": _measured(rows, every, config, forced=False),
            "forced": _measured(rows, every, config, forced=True),
            "rejected": _rejected(every).to_dict(),
            "real_sources": heads.real_sources(rows, every),
        },
        "left_out": [_fold(rows, fold, config) for fold in folds],
        "mean_auroc_unknown": measure.mean_auroc(
            shown, config.resamples, config.seed
        ).to_dict(),
        "unreadable": bad[:50],
        "n_unreadable": len(bad),
        "notes": said,
        "config": configs.to_dict(config),
    }


def _measured(
    rows: pd.DataFrame, answers: Answers, config: Config, *, forced: bool
) -> dict[str, Any]:
    """Return matrix and numbers over known and unknown rows."""
    measured = answers.measured
    true = answers.true(rows[measured])
    names = answers.names if forced else (*answers.names, UNKNOWN)
    called = (
        openset.closest(answers.logits[measured], answers.names)
        if forced
        else heads.called_of(answers, measured)
    )
    matrix = measure.Matrix.of(true, called, names)
    return {
        "matrix": matrix.to_json(),
        **measure.summary(matrix, config.resamples, config.seed),
    }


def _fold(rows: pd.DataFrame, fold: Answers, config: Config) -> dict[str, Any]:
    """Return how a generator fares with a head that has never seen it."""
    called = heads.called_of(fold, fold.unknown)
    counts = {name: called.count(name) for name in (*fold.names, UNKNOWN)}
    n = len(called)
    (generator,) = fold.left_out
    own = (rows["label"] == "fake") & (rows["source"] == generator)
    return {
        "generator": generator,
        "n": n,
        "n_met": int(own.sum()) - n,
        "n_known": int(fold.known.sum()),
        "auroc": measure.auroc(
            fold.unknown[fold.measured],
            fold.score[fold.measured],
            config.resamples,
            config.seed,
        ).to_dict(),
        "rule": fold.rule,
        "auroc_by_rule": {
            rule: measure.auroc(
                fold.unknown[fold.measured],
                score[fold.measured],
                config.resamples,
                config.seed,
            ).to_dict()
            for rule, score in fold.scores.items()
        },
        "called_unknown": rate(counts[UNKNOWN], n, "no image of it").to_dict(),
        "called_real": rate(counts["real"], n, "no image of it").to_dict(),
        "known_rejected": _rejected(fold).to_dict(),
        "called": counts,
        "open_set": fold.point.to_json(),
        "numbers": _measured(rows, fold, config, forced=False),
    }


def _rejected(answers: Answers) -> Any:
    called = heads.called_of(answers, answers.known)
    return rate(called.count(UNKNOWN), len(called))


def _identity(
    detector: Path, manifest: manifests.Manifest, config: Config
) -> dict[str, Any]:
    made = detector / "config.json"
    return {
        "format": FORMAT_VERSION,
        "attribute": configs.to_dict(config),
        "detector": configs.digest(read_json(made)) if made.is_file() else None,
        "manifest": manifest.digest(),
    }


def _split(manifest: manifests.Manifest, folder: Path) -> manifests.Manifest:
    """Return the manifest with splits, as the run folder keeps it."""
    from kerasfaces.train.data import split_if_needed

    path = folder / "manifest.csv"
    if not path.exists():
        manifests.write(split_if_needed(manifest), path)
    return manifests.read(path)
