"""Are detectors different on the same rows, in all and per source?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasfaces.compare.detectors import Detector
from kerasfaces.compare.shared_rows import Shared
from kerasfaces.metrics import System, differences, holm
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import predictions


def systems(detectors: Sequence[Detector], shared: Shared) -> dict[str, System]:
    """Return each detector's ranking and calls of the shared rows, for paired tests."""
    every = {}
    for each in detectors:
        frame = shared.frames[each.name]
        called = strict = None
        if each.point is not None:
            score = frame["score"].to_numpy(dtype=np.float64)
            called = score >= each.point.threshold
            strict = score >= each.point.threshold_fpr_1pct
        every[each.name] = System(predictions.ranking(frame), called, strict)
    return every


def against(
    detectors: Sequence[Detector],
    shared: Shared,
    masks: Mapping[str, Bools],
    reference: str,
    resamples: int,
    seed: int,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return detector -> slice -> metric -> difference from the reference, as JSON.

    Holm's correction runs, per metric, over the detectors for all rows, and over detectors
    and sources together for the sources.

    Args:
        detectors: Those compared.
        shared: Their rows.
        masks: Slice -> `(n,)` bool; one without both classes has no difference.
        reference: The detector the others are compared with.
        resamples: Bootstrap resamples.
        seed: Keys them.
    """
    every = systems(detectors, shared)
    nested: dict[str, dict[str, dict[str, Any]]] = {}
    families: dict[tuple[str, bool], list[tuple[dict[str, Any], float]]] = {}
    for name, mask in masks.items():
        fake = shared.fake[mask]
        if fake.all() or not fake.any():
            continue
        part = {each: system.where(mask) for each, system in every.items()}
        tested = differences(fake, part, reference, resamples, seed)
        for detector, by_metric in tested.items():
            content = {metric: each.to_dict() for metric, each in by_metric.items()}
            nested.setdefault(detector, {})[name] = content
            for metric, each in by_metric.items():
                family = families.setdefault((metric, name == "all"), [])
                family.append((content[metric], each.p_value))
    for family in families.values():
        corrected = holm([p for _, p in family])
        for (difference, _), p in zip(family, corrected, strict=True):
            difference["p_holm"] = None if math.isnan(p) else p
    return nested
