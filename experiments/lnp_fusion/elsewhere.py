"""Finished detectors on images of other cameras and generators.

A detector's own training and validation images are left out, copies that `manifest audit
--neutralise` made of them too.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.rows import Measured, Row
from experiments.lnp_fusion import ensemble
from kerasfaces.evaluate import seen_images
from kerasfaces.manifest import Manifest
from kerasfaces.metrics import Rows, Thresholds, measure_slices
from kerasfaces.run import predictions
from kerasfaces.run.predictor import predict_run

logger = logging.getLogger(__name__)
ALL = "all generators"


def rows(manifest: Manifest, best: Mapping[str, Mapping[int, Path]]) -> list[Row]:
    """Return AUC per generator and over all of them, per kind of detector.

    Args:
        manifest: The other images.
        best: Kind -> split seed -> run folder.
    """
    predicted: dict[Path, pd.DataFrame] = {}
    aucs: dict[tuple[str, str], dict[int, Measured]] = {}
    for name, folders in best.items():
        for seed, folder in folders.items():
            frame = predict(folder, manifest, predicted)
            for source, value in per_source(unseen(frame, folder, manifest)).items():
                aucs.setdefault((name, source), {})[seed] = value
    return [
        Row(table="elsewhere", row=f"{name}, {source}", metric="auc", ours=ours)
        for (name, source), ours in aucs.items()
    ]


def predict(
    folder: Path, manifest: Manifest, predicted: dict[Path, pd.DataFrame]
) -> pd.DataFrame:
    """Return an average's or a run's predictions; each run computes its own once."""
    members, weights = ensemble.members_of(folder)
    for member in members:
        if member not in predicted:
            logger.info("%s on %d other images", member, len(manifest))
            predicted[member] = predict_run(member, manifest)
    if members == [folder]:
        return predicted[folder]
    return ensemble.joined([(predicted[member], member) for member in members], weights)


def unseen(frame: pd.DataFrame, folder: Path, manifest: Manifest) -> pd.DataFrame:
    """Return the readable rows that a run was neither trained nor validated on.

    Args:
        frame: Predictions of `manifest`, row by row.
        folder: The run, or an average of runs on one split.
        manifest: The other images.
    """
    seen = seen_images.mask(ensemble.members_of(folder)[0][0], manifest)
    return predictions.readable(frame[~seen])


def per_source(frame: pd.DataFrame) -> dict[str, Measured]:
    """Return generator -> AUC of its fakes against all reals."""
    logits = np.asarray(frame["logit"], np.float64)
    measured = Rows.of(frame["label"], logits, np.full(len(frame), 0.5))
    fake = measured.fake
    masks = {ALL: np.ones(len(frame), bool)}
    for source in sorted(set(frame["source"][fake])):
        masks[source] = ~fake | (frame["source"] == source).to_numpy()
    slices = measure_slices(measured, masks, Thresholds(main=0.5, fpr_1pct=0.5))
    return {
        source: Measured.of(slices[source]["auc"].to_dict(), int(mask.sum()))
        for source, mask in masks.items()
    }
