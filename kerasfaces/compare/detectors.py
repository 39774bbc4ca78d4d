"""A run folder, or a predictions.csv written elsewhere -> one detector to compare.

Its threshold is the one frozen in its run folder, or is chosen here on its own
validation predictions, or there is none: never one from the rows that are compared.
"""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.compare import external_predictions
from kerasfaces.compare.external_predictions import ExternalPredictions
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.core.texts import listed, quoted
from kerasfaces.metrics.inputs import Floats
from kerasfaces.run import kinds, predictions
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point

OWN_VALIDATION = (
    "Not a result: its threshold and calibration were chosen on these very images."
)
OWN_TRAINING = "Not a result: it was trained on these images."
TURNED = (
    "Its validation ranks reals above fakes, so calibration turns it round: what needs a "
    "threshold, and an ensemble, count it as if it said the opposite; AUC and average "
    "precision do not."
)
_MOST = 1e-12  # probabilities nearer to 0 or 1 count as this near


@dataclasses.dataclass(frozen=True, kw_only=True)
class Detector:
    """A detector's answers on its images."""

    name: str  # unique among those compared
    path: Path  # run folder or file
    # Predictions of the compared split; `key` names the image, `logit` is the
    # detector's own, `score` is calibrated where there is a point.
    frame: pd.DataFrame
    val: pd.DataFrame | None  # predictions of its validation images, likewise, or None
    point: OperatingPoint | None  # frozen operating point, or None
    threshold: str  # where the point comes from, or why there is none
    n_repeated: int  # repeated rows, taken once
    notes: tuple[str, ...]  # what was mended or is odd, a sentence each
    files: dict[str, str]  # file name -> SHA-256 of everything that was read


def read(text: str, split: str = "test", root: Path | None = None) -> Detector:
    """Read `PATH` or `NAME=PATH`: a run folder, an evaluation's inside one, or a CSV file.

    Relative paths in a CSV file are relative to `root`.

    Raises:
        MissingFileError: There is no such file or folder, or no predictions in it.
        InputError: A file breaks the contract, or has no row of the split.
        RunError: The run folder is damaged.
    """
    name, path = _named(text)
    if path.is_dir() and not (path / "predictions.csv").is_file():
        return _read_run(name, path, split)
    if kinds.is_foreign_model(path):
        raise InputError(f"{path} {kinds.why_no_run(path)}")
    file = path / "predictions.csv" if path.is_dir() else path
    if not file.exists():
        raise MissingFileError(
            f"{path} does not exist; expected a run folder made by train, or a CSV file of "
            "predictions."
        )
    table = external_predictions.read(file)
    frame = table.frame.assign(key=_keys(table.frame, root))
    return _detector(
        name,
        path,
        table,
        _part(frame, split, file),
        None if split == "val" else frame[frame["split"] == "val"],
        {file.name: sha256(file)},
        split,
        notes=[OWN_TRAINING] if split == "train" else [],
    )


def log_odds(frame: pd.DataFrame, point: OperatingPoint | None) -> Floats:
    """Return calibrated log-odds of fake, `(n,)`, of rows that all have a score.

    From the logit where there is one, as a score of 1.0 has forgotten how sure it was.
    """
    if point is not None and frame["logit"].notna().any():
        return point.calibrator.log_odds(frame["logit"])
    score = frame["score"].to_numpy(dtype=np.float64)
    score = np.clip(score, _MOST, 1 - _MOST)
    return np.asarray(np.log(score / (1 - score)), dtype=np.float64)


def unique(detectors: Sequence[Detector]) -> list[Detector]:
    """Give each detector a name of its own: `name`, `parent/name`, then numbers.

    Raises:
        InputError: A file or folder occurs twice.
    """
    places = [each.path.resolve() for each in detectors]
    for index, each in enumerate(detectors):
        if places[index] in places[:index]:
            raise InputError(f"{each.path} was given twice; compare it once.")
    names = [each.name for each in detectors]
    names = [
        f"{place.parent.name}/{name}" if names.count(name) > 1 else name
        for place, name in zip(places, names, strict=True)
    ]
    numbered = [
        f"{name} ({names[:index].count(name) + 1})" if names.count(name) > 1 else name
        for index, name in enumerate(names)
    ]
    return [
        dataclasses.replace(each, name=name)
        for each, name in zip(detectors, numbered, strict=True)
    ]


def _named(text: str) -> tuple[str, Path]:
    path = Path(text)
    name, equals, rest = text.partition("=")
    if equals and name and rest and not path.exists():
        return name, Path(rest)
    place = path.resolve()
    if path.is_dir() or not place.stem.startswith("predictions"):
        inside = path.is_dir() and place.parent.name == "evaluations"
        name = place.name if path.is_dir() else place.stem
        return (f"{place.parents[1].name}/{name}" if inside else name), path
    return place.parent.name or place.stem, path


def _read_run(name: str, folder: Path, split: str) -> Detector:
    asked = ScoredRun(folder)
    asked.check_format()
    file = asked.predictions_file(split)
    if not file.is_file():
        raise MissingFileError(f"{folder} {_why_no_predictions(asked, split)}")
    # An evaluation on other images keeps the operating point of the run it lies in.
    run, table = asked.origin, external_predictions.read(file)
    frame = table.frame.assign(key=_keys(table.frame, asked.image_root))
    files = {file.name: sha256(file)}
    val, val_file = None, run.predictions_file("val")
    if val_file.is_file() and (split != "val" or asked.is_evaluation):
        val = external_predictions.read(val_file).frame
        val = val[val["split"] == "val"].assign(key=lambda v: _keys(v, run.image_root))
        files[val_file.name] = sha256(val_file)
    point = None
    if run.point_file.is_file():
        point = run.operating_point
        files[run.point_file.name] = sha256(run.point_file)
    part = _part(frame, split, file)
    detector = _detector(name, folder, table, part, val, files, split, point)
    notes = (*detector.notes, *_seen(asked, split, detector.point))
    return dataclasses.replace(detector, notes=notes)


def _detector(
    name: str,
    path: Path,
    table: ExternalPredictions,
    frame: pd.DataFrame,
    val: pd.DataFrame | None,
    files: dict[str, str],
    split: str,
    frozen: OperatingPoint | None = None,
    notes: Sequence[str] = (),
) -> Detector:
    """Join what was read; without a frozen point one is chosen on validation."""
    if val is not None and len(val):
        val = val.reset_index(drop=True)
        _check_apart(frame, val, path)
    else:
        val = None
    point = frozen
    threshold = f"frozen by its run: {frozen.rule}" if frozen else ""
    if point is None:
        point, threshold = _choose(val, split)
        if point is not None and val is not None:
            frame, val = _scored(frame, point), _scored(val, point)
    turned = [TURNED] if point is not None and point.calibrator.a < 0 else []
    return Detector(
        name=name,
        path=path,
        frame=frame,
        val=val,
        point=point,
        threshold=threshold,
        n_repeated=table.n_repeated,
        notes=(*table.notes, *turned, *notes),
        files=files,
    )


def _seen(run: ScoredRun, split: str, point: OperatingPoint | None) -> list[str]:
    """Return a sentence where a run is measured on images that it was made with."""
    if not run.is_evaluation and split != "test":
        fitted = [OWN_VALIDATION] if point is not None else []
        return fitted if split == "val" else [OWN_TRAINING]
    n = run.settings.get("seen")
    if not n:
        return []
    return [f"Not a result: it was trained or validated on {n:,} of its images."]


def _why_no_predictions(run: ScoredRun, split: str) -> str:
    others = [run.predictions_file(name).name for name in run.predicted]
    if others:
        return f"has no predictions of {split}; it holds {listed(others)}."
    if run.point_file.is_file():
        name = run.predictions_file(split).name
        return f"holds no {name}; restore it, or train the run again."
    return kinds.why_no_run(run.path)


def _choose(val: pd.DataFrame | None, split: str) -> tuple[OperatingPoint | None, str]:
    if val is None:
        compared = "its validation predictions are what is compared"
        lacks = compared if split == "val" else "it has no validation predictions"
        return None, f"no threshold: {lacks}"
    try:
        # Sorted, as the order of a sum changes its last digit.
        validation = ValidationPredictions(val.sort_values("key", kind="stable"))
    except InputError:
        return None, "no threshold: its validation has only one class with scores"
    point = choose_operating_point(validation)
    n = validation.n_real + validation.n_fake
    return point, f"chosen on its own {n:,} validation predictions: {point.rule}"


def _scored(frame: pd.DataFrame, point: OperatingPoint) -> pd.DataFrame:
    """Return calibrated scores; the detector's own values go on to rank the rows."""
    ranking = predictions.ranking(frame)
    return frame.assign(logit=ranking, score=point.apply(ranking))


def _part(frame: pd.DataFrame, split: str, file: Path) -> pd.DataFrame:
    part = frame[frame["split"] == split].reset_index(drop=True)
    if part.empty:
        known = ", ".join(sorted(set(frame["split"]))) or "none"
        raise InputError(
            f"{file}: no row has split {quoted(split)}; expected some, got splits: {known}. Ask "
            "for another with `split`."
        )
    return part


def _check_apart(frame: pd.DataFrame, val: pd.DataFrame, folder: Path) -> None:
    both = sorted(set(frame["key"]) & set(val["key"]))
    if both:
        raise InputError(
            f"{folder}: {len(both):,} images are in the compared split and in validation, "
            f"e.g. {quoted(both[0])}; its threshold was chosen on the rows it would be judged on."
        )


def _keys(frame: pd.DataFrame, root: Path | None) -> list[str]:
    """Return absolute paths where it is known what they are relative to."""
    from kerasfaces.manifest.table import absolute

    if root is not None:
        return absolute(frame["path"], root)
    return [os.path.normpath(text) for text in frame["path"]]
