"""A detector and the one it was made from -> what each old family lost or gained.

Both judge the same images: the old detector's own test split, which is in no training of
either.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces import metrics
from kerasfaces.core.files import Json
from kerasfaces.manifest.table import families as families_of
from kerasfaces.metrics import System
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import predictions
from kerasfaces.run.folder import ScoredRun
from kerasfaces.run.operating_point import OperatingPoint


def compare(
    parent: ScoredRun, frame: pd.DataFrame, root: Path | None, point: OperatingPoint
) -> Json:
    """Return the content of added.json.

    Args:
        parent: The old detector's run.
        frame: The new detector's predictions of its test split, scored.
        root: What their relative paths are relative to.
        point: The new detector's.
    """
    before = _keyed(parent.readable("test"), parent.image_root)
    after = _keyed(predictions.readable(frame), root)
    shared = [key for key in before.index if key in after.index]
    old, new = before.loc[shared], after.loc[shared]
    fake = (new["label"] == "fake").to_numpy()
    names = np.array(families_of(new), dtype=object)
    systems = {
        "old": _system(old, parent.operating_point),
        "new": _system(new, point),
    }
    families = {}
    for family in sorted(set(names[fake])):
        mask = ~fake | (names == family)
        if (~fake).any():
            parts = {name: each.where(mask) for name, each in systems.items()}
            families[family] = _family(fake[mask], parts)
    return {
        "parent": parent.name,
        "n_shared": len(shared),
        "n_missing": len(before) - len(shared),
        "families": _corrected(families),
    }


def _keyed(frame: pd.DataFrame, root: Path | None) -> pd.DataFrame:
    folder = str(root or "")
    keys = [
        os.path.realpath(os.path.join(folder, path)) for path in frame["path"]
    ]  # the run folder's manifest may name a file through it
    table = frame.assign(key=keys).drop_duplicates("key")
    return table.set_index("key")


def _system(frame: pd.DataFrame, point: OperatingPoint) -> System:
    logits = predictions.ranking(frame)
    scores = point.apply(logits)
    return System(logits, scores >= point.threshold, scores >= point.threshold_fpr_1pct)


def _family(fake: Bools, systems: Mapping[str, System]) -> Json:
    differences = metrics.differences(fake, systems, "old")["new"]
    aucs = {name: metrics.auc(fake, each.logit) for name, each in systems.items()}
    return {
        "n_real": int((~fake).sum()),
        "n_fake": int(fake.sum()),
        "auc": aucs,
        "difference": {name: each.to_dict() for name, each in differences.items()},
    }


def _corrected(families: Json) -> Json:
    """Add Holm's correction over the families to the difference of the AUC."""
    known = [
        name
        for name, each in families.items()
        if each["difference"]["auc"]["p"] is not None
    ]
    p_values = [families[name]["difference"]["auc"]["p"] for name in known]
    for name, p_holm in zip(known, metrics.holm(p_values), strict=True):
        families[name]["difference"]["auc"]["p_holm"] = p_holm
    return families
