"""How a logit becomes an answer: calibrator, thresholds and abstain band, frozen.

They are chosen in `thresholds`, on validation.
"""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.metrics import Platt, Thresholds
from kerasfaces.metrics.inputs import Floats


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


def _own_photos(value: object) -> Json | None:
    if value is None:
        return None
    names = ("n", "flagged", "low", "high", "max_false_alarms")
    if not isinstance(value, dict) or set(value) != set(names):
        raise ValueError("own_photos is not what evaluate wrote")
    return {name: float(value[name]) for name in names} | {
        name: int(value[name]) for name in names[:2]
    }
