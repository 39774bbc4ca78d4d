"""Several detectors -> one, as an ordinary run folder; its gain is tested, not assumed."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.compare import combiners, detectors, shared_rows
from kerasfaces.compare.detectors import Detector
from kerasfaces.compare.shared_rows import SharedRows
from kerasfaces.core import environment
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.evaluate import names, run
from kerasfaces.metrics import System, auc, differences
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.metrics.inputs import Floats
from kerasfaces.report.markup import p_text
from kerasfaces.run import predictions
from kerasfaces.run.folder import EnsembleRun
from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point

logger = logging.getLogger(__name__)
SPLITS = ("val", "test")


@dataclasses.dataclass(frozen=True)
class Members:
    """Detectors that can be joined."""

    detectors: list[Detector]  # at least two, each with validation predictions
    rows: dict[str, SharedRows]  # split -> the rows all of them scored
    val_auc: dict[str, float]  # member -> AUC on validation's shared rows
    notes: tuple[str, ...]  # how rows were brought together, and what the files lack

    @property
    def best(self) -> str:
        """The member with the highest AUC on validation."""
        return max(self.val_auc, key=lambda name: self.val_auc[name])

    def log_odds(self, split: str) -> Floats:
        """Return calibrated log-odds of a split's shared rows, `(n, members)`."""
        columns = [
            detectors.log_odds(self.rows[split].frames[each.name], each.point)
            for each in self.detectors
        ]
        return np.stack(columns, axis=1)


def read_members(arguments: Sequence[str], root: Path | None = None) -> Members:
    """Read the detectors to join (see `detectors.read`); every one of them is needed.

    Raises:
        KerasfacesError: One cannot be read.
        InputError: Fewer than two, one without validation predictions, or detectors that
            share no validation or test rows.
    """
    read = detectors.unique([detectors.read(text, "test", root) for text in arguments])
    if len(read) < 2:
        raise InputError(f"An ensemble needs at least two detectors, got {len(read)}.")
    for each in read:
        if each.val is None or each.point is None:
            raise InputError(
                f"{each.path}: an ensemble is fitted on validation, and this detector has "
                f"{each.threshold}. Add its rows of split val, or leave it out."
            )
    aligned, notes = shared_rows.align(read)
    validation = [each.val for each in aligned if each.val is not None]
    rows = {
        "val": shared_rows.shared(aligned, validation),
        "test": shared_rows.shared(aligned),
    }
    _check_apart(rows)
    val_auc = {
        name: auc(rows["val"].fake, predictions.ranking(frame))
        for name, frame in rows["val"].frames.items()
    }
    notes += rows["test"].notes
    notes += [f"{each.name}: {note}" for each in aligned for note in each.notes]
    return Members(aligned, rows, val_auc, tuple(notes))


def identity(members: Members, method: str, seed: int) -> Json:
    """Return what makes an ensemble this one."""
    return {
        "method": method,
        "members": {each.name: each.files for each in members.detectors},
        "seed": seed,
    }


def make(
    members: Members,
    method: str,
    folder: Path,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Json:
    """Write the ensemble's run folder; a finished one is only read.

    Writes what `run.finish` does, config.json and ensemble.json, which is returned: method,
    members, fitted parameters, and the gain over the member that is best on validation. The
    seed keys resamples and the folds of `stacked`.

    Raises:
        RunError: The folder holds something else.
        LockedError: Another process is writing it.
    """
    asked = identity(members, method, seed)
    joint = EnsembleRun(folder)
    with joint.writing({"ensemble": asked}):
        if joint.is_finished:
            logger.info("%s is finished; nothing to do", folder)
            return joint.facts
        fake = members.rows["val"].fake
        val, test = members.log_odds("val"), members.log_odds("test")
        combined = combiners.combine(method, val, fake, test, seed)
        frames = {
            "val": _frame(members, "val", combined.val),
            "test": _frame(members, "test", combined.test),
        }
        content = _facts(members, method, combined, frames, seed, resamples)
        joint.facts = content
        run.finish(
            folder,
            frames,
            config={"ensemble": asked, "fitted": content["parameters"]},
            environment=environment.describe(),
            warnings=_sentences(content, members),
            bootstrap=resamples,
            seed=seed,
        )
    return content


def gain_text(content: Json, metric: str = "auc") -> str:
    """Return one metric's gain over the best member as people write it."""
    gain = content["gain"][metric]
    if gain["value"] is None or gain["low"] is None:
        return f"{names.TITLES[metric]}: {gain['method']}"
    return (
        f"{names.TITLES[metric]} {gain['value']:+.3f} ({gain['low']:+.3f} to "
        f"{gain['high']:+.3f}, p {p_text(gain['p'])})"
    )


def _facts(
    members: Members,
    method: str,
    combined: combiners.Combined,
    frames: dict[str, pd.DataFrame],
    seed: int,
    resamples: int,
) -> Json:
    point = choose_operating_point(ValidationPredictions(frames["val"]))
    rows = members.rows["test"]
    score = point.apply(combined.test)
    best = shared_rows.systems(members.detectors, rows)[members.best]
    ours = System(
        combined.test, score >= point.threshold, score >= point.threshold_fpr_1pct
    )
    # A member may be called "ensemble".
    own_name = "this ensemble" if members.best == "ensemble" else "ensemble"
    both = {own_name: ours, members.best: best}
    gain = differences(rows.fake, both, members.best, resamples, seed)[own_name]
    return {
        "method": method,
        "meaning": combiners.MEANINGS[method],
        "members": {each.name: str(each.path) for each in members.detectors},
        "parameters": combined.parameters,
        "n_validation": len(members.rows["val"].rows),
        "n_test": len(rows.rows),
        "lacks": {
            split: {name: lack for name, lack in part.lacks.items()}
            for split, part in members.rows.items()
        },
        "val_auc": {
            **members.val_auc,
            "ensemble": auc(members.rows["val"].fake, combined.val),
        },
        "best_member": members.best,
        "gain": {metric: each.to_dict() for metric, each in gain.items()},
        "notes": members.notes,
    }


def _frame(members: Members, split: str, log_odds: Floats) -> pd.DataFrame:
    """Return one row per image that some member names; a reason where one lacks it."""
    parts = [each.frame if split == "test" else each.val for each in members.detectors]
    every = pd.concat([part for part in parts if part is not None])
    every = every.drop_duplicates("key").sort_values("key", kind="stable")
    every = every.reset_index(drop=True)
    shared = dict(zip(members.rows[split].rows["key"], log_odds, strict=True))
    lacks = "not every member has a score for it"
    filled = every.assign(
        path=every["key"],
        logit=[shared.get(key, np.nan) for key in every["key"]],
        score=np.nan,
        reason=["" if key in shared else lacks for key in every["key"]],
        split=split,
    )
    carried = [n for n in filled if n == "pair_id" or str(n).startswith("attr_")]
    return filled[[*predictions.COLUMNS, *carried]]


def _sentences(content: Json, members: Members) -> list[str]:
    best = content["best_member"]
    gains = "; ".join(gain_text(content, metric) for metric in content["gain"])
    weights = content["parameters"].get("weights")
    stacked = ""
    if weights:
        parts = zip(content["members"], weights, strict=True)
        stacked = " Weights: " + ", ".join(f"{name} {each:.2f}" for name, each in parts)
        stacked += (
            "; validation's own scores come from fits that did not see the image."
        )
    return [
        f"An ensemble of {', '.join(content['members'])}: {content['meaning']}.{stacked}",
        f"Minus {best}, the best member on validation (AUC {content['val_auc'][best]:.3f}), on "
        f"the same {content['n_test']:,} test images: {gains}.",
        *members.notes,
    ]


def _check_apart(rows: dict[str, SharedRows]) -> None:
    both = sorted(set(rows["val"].rows["key"]) & set(rows["test"].rows["key"]))
    if both:
        raise InputError(
            f"{len(both):,} images are validation for all members and test for all members, "
            f"e.g. {quoted(both[0])}; split them apart."
        )
