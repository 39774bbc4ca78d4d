"""Scored predictions and a frozen operating point -> the content of metrics.json."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kerasfaces.evaluate import groups, slices
from kerasfaces.metrics import NAMES, Estimate, Rows, measure_slices
from kerasfaces.metrics.bootstrap import RESAMPLES
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint

FEW = 100  # images of a class below which 1 % of them is less than one


def measure(
    frames: Mapping[str, pd.DataFrame],
    point: OperatingPoint,
    *,
    by: list[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    samples_per_group: int | None = None,
) -> dict[str, Any]:
    """Return `{"metrics": {split: {slice: ...}}, "groups": ..., "seed", "resamples"}`.

    Args:
        frames: Split -> its predictions, with scores.
        point: Frozen on validation.
        by: Columns to slice by; by default `source` and every attribute.
        resamples: Bootstrap resamples.
        seed: Keys the resamples and the draws.
        samples_per_group: Also draw this many rows per group (kabber2023's protocol).
    """
    content: dict[str, Any] = {"metrics": {}, "groups": {}}
    for split, frame in frames.items():
        names = slices.columns(frame, by)
        content["metrics"][split] = _split(frame, names, point, resamples, seed)
        content["groups"][split] = {
            name: [group.to_dict() for group in groups.compare(frame, name, point)]
            for name in names
        }
        if samples_per_group is not None:
            content.setdefault("samples_per_group", {})[split] = {
                name: groups.sample(frame, name, point, samples_per_group, seed)
                for name in names
            }
    return {**content, "seed": seed, "resamples": resamples}


def rows(frame: pd.DataFrame) -> Rows:
    """Return the readable rows as the metrics want them."""
    known = predictions.readable(frame)
    return Rows.of(known["label"] == "fake", predictions.ranking(known), known["score"])


def flat(content: Mapping[str, Any]) -> pd.DataFrame:
    """Return metrics.json as a table: split, slice, metric, value, low, high, n, method."""
    lines = [
        {
            "split": split,
            "slice": name.encode("utf-8", "backslashreplace").decode(),
            "metric": metric,
            **{key: found[metric][key] for key in ("value", "low", "high")},
            "n": found["n"],
            "n_unreadable": found["n_unreadable"],
            "method": found[metric]["method"],
        }
        for split, parts in content["metrics"].items()
        for name, found in parts.items()
        for metric in NAMES
    ]
    return pd.DataFrame(lines)


def _split(
    frame: pd.DataFrame, by: list[str], point: OperatingPoint, resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    known = np.isfinite(predictions.ranking(frame))
    masks = slices.masks(frame, by)
    inside = {name: mask[known] for name, mask in masks.items()}
    checked = rows(frame)
    found = measure_slices(checked, inside, point.thresholds, resamples, seed)
    result = {}
    for name, estimates in found.items():
        n, n_fake = int(inside[name].sum()), int((inside[name] & checked.fake).sum())
        result[name] = {
            "n": n,
            "n_real": n - n_fake,
            "n_fake": n_fake,
            "n_unreadable": int((masks[name] & ~known).sum()),
            **{key: _noted(key, e, point).to_dict() for key, e in estimates.items()},
        }
    return result


def _noted(metric: str, estimate: Estimate, point: OperatingPoint) -> Estimate:
    """Say in the method where a threshold set for 1 % could not be set finely."""
    if metric != "tpr_at_fpr_1pct" or point.n_real >= FEW or np.isnan(estimate.value):
        return estimate
    note = f"; coarse threshold, set on {point.n_real} validation reals"
    return dataclasses.replace(estimate, method=estimate.method + note)
