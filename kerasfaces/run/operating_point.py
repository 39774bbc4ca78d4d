"""Validation predictions -> calibrator, thresholds and abstain band, then frozen.

Everything here is chosen on validation. That is enforced by type: the only way to choose
is through `ValidationPredictions`, which takes no row of another split.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.metrics import (
    Platt,
    Thresholds,
    clopper_pearson,
    confusion,
    fit_platt,
)
from kerasfaces.metrics.calibration import sigmoid
from kerasfaces.metrics.inputs import Bools, Floats

if TYPE_CHECKING:  # whoever only applies a point does without
    import pandas as pd

_MOST_ABSTAINED = 0.5  # of the validation images


class ValidationPredictions:
    """Readable rows of the validation split.

    Attributes:
        fake: `(n,)` bool.
        logit: `(n,)` float64, finite.
        n_real: Number of real images.
        n_fake: Number of fake images.
    """

    def __init__(self, frame: "pd.DataFrame") -> None:
        """Take predictions; rows of another split, or of one class alone, are refused."""
        from kerasfaces.run import predictions

        others = sorted(set(frame["split"]) - {"val"})
        if others:
            raise InputError(
                f"An operating point is chosen on validation only; got rows of split "
                f"{', '.join(repr(name) for name in others)}, expected 'val'."
            )
        rows = predictions.readable(frame)
        self.fake: Bools = (rows["label"] == "fake").to_numpy()
        self.logit: Floats = predictions.ranking(rows)
        self.n_fake = int(self.fake.sum())
        self.n_real = len(rows) - self.n_fake
        if self.n_real == 0 or self.n_fake == 0:
            raise InputError(
                f"Validation has {self.n_real} readable real and {self.n_fake} fake images; "
                "a threshold needs at least 1 of each. Give it more rows, e.g. with "
                "`data.split(ratio='3:1:1', overwrite=True)`."
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class OperatingPoint:
    """How a logit becomes an answer; read by everything that uses a run.

    Attributes:
        calibrator: logit -> score, the probability of fake at validation's class mix.
        threshold: Scores at or above it are called fake.
        rule: How the threshold was chosen.
        threshold_fpr_1pct: The threshold set for 1 % false alarms.
        rule_fpr_1pct: How that one was chosen, and how coarse it is.
        abstain: Scores `low <= score <= high` deserve "unsure"; equal when never.
        false_alarm_rate: At `threshold`, on validation.
        miss_rate: At `threshold`, on validation.
        n_real: Number of real images it was chosen on.
        n_fake: Number of fake ones.
        own_photos: Of the user's own real photos, where the threshold was chosen on those:
            `n`, `flagged`, 95 % limits `low` and `high` of their share, and the
            `max_false_alarms` that was asked for.
    """

    calibrator: Platt
    threshold: float
    rule: str
    threshold_fpr_1pct: float
    rule_fpr_1pct: str
    abstain: tuple[float, float]
    false_alarm_rate: float
    miss_rate: float
    n_real: int
    n_fake: int
    own_photos: Json | None = None

    @property
    def thresholds(self) -> Thresholds:
        """Both thresholds, as the metrics want them."""
        return Thresholds(self.threshold, self.threshold_fpr_1pct)

    def apply(self, logits: ArrayLike) -> Floats:
        """Return calibrated scores `(n,)` of logits `(n,)`; NaN stays NaN."""
        values = np.asarray(logits, dtype=np.float64)
        scores = np.full(values.shape, np.nan)
        known = ~np.isnan(values)
        scores[known] = self.calibrator(values[known])
        return scores

    def verdicts(self, scores: ArrayLike) -> list[str]:
        """Return `real`, `fake` or `unsure` per score `(n,)`; empty where it is NaN."""
        values, (low, high) = np.asarray(scores, dtype=np.float64), self.abstain
        verdicts = np.where(values >= self.threshold, "fake", "real").astype(object)
        if low < high:
            verdicts[(values >= low) & (values <= high)] = "unsure"
        verdicts[np.isnan(values)] = ""
        return [str(verdict) for verdict in verdicts]

    def to_json(self) -> Json:
        """Return the content of operating_point.json."""
        value = dataclasses.asdict(self)
        n_real, n_fake = value.pop("n_real"), value.pop("n_fake")
        if self.own_photos is None:
            del value["own_photos"]
        return value | {
            "calibrator": {"kind": "platt", **value["calibrator"]},
            "abstain": list(self.abstain),
            "chosen_on": {"split": "val", "n_real": n_real, "n_fake": n_fake},
        }

    @classmethod
    def from_json(cls, value: Json, where: str) -> "OperatingPoint":
        """Read what `to_json` wrote; a RunError where a part is missing or wrong."""
        try:
            calibrator, chosen_on = value["calibrator"], value["chosen_on"]
            if calibrator["kind"] != "platt":
                raise ValueError(f"unknown calibrator {quoted(calibrator['kind'])}")
            low, high = value["abstain"]
            point = cls(
                calibrator=Platt(float(calibrator["a"]), float(calibrator["b"])),
                threshold=float(value["threshold"]),
                rule=str(value["rule"]),
                threshold_fpr_1pct=float(value["threshold_fpr_1pct"]),
                rule_fpr_1pct=str(value["rule_fpr_1pct"]),
                abstain=(float(low), float(high)),
                false_alarm_rate=float(value["false_alarm_rate"]),
                miss_rate=float(value["miss_rate"]),
                n_real=int(chosen_on["n_real"]),
                n_fake=int(chosen_on["n_fake"]),
                own_photos=_own_photos(value.get("own_photos")),
            )
            used = (*dataclasses.astuple(point.calibrator), *point.abstain)
            if not np.isfinite([*used, *dataclasses.astuple(point.thresholds)]).all():
                raise ValueError("a number is not finite")
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(
                f"{where} cannot be read ({type(error).__name__}: {error}); expected what "
                "training wrote. Train the run again."
            ) from error
        return point


def choose_operating_point(
    validation: ValidationPredictions, false_alarm_rate: float | None = None
) -> OperatingPoint:
    """Choose calibrator, thresholds and abstain band.

    Args:
        validation: The only rows it may see.
        false_alarm_rate: Ask for at most this share of false alarms on validation; by
            default the threshold of the highest balanced accuracy.

    Raises:
        InputError: A rate outside 0..1 (exclusive).
    """
    if false_alarm_rate is not None:
        _check_rate(false_alarm_rate)
    fake = validation.fake
    calibrator = fit_platt(fake, validation.logit)
    log_odds = calibrator.log_odds(validation.logit)
    strict, strict_rule = _for_false_alarms(fake, log_odds, 0.01)
    if false_alarm_rate is None:
        at = _for_balanced_accuracy(fake, log_odds)
        rule = "highest balanced accuracy on validation"
    else:
        at, rule = _for_false_alarms(fake, log_odds, false_alarm_rate)
    threshold = _score(at)
    c = confusion(fake, sigmoid(log_odds), threshold)
    return OperatingPoint(
        calibrator=calibrator,
        threshold=threshold,
        rule=rule,
        threshold_fpr_1pct=_score(strict),
        rule_fpr_1pct=strict_rule,
        abstain=_abstain(fake, log_odds, at),
        false_alarm_rate=c.alarms / c.n_real,
        miss_rate=c.misses / c.n_fake,
        n_real=c.n_real,
        n_fake=c.n_fake,
    )


def choose_on_own_photos(
    point: OperatingPoint,
    validation: ValidationPredictions,
    logits: ArrayLike,
    false_alarm_rate: float,
) -> OperatingPoint:
    """Return a point whose threshold flags at most a share of somebody's own real photos.

    Calibrator and the threshold for 1 % stay; the abstain band is validation's round the
    new threshold.

    Args:
        point: The run's point.
        validation: The rows that its band and its error rates are of.
        logits: Of the photos, `(n,)`, finite.
        false_alarm_rate: Greatest share of the photos that may be flagged, 0..1, exclusive.

    Raises:
        InputError: A rate outside 0..1 (exclusive), or no photo.
    """
    _check_rate(false_alarm_rate)
    own = point.calibrator.log_odds(logits)
    if not own.size:
        raise InputError(
            "None of the photos has a logit: there is nothing to choose on."
        )
    where = f"{own.size} real photos of the user's own"
    nobody = np.zeros(own.size, dtype=np.bool_)
    at, rule = _for_false_alarms(nobody, own, false_alarm_rate, where)
    threshold = _score(at)
    flagged = int((sigmoid(own) >= threshold).sum())
    low, high = clopper_pearson(flagged, own.size)
    log_odds = point.calibrator.log_odds(validation.logit)
    c = confusion(validation.fake, sigmoid(log_odds), threshold)
    return dataclasses.replace(
        point,
        threshold=threshold,
        rule=rule,
        abstain=_abstain(validation.fake, log_odds, at),
        false_alarm_rate=c.alarms / c.n_real,
        miss_rate=c.misses / c.n_fake,
        n_real=c.n_real,
        n_fake=c.n_fake,
        own_photos={
            "n": int(own.size),
            "flagged": flagged,
            "low": low,
            "high": high,
            "max_false_alarms": false_alarm_rate,
        },
    )


def _own_photos(value: object) -> Json | None:
    if value is None:
        return None
    names = ("n", "flagged", "low", "high", "max_false_alarms")
    if not isinstance(value, dict) or set(value) != set(names):
        raise ValueError("own_photos is not what evaluate wrote")
    return {name: float(value[name]) for name in names} | {
        name: int(value[name]) for name in names[:2]
    }


def _check_rate(rate: float) -> None:
    if not 0 < rate < 1:
        raise InputError(f"false_alarm_rate: expected 0 < rate < 1, got {rate:g}.")


def _for_balanced_accuracy(fake: Bools, log_odds: Floats) -> float:
    """Return the best cut; of equally good ones, the one nearest to even odds."""
    values, inverse = np.unique(log_odds, return_inverse=True)
    if values.size == 1:
        return float(values[0])
    n_fake = np.bincount(inverse[fake], minlength=values.size)
    n_real = np.bincount(inverse[~fake], minlength=values.size)
    # A cut between values i and i + 1 calls everything above i fake.
    hits = n_fake.sum() - np.cumsum(n_fake)[:-1]
    passes = np.cumsum(n_real)[:-1]
    quality = hits / n_fake.sum() + passes / n_real.sum()
    cuts = (values[:-1] + values[1:]) / 2
    best = np.flatnonzero(quality >= quality.max() - 1e-12)
    return float(cuts[best[np.argmin(np.abs(cuts[best]))]])


def _for_false_alarms(
    fake: Bools, log_odds: Floats, rate: float, where: str = "validation"
) -> tuple[float, str]:
    """Return the lowest cut with at most `rate` false alarms, and what was done."""
    real = np.sort(log_odds[~fake])[::-1]
    allowed = int(np.floor(rate * real.size + 1e-9))
    passed = real[allowed]  # the highest real that must not be an alarm
    above = log_odds[log_odds > passed]
    cut = (passed + above.min()) / 2 if above.size else passed + 1e-6
    cut = cut if cut > passed else np.nextafter(passed, np.inf)
    rule = f"at most {rate * 100:g} % false alarms on {where}"
    if real.size * rate < 1:
        rule += (
            f" (coarse: with {real.size} reals one is already {100 / real.size:.1f} %, so "
            "the cut is above all of them)"
        )
    return float(cut), rule


def _abstain(fake: Bools, log_odds: Floats, cut: float) -> tuple[float, float]:
    """Return the narrowest band round the cut outside which errors are halved.

    Errors are the mean of both classes' error rates on validation, over the images that
    still get an answer; at most half of the images may lose theirs.
    """
    weight = np.where(fake, 0.5 / fake.sum(), 0.5 / (~fake).sum())
    distance = np.abs(log_odds - cut)
    order = np.argsort(-distance, kind="stable")  # surest first
    wrong = np.cumsum((weight * ((log_odds >= cut) != fake))[order])
    answered = np.cumsum(weight[order])
    good = wrong / answered <= wrong[-1] / 2
    good &= np.arange(1, fake.size + 1) >= (1 - _MOST_ABSTAINED) * fake.size
    if wrong[-1] == 0 or not good.any():
        return _score(cut), _score(cut)
    last = int(np.flatnonzero(good).max())
    half = float(distance[order][last + 1]) if last + 1 < fake.size else 0.0
    return _score(cut - half), _score(cut + half)


def _score(log_odds: float) -> float:
    return float(sigmoid(np.asarray([log_odds]))[0])
