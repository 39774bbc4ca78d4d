"""Scored predictions and a frozen operating point -> the content of metrics.json."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.evaluate import attribute_rates, group_thresholds, groups, slices
from kerasfaces.metrics import NAMES, Rows, measure_slices
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
    crossed: Sequence[str] = (),
    labels: Json | None = None,
) -> Json:
    """Return `{"metrics": {split: {slice: ...}}, "groups", "attributes", "seed", ...}`.

    Args:
        frames: Split -> its predictions, with scores.
        point: Frozen on validation.
        by: Columns to slice by; by default `source` and every attribute.
        resamples: Bootstrap resamples.
        seed: Keys the resamples and the draws.
        samples_per_group: Also draw this many rows per group (kabber2023's protocol).
        crossed: Pairs of attributes, such as `attr_gender*attr_race`, besides the usual.
        labels: Who gave the attributes, and how often wrongly; see `annotators`.
    """
    content: Json = {"metrics": {}, "groups": {}, "attributes": {}}
    for split, frame in frames.items():
        names = slices.columns(frame, by)
        content["metrics"][split] = _slices(frame, names, point, resamples, seed)
        content["groups"][split] = {
            name: groups.compare(frame, name, point) for name in names
        }
        own = [name for name in names if name in slices.attributes(frame)]
        pairs = dict.fromkeys([*attribute_rates.crossings(frame), *crossed])
        measured = attribute_rates.measure(frame, [*own, *pairs], point, labels, seed)
        validation = frames.get("val") if split != "val" else None
        for name in own:
            measured[name]["thresholds"] = group_thresholds.what_if(
                validation, frame, name, list(measured[name]["groups"]), point
            )
        content["attributes"][split] = measured
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


def flat(content: Json) -> pd.DataFrame:
    """Return metrics.json as a table: split, slice, metric, value, low, high, n, method."""
    lines = [
        {
            "split": split,
            "slice": name.encode("utf-8", "backslashreplace").decode(),
            "metric": metric,
            **{key: part[metric][key] for key in ("value", "low", "high")},
            "n": part["n"],
            "n_unreadable": part["n_unreadable"],
            "method": part[metric]["method"],
        }
        for split, parts in content["metrics"].items()
        for name, part in parts.items()
        for metric in NAMES
    ]
    return pd.DataFrame(lines)


def _slices(
    frame: pd.DataFrame, by: list[str], point: OperatingPoint, resamples: int, seed: int
) -> dict[str, Json]:
    known = np.isfinite(predictions.ranking(frame))
    masks = slices.masks(frame, by)
    readable = rows(frame)
    inside = {name: mask[known] for name, mask in masks.items()}
    measured = measure_slices(readable, inside, point.thresholds, resamples, seed)
    note = f"; coarse threshold, set on {point.n_real} validation reals"
    content = {}
    for name, estimates in measured.items():
        strict = estimates["tpr_at_fpr_1pct"]
        if point.n_real < FEW and not np.isnan(strict.value):
            strict = dataclasses.replace(strict, method=strict.method + note)
            estimates["tpr_at_fpr_1pct"] = strict
        n, n_fake = int(inside[name].sum()), int((inside[name] & readable.fake).sum())
        content[name] = {
            "n": n,
            "n_real": n - n_fake,
            "n_fake": n_fake,
            "n_unreadable": int((masks[name] & ~known).sum()),
            **{metric: estimate.to_dict() for metric, estimate in estimates.items()},
        }
    return content
