"""Validation predictions -> an operating point: where a threshold is chosen.

Everything here is chosen on validation. That is enforced by type: the only way to choose
is through `ValidationPredictions`, which takes no row of another split.
"""

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.metrics import clopper_pearson, confusion, fit_platt
from kerasfaces.metrics.calibration import sigmoid
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
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
    return OperatingPoint(
        calibrator=calibrator,
        rule=rule,
        threshold_fpr_1pct=_score(strict),
        rule_fpr_1pct=strict_rule,
        **_on_validation(fake, log_odds, at),
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
    flagged = int((sigmoid(own) >= _score(at)).sum())
    low, high = clopper_pearson(flagged, own.size)
    log_odds = point.calibrator.log_odds(validation.logit)
    return dataclasses.replace(
        point,
        rule=rule,
        **_on_validation(validation.fake, log_odds, at),
        own_photos={
            "n": int(own.size),
            "flagged": flagged,
            "low": low,
            "high": high,
            "max_false_alarms": false_alarm_rate,
        },
    )


def _on_validation(fake: Bools, log_odds: Floats, cut: float) -> Json:
    """Return the parts of an operating point that follow from its cut."""
    c = confusion(fake, sigmoid(log_odds), _score(cut))
    return {
        "threshold": _score(cut),
        "abstain": _abstain(fake, log_odds, cut),
        "false_alarm_rate": c.alarms / c.n_real,
        "miss_rate": c.misses / c.n_fake,
        "n_real": c.n_real,
        "n_fake": c.n_fake,
    }


def _check_rate(rate: float) -> None:
    if not 0 < rate < 1:
        raise InputError(f"`false_alarm_rate`: expected 0 < rate < 1, got {rate:g}.")


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
