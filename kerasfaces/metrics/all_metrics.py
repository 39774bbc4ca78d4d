"""All metrics of one set of rows or of many slices, each with interval and method."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.metrics import intervals, ranking
from kerasfaces.metrics.bootstrap import (
    RESAMPLES,
    Resamples,
    Side,
    bootstrap,
    rate_draws,
)
from kerasfaces.metrics.calibration import brier, ece
from kerasfaces.metrics.inputs import Bools, Floats, as_labels, as_scored, as_values
from kerasfaces.metrics.intervals import LEVEL, Estimate, percentiles, rate, undefined

NAMES = (
    "auc",
    "ap",
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "tpr_at_fpr_1pct",
    "false_alarm_rate",
    "miss_rate",
    "ece",
    "brier",
)
_FEWEST = 10  # images of a class below which a bootstrapped mean has no interval


@dataclasses.dataclass(frozen=True)
class Rows:
    """Checked columns of the rows to measure.

    Attributes:
        fake: `(n,)` bool.
        logit: `(n,)` float64, finite; ranks the rows.
        score: `(n,)` float64, 0..1, calibrated probability of fake.
    """

    fake: Bools
    logit: Floats
    score: Floats

    @classmethod
    def of(cls, labels: ArrayLike, logits: ArrayLike, scores: ArrayLike) -> "Rows":
        """Check the columns.

        Raises:
            InputError: NaN, other labels, other lengths, or scores outside 0..1.
        """
        logit, score = as_values(logits, "logits"), as_values(scores, "scores")
        if logit.size != score.size:
            raise InputError(
                f"{logit.size} logits for {score.size} scores; expected as many."
            )
        if score.size and not 0 <= score.min() <= score.max() <= 1:
            raise InputError(
                f"scores: expected probabilities in 0..1, got {score.min():g}..{score.max():g}."
            )
        return cls(as_labels(labels, logit.size), logit, score)

    def where(self, mask: Bools) -> "Rows":
        """Return the rows where `mask` is True."""
        return Rows(self.fake[mask], self.logit[mask], self.score[mask])


@dataclasses.dataclass(frozen=True)
class Thresholds:
    """Scores at or above which an image is called fake, frozen on validation.

    Attributes:
        main: The operating point.
        fpr_1pct: The one set for 1 % false alarms.
    """

    main: float
    fpr_1pct: float


@dataclasses.dataclass(frozen=True)
class Confusion:
    """How many images were called what.

    Attributes:
        hits: Fakes called fake.
        misses: Fakes called real.
        alarms: Reals called fake.
        passes: Reals called real.
    """

    hits: int
    misses: int
    alarms: int
    passes: int

    @property
    def n_fake(self) -> int:
        """Number of fakes."""
        return self.hits + self.misses

    @property
    def n_real(self) -> int:
        """Number of reals."""
        return self.alarms + self.passes

    @property
    def n(self) -> int:
        """Number of images."""
        return self.n_fake + self.n_real


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Count the four outcomes of `score >= threshold`.

    Args:
        labels: `(n,)`; 1 or `fake` is positive.
        scores: `(n,)` finite.
        threshold: Given, never fitted to these rows.

    Raises:
        InputError: NaN or other labels.
    """
    fake, values = as_scored(labels, scores, "scores")
    called = values >= threshold
    hits, n_fake = int((called & fake).sum()), int(fake.sum())
    alarms = int(called.sum()) - hits
    return Confusion(hits, n_fake - hits, alarms, fake.size - n_fake - alarms)


def measure(
    rows: Rows, thresholds: Thresholds, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Return every metric of `NAMES` for one set of rows (see `measure_slices`)."""
    masks = {"all": np.ones(rows.fake.size, dtype=bool)}
    return measure_slices(rows, masks, thresholds, resamples, seed)["all"]


def measure_slices(
    rows: Rows,
    masks: Mapping[str, Bools],
    thresholds: Thresholds,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, dict[str, Estimate]]:
    """Return every metric of `NAMES` for every slice.

    Rates have exact intervals; AUC, AP, ECE and Brier score are bootstrapped within
    each class. What a slice cannot tell (a ranking of one class) is NaN with the
    reason as its method.

    Args:
        rows: The rows.
        masks: Slice -> `(n,)` bool.
        thresholds: Frozen on validation.
        resamples: Bootstrap resamples.
        seed: Keys the resamples; the order of rows and slices does not matter.
    """
    samples = bootstrap(_sides(rows, masks), resamples, seed)
    method = f"stratified bootstrap, {resamples} resamples"
    measured = {}
    for name, mask in masks.items():
        part = rows.where(mask)
        c = confusion(part.fake, part.score, thresholds.main)
        estimates = _rates(c, confusion(part.fake, part.score, thresholds.fpr_1pct))
        if name in samples:
            generator = rng.generator(seed, "rates", name)
            estimates |= _ranked(part, c, samples[name], method)
            estimates |= _from_counts(c, generator, resamples, method)
            estimates |= _calibrated(part, c, samples[name], method)
        absent = f"{'real' if c.n_fake else 'fake'} images" if c.n else "images"
        missing = undefined(f"no {absent}")
        measured[name] = {key: estimates.get(key, missing) for key in NAMES}
    return measured


def _sides(rows: Rows, masks: Mapping[str, Bools]) -> dict[str, tuple[Side, Side]]:
    """Return reals and fakes of each slice that has both; equal sets are shared."""
    known: dict[tuple[bool, bytes], Side] = {}
    pairs = {}
    for name, mask in sorted(masks.items()):  # the first name keys shared draws
        sides = []
        for outcome in (False, True):
            chosen = mask & (rows.fake == outcome)
            if not chosen.any():
                break
            key = (outcome, np.packbits(chosen).tobytes())
            if key not in known:
                known[key] = Side.of(
                    f"{name}/{'fake' if outcome else 'real'}",
                    rows.logit[chosen],
                    rows.score[chosen],
                    float(outcome),
                )
            sides.append(known[key])
        else:
            pairs[name] = (sides[0], sides[1])
    return pairs


def _rates(c: Confusion, strict: Confusion) -> dict[str, Estimate]:
    note = f"; {strict.alarms} of {strict.n_real} reals are false alarms there"
    note = note if strict.n_real else ""
    return {
        "accuracy": rate(c.hits + c.passes, c.n),
        "recall": rate(c.hits, c.n_fake, "no fake images"),
        "tpr_at_fpr_1pct": rate(strict.hits, c.n_fake, "no fake images", note),
        "false_alarm_rate": rate(c.alarms, c.n_real, "no real images"),
        "miss_rate": rate(c.misses, c.n_fake, "no fake images"),
    }


def _ranked(
    rows: Rows, c: Confusion, samples: Resamples, method: str
) -> dict[str, Estimate]:
    auc, ap = ranking.auc(rows.fake, rows.logit), ranking.ap(rows.fake, rows.logit)
    limits = percentiles(samples.ap, ap)
    if intervals.is_near_perfect(auc, c.n_real, c.n_fake):
        area = intervals.newcombe_auc(auc, c.n_real, c.n_fake)
        carried_over = intervals.newcombe_ap(ap, area, c.n_real, c.n_fake, limits)
        return {"auc": area, "ap": carried_over}
    return {
        "auc": Estimate(auc, *percentiles(samples.auc, auc), method),
        "ap": Estimate(ap, *limits, method),
    }


def _from_counts(
    c: Confusion, generator: np.random.Generator, resamples: int, method: str
) -> dict[str, Estimate]:
    """Balanced accuracy, precision and F1: functions of two independent binomials."""
    hits = rate_draws(c.hits, c.n_fake, resamples, generator)
    alarms = rate_draws(c.alarms, c.n_real, resamples, generator)
    if c.hits in (0, c.n_fake) or c.alarms in (0, c.n_real):
        method += "; a rate of 0 or 1 is drawn from its Clopper-Pearson distribution"
    n_hits, n_alarms = hits * c.n_fake, alarms * c.n_real
    both = n_hits + n_alarms

    def estimate(value: float, drawn: Floats) -> Estimate:
        return Estimate(value, *percentiles(drawn, value), method)

    precision = undefined("nothing was called fake")
    if c.hits + c.alarms:
        drawn = n_hits[both > 0] / both[both > 0]
        precision = estimate(c.hits / (c.hits + c.alarms), drawn)
    balanced = (c.hits / c.n_fake + c.passes / c.n_real) / 2
    f1 = 2 * c.hits / (2 * c.hits + c.alarms + c.misses)
    return {
        "balanced_accuracy": estimate(balanced, (hits + 1 - alarms) / 2),
        "precision": precision,
        "f1": estimate(f1, 2 * n_hits / (both + c.n_fake)),
    }


def _calibrated(
    rows: Rows, c: Confusion, samples: Resamples, method: str
) -> dict[str, Estimate]:
    gap, loss = ece(rows.fake, rows.score), brier(rows.fake, rows.score)
    if min(c.n_real, c.n_fake) < _FEWEST:
        why = f"no interval: fewer than {_FEWEST} images of a class"
        return {
            "ece": Estimate(gap, np.nan, np.nan, why),
            "brier": Estimate(loss, np.nan, np.nan, why),
        }
    # A resample's ECE is larger than its rows', and theirs than the truth: noise adds to
    # every bin's gap. The truth is no lower than theirs by more than the noise.
    bias = float(samples.ece.mean()) - gap
    _, high = percentiles(np.clip(samples.ece - bias, 0, 1), gap)
    low = max(0.0, gap - float(np.quantile(samples.ece_noise, (1 + LEVEL) / 2)))
    how = ", their bias removed; lower limit: minus what noise alone adds"
    return {
        "ece": Estimate(gap, low, high, method + how),
        "brier": Estimate(loss, *percentiles(samples.brier, loss), method),
    }
