"""Logits of all versions -> each generator under each laundering, with intervals."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from kerasfaces import metrics
from kerasfaces.core.files import Json
from kerasfaces.launder import selective, shifts
from kerasfaces.launder.variants import UNTOUCHED, Variant
from kerasfaces.metrics import Estimate
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.run.operating_point import OperatingPoint

ALL = "all"
NO_VERDICT = "no verdict"
METRICS = (
    "auc",
    "auc_change",
    "balanced_accuracy",
    "recall",
    "false_alarm_rate",
    "tpr_at_fpr_1pct",
    "false_alarms_at_fpr_1pct",
    "coverage",
    "risk",
    "shift_real",
    "shift_fake",
    "bias_index",
)
_MEASURED = (
    "auc",
    "balanced_accuracy",
    "recall",
    "false_alarm_rate",
    "tpr_at_fpr_1pct",
)


@dataclasses.dataclass(frozen=True)
class Answers:
    """What the detector says of every version of every image."""

    fake: Bools  # `(n,)`
    source: pd.Series  # `(n,)` names of cameras and generators
    variants: Sequence[Variant]  # the versions, untouched first
    logits: Floats  # `(n, variants)` float64, NaN where there is none
    # `(n, variants)`, whether that is because the detector judges no picture of that
    # size.
    refused: Bools
    point: OperatingPoint  # calibration, thresholds and band, frozen on validation

    @property
    def generators(self) -> dict[str, int]:
        """Number of images of each fake source, largest first."""
        counts = self.source[self.fake].value_counts()
        return {str(name): int(n) for name, n in counts.items()}

    @property
    def cameras(self) -> list[str]:
        """The real sources, largest first."""
        return [str(name) for name in self.source[~self.fake].value_counts().index]


@dataclasses.dataclass(frozen=True)
class Cell:
    """One generator under one laundering at one strength, all reals laundered alike."""

    generator: str  # source of the fakes, or `all`
    variant: Variant  # the laundering
    # `run`, or why there is no number; `no verdict: ...` where the detector judges no
    # picture of that size, which is no fault of it.
    status: str = "run"
    n_real: int = 0  # number of real images with a logit
    n_fake: int = 0  # number of fake ones
    n_lost: int = 0  # images of the cell without a logit of this version
    # The numbers of `METRICS`.
    metrics: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)

    @property
    def auc(self) -> float:
        """The AUC; NaN where there is none."""
        return self.metrics["auc"].value if self.metrics else math.nan

    def to_dict(self) -> Json:
        """Return JSON types."""
        return {
            "generator": self.generator,
            **self.variant.to_dict(),
            "status": self.status,
            "n_real": self.n_real,
            "n_fake": self.n_fake,
            "n_lost": self.n_lost,
            "metrics": {name: each.to_dict() for name, each in self.metrics.items()},
        }


def measure(
    answers: Answers, at_least: int, resamples: int, seed: int
) -> tuple[list[Cell], list[Json]]:
    """Return every cell, and every camera's false alarms as launder.json has them.

    Args:
        answers: Of the detector.
        at_least: Images below which a generator is named, not measured.
        resamples: Bootstrap resamples.
        seed: Keys them; every version of a generator sees the same draws.
    """
    counts = answers.generators
    measured = [name for name, n in counts.items() if n >= at_least]
    names = [*([ALL] if len(counts) > 1 else []), *measured]
    sides = {
        name: ~answers.fake
        | (
            answers.fake
            if name == ALL
            else (answers.source == name).to_numpy() & answers.fake
        )
        for name in names
    }
    cells: list[Cell] = []
    cameras: list[Json] = []
    for number, variant in enumerate(answers.variants):
        cells += _of_variant(answers, number, variant, sides, resamples, seed)
        cameras += list(_cameras(answers, number, variant))
    for name, n in counts.items():
        if n < at_least:
            status = f"not run: {n} images, fewer than {at_least}"
            cells.append(Cell(name, UNTOUCHED, status, 0, n))
    return cells, cameras


def worst(cells: Sequence[Cell]) -> Cell | None:
    """Return the cell with the lowest AUC; None when nothing was measured."""
    usable = [each for each in cells if math.isfinite(each.auc)]
    single = [each for each in usable if each.generator != ALL]
    return min(single or usable, key=lambda each: each.auc, default=None)


def _of_variant(
    answers: Answers,
    number: int,
    variant: Variant,
    sides: Mapping[str, Bools],
    resamples: int,
    seed: int,
) -> Iterator[Cell]:
    logits = answers.logits[:, number]
    known = np.isfinite(logits)
    scores = answers.point.apply(logits)
    rows = metrics.Rows.of(answers.fake[known], logits[known], scores[known])
    thresholds = answers.point.thresholds
    masks = {name: side[known] for name, side in sides.items()}
    both = {
        name: mask
        for name, mask in masks.items()
        if (mask & rows.fake).any() and (mask & ~rows.fake).any()
    }
    measured = metrics.measure_slices(rows, both, thresholds, resamples, seed)
    for name, side in sides.items():
        n_real = int((masks[name] & ~rows.fake).sum())
        n_fake = int((masks[name] & rows.fake).sum())
        n_lost = int((side & ~known).sum())
        if name not in both:
            absent = side & ~known & (answers.fake == bool(n_real))
            if answers.refused[absent, number].all():
                status = f"{NO_VERDICT}: every picture is too small to judge"
            else:
                missing = "fake" if n_real else "real"
                status = f"not run: no {missing} image has a logit"
            yield Cell(name, variant, status, n_real, n_fake, n_lost)
            continue
        part = rows.where(masks[name])
        strict = metrics.confusion(part.fake, part.score, thresholds.fpr_1pct)
        numbers = {key: measured[name][key] for key in _MEASURED}
        numbers["false_alarms_at_fpr_1pct"] = metrics.rate(strict.alarms, strict.n_real)
        numbers |= selective.at_band(part.fake, part.score, answers.point)
        numbers |= _changes(answers, number, side, resamples, seed)
        ordered = {key: numbers[key] for key in METRICS if key in numbers}
        yield Cell(name, variant, "run", n_real, n_fake, n_lost, ordered)


def _changes(
    answers: Answers, number: int, side: Bools, resamples: int, seed: int
) -> dict[str, Estimate]:
    """Return what laundering changes, on images that have a logit before and after."""
    before, after = answers.logits[:, 0], answers.logits[:, number]
    both = side & np.isfinite(before) & np.isfinite(after)
    fake, before, after = answers.fake[both], before[both], after[both]
    if number == 0 or len(np.unique(fake)) < 2:
        return {}
    change = metrics.auc_difference(fake, after, before, resamples, seed).estimate
    unit = shifts.unit_of(fake, before)
    return {"auc_change": change, **shifts.measure(fake, before, after, unit)}


def _cameras(answers: Answers, number: int, variant: Variant) -> Iterator[Json]:
    """Yield how many photos of each camera are called fake after one laundering."""
    scores = answers.point.apply(answers.logits[:, number])
    thresholds = answers.point.thresholds
    for camera in answers.cameras:
        own = scores[~answers.fake & (answers.source == camera).to_numpy()]
        own = own[np.isfinite(own)]
        main, strict = (
            metrics.rate(int((own >= at).sum()), len(own)).to_dict()
            for at in (thresholds.main, thresholds.fpr_1pct)
        )
        yield {
            "camera": camera,
            **variant.to_dict(),
            "n": len(own),
            "false_alarm_rate": main,
            "at_fpr_1pct": strict,
        }
