"""Several detectors -> one table on the rows they share: the content of compare.json."""

import dataclasses
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.compare import detectors as reading
from kerasfaces.compare import paired_tests, shared_rows
from kerasfaces.compare.detectors import Detector
from kerasfaces.compare.shared_rows import Shared
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.evaluate import slices
from kerasfaces.evaluate.metrics_json import FEW
from kerasfaces.metrics import Estimate, Rows, Thresholds, measure_slices
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.inputs import Bools
from kerasfaces.metrics.intervals import EstimateJson
from kerasfaces.metrics.system_differences import METRICS
from kerasfaces.run import predictions

logger = logging.getLogger(__name__)
_RANKING = ("auc", "ap")
_FEW_SHARED = 0.5  # of the images any detector names: below, the table is about few


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        content: What compare.json holds; see `compare`.
        detectors: Those compared, in the order given.
        rows: The images they share.
        not_compared: Argument -> why it is not in the table.
    """

    content: dict[str, Any]
    detectors: list[Detector]
    rows: Shared
    not_compared: dict[str, str]


def read_all(
    arguments: Sequence[str], split: str = "test", root: Path | None = None
) -> tuple[list[Detector], dict[str, str]]:
    """Read every detector; one that cannot be read is named and the rest go on.

    Args:
        arguments: Run folders or CSV files, each perhaps as `NAME=PATH`.
        split: Whose predictions.
        root: What relative paths in CSV files are relative to.

    Returns:
        The detectors with unique names, and argument -> why it is left out.

    Raises:
        KerasfacesError: Fewer than two are left; the first one's own message.
    """
    found, failed = [], {}
    errors: list[KerasfacesError] = []
    for text in arguments:
        try:
            found.append(reading.read(text, split, root))
        except KerasfacesError as error:
            logger.warning("not compared: %s", error)
            failed[text] = str(error)
            errors.append(error)
    if len(found) < 2 and errors:
        raise errors[0]
    if len(found) < 2:
        raise InputError(
            f"A comparison needs at least two detectors, got {len(found)}."
        )
    return reading.unique(found), failed


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
        arguments: See `read_all`.
        split: Whose predictions.
        root: See `read_all`.
        against: Name of the detector the others are compared with; by default the one
            with the highest AUC on these rows.
        resamples: Bootstrap resamples.
        seed: Keys them.

    Returns:
        `content`: `{"split", "n", "n_real", "n_fake", "n_known", "reference",
        "reference_rule", "detectors": {name: {"path", "threshold", "point", "n",
        "n_missing", "n_unscored", "n_repeated", "examples", "notes", "files", "metrics":
        {slice: {metric: {value, low, high, method}}}, "differences": {slice: {metric:
        {value, low, high, method, p, p_holm}}}}}, "slices": {slice: {"n_real",
        "n_fake"}}, "notes", "not_compared", "seed", "resamples"}`.

    Raises:
        KerasfacesError: See `read_all` and `shared_rows.shared`; or no such `against`.
    """
    read, failed = read_all(arguments, split, root)
    aligned, notes = shared_rows.align(read)
    aligned, odd = shared_rows.joinable(aligned)
    for why in odd.values():
        logger.warning("not compared: %s", why)
    failed |= odd
    rows = shared_rows.shared(aligned)
    masks = slices.masks(rows.rows, ["source"])
    metrics = {
        each.name: _measured(each, rows, masks, resamples, seed) for each in aligned
    }
    reference, rule = _reference(metrics, against)
    tested = paired_tests.against(aligned, rows, masks, reference, resamples, seed)
    content = {
        "split": split,
        **_counts(rows.fake),
        "n_known": rows.n_known,
        "reference": reference,
        "reference_rule": rule,
        "detectors": {
            each.name: {
                "path": str(each.path),
                "threshold": each.threshold,
                "point": each.point.to_json() if each.point else None,
                **dataclasses.asdict(rows.lacks[each.name]),
                "n_repeated": each.n_repeated,
                "notes": [*each.notes, *_odd(each, metrics[each.name]["all"])],
                "files": each.files,
                "metrics": _to_json(metrics[each.name]),
                "differences": tested.get(each.name, {}),
            }
            for each in aligned
        },
        "slices": {name: _counts(rows.fake[mask]) for name, mask in masks.items()},
        "notes": [*notes, *rows.notes, *_few(rows)],
        "not_compared": failed,
        "seed": seed,
        "resamples": resamples,
    }
    return Comparison(content, aligned, rows, failed)


def _counts(fake: Bools) -> dict[str, int]:
    n_fake = int(fake.sum())
    return {"n": int(fake.size), "n_real": int(fake.size) - n_fake, "n_fake": n_fake}


def _measured(
    detector: Detector,
    shared: Shared,
    masks: Mapping[str, Bools],
    resamples: int,
    seed: int,
) -> dict[str, dict[str, Estimate]]:
    """Return the headline metrics per slice; without a threshold only the ranking ones."""
    frame = shared.frames[detector.name]
    rank = predictions.ranking(frame)
    point = detector.point
    scores = frame["score"] if point else np.zeros(rank.size)
    thresholds = point.thresholds if point else Thresholds(0.5, 0.5)
    found = measure_slices(
        Rows.of(shared.fake, rank, scores), masks, thresholds, resamples, seed
    )
    nothing = Estimate(math.nan, math.nan, math.nan, detector.threshold)
    return {
        name: {
            metric: part[metric] if point or metric in _RANKING else nothing
            for metric in METRICS
        }
        for name, part in found.items()
    }


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


def _to_json(
    metrics: Mapping[str, Mapping[str, Estimate]],
) -> dict[str, dict[str, EstimateJson]]:
    return {
        name: {metric: each.to_dict() for metric, each in part.items()}
        for name, part in metrics.items()
    }


def _odd(detector: Detector, found: Mapping[str, Estimate]) -> list[str]:
    auc, point, said = found["auc"], detector.point, []
    if auc.high < 0.5:
        said.append(
            f"It ranks reals above fakes (AUC {auc.value:.3f}): is its score perhaps the "
            "probability of real? A file with 1 = real must be turned round."
        )
    if point is not None and point.n_real < FEW:
        said.append(f"Its threshold for 1 % false alarms: {point.rule_fpr_1pct}.")
    return said


def _few(shared: Shared) -> list[str]:
    n = len(shared.rows)
    if n >= _FEW_SHARED * shared.n_known:
        return []
    return [
        f"Only {n:,} of the {shared.n_known:,} images that some detector names were scored by "
        "all: the table is about those."
    ]
