"""Heads that had not seen a family -> what a detector would have done on it.

Calibration, threshold and the band of unsure scores come from the same heads, on
validation: every fake is judged by the head without its family, every real image by one of
the heads, in turn, so that each image counts once and what is set has met a shift.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json
from kerasfaces.manifest.table import families as families_of
from kerasfaces.metrics import Rows, measure
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.run import predictions
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.run.thresholds import ValidationPredictions

SHOWN = ("auc", "balanced_accuracy", "tpr_at_fpr_1pct", "recall", "false_alarm_rate")
RULE = "; chosen on fakes judged by heads that had not seen their family"


@dataclasses.dataclass(frozen=True, eq=False)
class LeftOut:
    """Logits of the heads without one family each."""

    families: tuple[str, ...]  # the families that were left out, in order
    # Split (`val`, `test`) -> `(families, n)` float64 of its readable rows.
    logits: Mapping[str, Floats]
    facts: Json  # how the configuration was chosen, for the record

    def validation(self, frame: pd.DataFrame) -> ValidationPredictions:
        """Return validation as judged by heads that had not seen its fakes.

        Fakes of a family that was never left out are not among them.

        Args:
            frame: Predictions of validation; their own logits do not count.
        """
        return ValidationPredictions(self.judged("val", frame))

    def judged(self, split: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a split's rows with the logit of a head that had not seen them."""
        rows = self._readable(split, frame)
        fake = (rows["label"] == "fake").to_numpy()
        head = judges(fake, families_of(rows), self.families)
        judged = np.flatnonzero(head >= 0)
        logits = self.logits[split][head[judged], judged]
        return rows.iloc[judged].assign(logit=logits).reset_index(drop=True)

    def measured(
        self,
        frames: Mapping[str, pd.DataFrame],
        point: OperatingPoint,
        resamples: int,
        seed: int,
    ) -> Json:
        """Return the content of unseen.json.

        Args:
            frames: Split -> predictions of the detector itself, scored.
            point: The detector's, from `validation`.
            resamples: Bootstrap resamples.
            seed: Keys the resamples.
        """
        every = {}
        for number, family in enumerate(self.families):
            every[family] = {
                split: self._family(
                    number, split, frames[split], point, resamples, seed
                )
                for split in self.logits
                if split in frames
            }
        summary = {
            split: _summary([each[split] for each in every.values() if split in each])
            for split in self.logits
        }
        return {**self.facts, "families": every, "summary": summary}

    def _family(
        self,
        number: int,
        split: str,
        frame: pd.DataFrame,
        point: OperatingPoint,
        resamples: int,
        seed: int,
    ) -> Json:
        rows = self._readable(split, frame)
        fake = (rows["label"] == "fake").to_numpy()
        names = np.array(families_of(rows), dtype=object)
        shown = ~fake | (names == self.families[number])
        unseen, seen = self.logits[split][number], predictions.ranking(rows)
        content: Json = {
            "n_real": int((~fake).sum()),
            "n_fake": int((fake & shown).sum()),
        }
        for name, logits in (("unseen", unseen), ("seen", seen)):
            scores = point.apply(logits)
            part = Rows.of(fake[shown], logits[shown], scores[shown])
            estimates = measure(part, point.thresholds, resamples, seed)
            low, high = point.abstain
            unsure = (low < high) & (scores >= low) & (scores <= high)
            content[name] = {key: estimates[key].to_dict() for key in SHOWN} | {
                "unsure_real": _share(unsure[shown & ~fake]),
                "unsure_fake": _share(unsure[shown & fake]),
            }
        return content

    def _readable(self, split: str, frame: pd.DataFrame) -> pd.DataFrame:
        rows = predictions.readable(frame)
        n_logits = self.logits[split].shape[1]
        if len(rows) != n_logits:
            raise InputError(
                f"{split}: {len(rows)} readable rows and {n_logits} logits of the heads "
                "without a family; expected as many."
            )
        return rows


def as_json(validation: ValidationPredictions) -> Json:
    """Return the content of unseen_validation.json: what a threshold is chosen on."""
    return {"fake": validation.fake.tolist(), "logit": validation.logit.tolist()}


def validation_of(content: Json, where: str) -> ValidationPredictions:
    """Read what `as_json` returned.

    Raises:
        RunError: It is damaged.
    """
    try:
        fake = np.array(content["fake"], dtype=np.bool_)
        frame = pd.DataFrame({"logit": np.array(content["logit"], dtype=np.float64)})
        frame["label"] = np.where(fake, "fake", "real")
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{where}: unseen_validation.json is damaged ({type(error).__name__}: {error}); "
            "restore it, or train the run again."
        ) from error
    return ValidationPredictions(frame.assign(split="val", score=np.nan))


def judges(
    fake: Bools, families: Sequence[str], left_out: Sequence[str]
) -> NDArray[np.int64]:
    """Return which head judges each row, `(n,)`: the place of its family in `left_out`.

    A fake's is the one without its family, -1 where there is none; real images take the
    heads in turn, in an order of chance.

    Args:
        fake: `(n,)` bool.
        families: `(n,)` names.
        left_out: The family that each head has not seen.
    """
    places = {family: place for place, family in enumerate(left_out)}
    head = np.array([places.get(family, -1) for family in families], dtype=np.int64)
    reals = np.flatnonzero(~fake)
    order = rng.generator(0, "judges").permutation(len(reals))
    head[reals] = order % len(left_out)
    return head


def read(run: ScoredRun) -> Json:
    """Return a run's unseen.json; empty where no family was left out.

    Raises:
        RunError: It lacks a part.
    """
    content = run.unseen
    parts = {"families", "summary", "grid", "chosen", "left_in"}
    if content and not parts <= content.keys():
        raise RunError(
            f"{run.path}: the record of families left out (unseen.json) is damaged, it lacks "
            f"{', '.join(sorted(parts - content.keys()))}; restore it, or delete it."
        )
    return content


def as_table(content: Json) -> pd.DataFrame:
    """Return unseen.json as one row per family and split."""
    lines = []
    for family, parts in content["families"].items():
        for split, part in parts.items():
            unseen = part["unseen"]
            auc = {key: unseen["auc"][key] for key in ("value", "low", "high")}
            lines.append(
                {
                    "family": family,
                    "split": split,
                    "n_fake": part["n_fake"],
                    "n_real": part["n_real"],
                    "auc": auc.pop("value"),
                    **auc,
                    "recall": unseen["recall"]["value"],
                    "tpr_at_fpr_1pct": unseen["tpr_at_fpr_1pct"]["value"],
                    "unsure_fake": unseen["unsure_fake"],
                }
            )
    return pd.DataFrame(lines)


def _share(values: Sequence[bool]) -> float | None:
    return float(np.mean(values)) if len(values) else None


def _summary(parts: list[Json]) -> Json:
    """Return the mean and the worst of the families' AUCs; None where there is none."""
    aucs = [part["unseen"]["auc"]["value"] for part in parts]
    known = [auc for auc in aucs if auc is not None and np.isfinite(auc)]
    if not known:
        return {"mean_auc": None, "worst_auc": None, "n_families": 0}
    return {
        "mean_auc": float(np.mean(known)),
        "worst_auc": float(min(known)),
        "n_families": len(known),
    }
