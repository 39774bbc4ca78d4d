"""Finished runs -> their average: predictions, operating point and report of its own.

Each member's logits are calibrated by its own operating point first (all chosen on
validation), so that the steeper of two does not decide alone.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.core import folders
from kerasfaces.core.files import read_json, write_json
from kerasfaces.evaluate.run import finish
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.train.run import is_finished

MEMBERS = "ensemble.json"


def average(
    members: Sequence[Path], folder: Path, weights: Sequence[float] = ()
) -> Path:
    """Return `folder`, made a run folder without a model of its own.

    Args:
        members: Finished runs on the same split.
        folder: Where the average goes; a finished one is left.
        weights: One per member; by default they are equal.
    """
    shares = list(weights or [1.0] * len(members))
    with folders.lock(folder):
        if is_finished(folder):
            return folder
        frames = {
            split: joined(
                [
                    (predictions.read(member / f"predictions_{split}.csv"), member)
                    for member in members
                ],
                shares,
            )
            for split in ("val", "test")
        }
        names = [f"{member.parent.name}/{member.name}" for member in members]
        note = {"members": [str(each) for each in members], "weights": shares}
        write_json(folder / MEMBERS, note)
        config = {"average of": names, "weights": shares}
        finish(folder, frames, config=config, environment={})
    return folder


def members_of(folder: Path) -> tuple[list[Path], list[float]]:
    """Return an average's members and weights; an ordinary run is its own member."""
    path = folder / MEMBERS
    if not path.exists():
        return [folder], [1.0]
    note = read_json(path)
    return [Path(member) for member in note["members"]], note["weights"]


def joined(
    parts: Sequence[tuple[pd.DataFrame, Path]], weights: Sequence[float]
) -> pd.DataFrame:
    """Return predictions whose logit is the mean of the members' calibrated log-odds.

    Args:
        parts: Per member its predictions, of the same rows in the same order, and its
            run folder.
        weights: One per member.
    """
    first = parts[0][0]
    log_odds, reasons = [], first["reason"].fillna("")
    for frame, folder in parts:
        if list(frame["path"]) != list(first["path"]):
            raise ValueError(f"{folder}: predictions of other rows than its partner's")
        path = folder / "operating_point.json"
        point = OperatingPoint.from_json(read_json(path), str(path))
        logits = np.asarray(frame["logit"], np.float64)
        known = np.isfinite(logits)
        values = np.full(len(frame), np.nan)
        values[known] = point.calibrator.log_odds(logits[known])
        log_odds.append(values)
        reasons = reasons.mask(reasons == "", frame["reason"].fillna(""))
    mean = np.average(log_odds, axis=0, weights=weights)
    return first.assign(logit=mean, score=np.nan, reason=reasons)
