"""Finished runs -> their average: predictions, operating point and report of its own.

Each member's logits are calibrated by its own operating point first (all chosen on
validation), so that the steeper of two does not decide alone.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.core import folders
from kerasfaces.evaluate.run import finish
from kerasfaces.run.folder import EnsembleRun, Run, ScoredRun


def average(
    members: Sequence[Path], folder: Path, weights: Sequence[float] = ()
) -> Path:
    """Return `folder`, now a run folder without a model of its own.

    Args:
        members: Finished runs on the same split.
        folder: Folder of the average; a finished one is left.
        weights: One per member; by default they are equal.
    """
    shares = list(weights or [1.0] * len(members))
    run = EnsembleRun(folder)
    with folders.lock(folder):
        if run.is_finished:
            return folder
        frames = {
            split: joined(
                [(ScoredRun(member).predictions(split), member) for member in members],
                shares,
            )
            for split in ("val", "test")
        }
        names = [f"{member.parent.name}/{member.name}" for member in members]
        run.facts = {"members": [str(each) for each in members], "weights": shares}
        config = {"average of": names, "weights": shares}
        finish(folder, frames, config=config, environment={})
    return folder


def members_of(folder: Path) -> tuple[list[Path], list[float]]:
    """Return an average's members and weights; an ordinary run is its own member."""
    run = Run.kind(folder)
    if not isinstance(run, EnsembleRun):
        return [folder], [1.0]
    return [Path(member) for member in run.facts["members"]], run.facts["weights"]


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
        point = ScoredRun(folder).operating_point
        logits = np.asarray(frame["logit"], np.float64)
        known = np.isfinite(logits)
        values = np.full(len(frame), np.nan)
        values[known] = point.calibrator.log_odds(logits[known])
        log_odds.append(values)
        reasons = reasons.mask(reasons == "", frame["reason"].fillna(""))
    mean = np.average(log_odds, axis=0, weights=weights)
    return first.assign(logit=mean, score=np.nan, reason=reasons)
