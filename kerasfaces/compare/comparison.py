"""Several detectors -> one table on the rows they share: the content of compare.json."""

import dataclasses
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasfaces.compare import detectors as reading
from kerasfaces.compare import shared_rows
from kerasfaces.compare.content import ComparisonJson, CountsJson, DetectorJson
from kerasfaces.compare.detectors import Detector
from kerasfaces.compare.shared_rows import SharedRows
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.evaluate import slices
from kerasfaces.evaluate.metrics_json import FEW
from kerasfaces.metrics import (
    Estimate,
    Rows,
    System,
    Thresholds,
    differences,
    holm,
    measure_slices,
)
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.difference_tests import DifferenceJson
from kerasfaces.metrics.inputs import Bools
from kerasfaces.metrics.system_differences import METRICS
from kerasfaces.run import predictions

logger = logging.getLogger(__name__)
_FEW_SHARED = 0.5  # of the images any detector names: below, the table is about few


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Detectors measured on the same images, and the rows behind the numbers."""

    content: ComparisonJson  # what compare.json holds; see `compare`
    detectors: list[Detector]  # those compared, in the order of the arguments
    rows: SharedRows  # the images they share


def compare(
    arguments: Sequence[str],
    split: str = "test",
    *,
    root: Path | None = None,
    against: str | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Measure detectors on the rows all of them scored, and test their differences.

    Args:
        arguments: Run folders or CSV files, each perhaps as `NAME=PATH`; one that cannot be
            read is named and the rest go on.
        split: Whose predictions.
        root: What relative paths in CSV files are relative to.
        against: Name of the detector the others are compared with; by default the one
            with the highest AUC on these rows.
        resamples: Bootstrap resamples.
        seed: Keys them.

    Returns:
        The comparison, its `content` as compare.json holds it.

    Raises:
        KerasfacesError: Fewer than two could be read (the first one's own message) or share
            images (see `shared_rows.shared`); or no such `against`.
    """
    read, failed = _read_all(arguments, split, root)
    aligned, notes = shared_rows.align(read)
    aligned, odd = shared_rows.joinable(aligned)
    for why in odd.values():
        logger.warning("not compared: %s", why)
    rows = shared_rows.shared(aligned)
    masks = slices.masks(rows.rows, ["source"])
    metrics = {
        each.name: _measured(each, rows, masks, resamples, seed) for each in aligned
    }
    reference, rule = _reference(metrics, against)
    systems = shared_rows.systems(aligned, rows)
    tested = _differences(systems, rows.fake, masks, reference, resamples, seed)
    content: ComparisonJson = {
        "split": split,
        **_counts(rows.fake),
        "n_known": rows.n_known,
        "reference": reference,
        "reference_rule": rule,
        "detectors": {
            each.name: _entry(each, rows, metrics[each.name], tested.get(each.name, {}))
            for each in aligned
        },
        "slices": {name: _counts(rows.fake[mask]) for name, mask in masks.items()},
        "notes": [*notes, *rows.notes, *_few(rows)],
        "not_compared": failed | odd,
        "seed": seed,
        "resamples": resamples,
    }
    return Comparison(content, aligned, rows)


def _entry(
    detector: Detector,
    rows: SharedRows,
    metrics: Mapping[str, Mapping[str, Estimate]],
    differences: dict[str, dict[str, DifferenceJson]],
) -> DetectorJson:
    """Return what compare.json holds of a detector."""
    return {
        "path": str(detector.path),
        "threshold": detector.threshold,
        "point": detector.point.to_json() if detector.point else None,
        **rows.lacks[detector.name],
        "n_repeated": detector.n_repeated,
        "notes": [*detector.notes, *_doubts(detector, metrics["all"]["auc"])],
        "files": detector.files,
        "metrics": {
            name: {metric: part[metric].to_dict() for metric in METRICS}
            for name, part in metrics.items()
        },
        "differences": differences,
    }


def _read_all(
    arguments: Sequence[str], split: str, root: Path | None
) -> tuple[list[Detector], dict[str, str]]:
    """Return the detectors with unique names, and argument -> why it is left out."""
    detectors, failed = [], {}
    for text in arguments:
        try:
            detectors.append(reading.read(text, split, root))
        except KerasfacesError as error:
            failed[text] = error
    errors = list(failed.values())
    raised = errors.pop(0) if errors and len(detectors) < 2 else None
    for each in errors:
        logger.warning("not compared: %s", each)
    if len(detectors) < 2:
        raise raised or InputError(
            f"A comparison needs at least two detectors, got {len(detectors)}."
        )
    return reading.unique(detectors), {text: str(e) for text, e in failed.items()}


def _counts(fake: Bools) -> CountsJson:
    n_fake = int(fake.sum())
    return {"n": int(fake.size), "n_real": int(fake.size) - n_fake, "n_fake": n_fake}


def _measured(
    detector: Detector,
    shared: SharedRows,
    masks: Mapping[str, Bools],
    resamples: int,
    seed: int,
) -> dict[str, dict[str, Estimate]]:
    """Return every metric per slice; without a threshold only the ranking ones."""
    frame, point = shared.frames[detector.name], detector.point
    rank = predictions.ranking(frame)
    scores = frame["score"] if point else np.zeros(rank.size)
    thresholds = point.thresholds if point else Thresholds(0.5, 0.5)
    rows = Rows.of(shared.fake, rank, scores)
    measured = measure_slices(rows, masks, thresholds, resamples, seed)
    if point is None:
        nothing = Estimate(math.nan, math.nan, math.nan, detector.threshold)
        for part in measured.values():
            part.update({metric: nothing for metric in METRICS[2:]})
    return measured


def _differences(
    systems: Mapping[str, System],
    fake: Bools,
    masks: Mapping[str, Bools],
    reference: str,
    resamples: int,
    seed: int,
) -> dict[str, dict[str, dict[str, DifferenceJson]]]:
    """Return detector -> slice -> metric -> difference from the reference, as JSON.

    A slice without both classes has none. Holm's correction runs, per metric, over the
    detectors for all rows, and over detectors and sources together for the sources.
    """
    nested: dict[str, dict[str, dict[str, DifferenceJson]]] = {}
    families: dict[tuple[str, bool], list[tuple[DifferenceJson, float]]] = {}
    for name, mask in masks.items():
        if fake[mask].all() or not fake[mask].any():
            continue
        part = {each: system.where(mask) for each, system in systems.items()}
        tested = differences(fake[mask], part, reference, resamples, seed)
        for detector, by_metric in tested.items():
            content = {metric: each.to_dict() for metric, each in by_metric.items()}
            nested.setdefault(detector, {})[name] = content
            for metric, each in by_metric.items():
                family = families.setdefault((metric, name == "all"), [])
                family.append((content[metric], each.p_value))
    for family in families.values():
        corrected = holm([p for _, p in family])
        for (difference, _), p in zip(family, corrected, strict=True):
            difference["p_holm"] = None if math.isnan(p) else p
    return nested


def _reference(
    metrics: Mapping[str, Mapping[str, Mapping[str, Estimate]]], against: str | None
) -> tuple[str, str]:
    if against is None:
        best = max(metrics, key=lambda name: metrics[name]["all"]["auc"].value)
        return best, (
            "the highest AUC on these very rows, so it is flattered by their luck: a "
            "difference from it means something only where its p (Holm) is small"
        )
    if against not in metrics:
        raise InputError(
            f"`against={against!r}` is none of the detectors: {', '.join(metrics)}."
        )
    return against, "asked for"


def _doubts(detector: Detector, auc: Estimate) -> list[str]:
    point, sentences = detector.point, []
    if auc.high < 0.5:
        sentences.append(
            f"It ranks reals above fakes (AUC {auc.value:.3f}): is its score perhaps the "
            "probability of real? A file with 1 = real must be turned round."
        )
    if point is not None and point.n_real < FEW:
        sentences.append(f"Its threshold for 1 % false alarms: {point.rule_fpr_1pct}.")
    return sentences


def _few(shared: SharedRows) -> list[str]:
    n = len(shared.rows)
    if n >= _FEW_SHARED * shared.n_known:
        return []
    return [
        f"Only {n:,} of the {shared.n_known:,} images that some detector names were scored by "
        "all: the table is about those."
    ]
