"""Finished runs -> their average: predictions, operating point and report of its own.

Each member's logits are calibrated by its own operating point first (all chosen on
validation), so that the steeper of two does not decide alone.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import runs
from kerasfaces.evaluate import predictions
from kerasfaces.evaluate.operating_point import OperatingPoint
from kerasfaces.evaluate.run import finish
from kerasfaces.train.run import is_finished

MEMBERS = "ensemble.json"


def average(members: Sequence[Path], folder: Path) -> Path:
    """Return `folder`, made a run folder without a model of its own.

    Args:
        members: Finished runs on the same split.
        folder: Where the average goes; a finished one is left.
    """
    with runs.lock(folder):
        if is_finished(folder):
            return folder
        frames = {
            split: joined(
                [
                    (predictions.read(member / f"predictions_{split}.csv"), member)
                    for member in members
                ]
            )
            for split in ("val", "test")
        }
        names = [f"{member.parent.name}/{member.name}" for member in members]
        runs.write_json(folder / MEMBERS, {"members": [str(m) for m in members]})
        finish(folder, frames, config={"average of": names}, environment={})
    return folder


def members_of(folder: Path) -> list[Path]:
    """Return an average's members; the folder itself for an ordinary run."""
    path = folder / MEMBERS
    if not path.exists():
        return [folder]
    return [Path(member) for member in runs.read_json(path)["members"]]


def joined(parts: Sequence[tuple[pd.DataFrame, Path]]) -> pd.DataFrame:
    """Return predictions whose logit is the mean of the members' calibrated log-odds.

    Args:
        parts: Per member its predictions, of the same rows in the same order, and its
            run folder.
    """
    first = parts[0][0]
    log_odds, reasons = [], first["reason"].fillna("")
    for frame, folder in parts:
        if list(frame["path"]) != list(first["path"]):
            raise ValueError(f"{folder}: predictions of other rows than its partner's")
        path = folder / "operating_point.json"
        point = OperatingPoint.from_json(runs.read_json(path), str(path))
        logits = np.asarray(frame["logit"], np.float64)
        known = np.isfinite(logits)
        values = np.full(len(frame), np.nan)
        values[known] = point.calibrator.log_odds(logits[known])
        log_odds.append(values)
        reasons = reasons.mask(reasons == "", frame["reason"].fillna(""))
    return first.assign(logit=np.mean(log_odds, axis=0), score=np.nan, reason=reasons)
