"""Are detectors different on the same rows, in all and per source?"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kerasfaces.compare.detectors import Detector
from kerasfaces.compare.shared_rows import Shared
from kerasfaces.metrics import Difference, System, differences, holm
from kerasfaces.metrics.inputs import Bools
from kerasfaces.metrics.system_differences import METRICS
from kerasfaces.run import predictions


def systems(detectors: Sequence[Detector], shared: Shared) -> dict[str, System]:
    """Return what each detector says of the shared rows, for paired tests."""
    found = {}
    for each in detectors:
        frame = shared.frames[each.name]
        called = strict = None
        if each.point is not None:
            score = frame["score"].to_numpy(dtype=np.float64)
            called = score >= each.point.threshold
            strict = score >= each.point.threshold_fpr_1pct
        found[each.name] = System(predictions.ranking(frame), called, strict)
    return found


def where(found: System, mask: Bools) -> System:
    """Return a system's rows where `mask` is True."""
    return System(
        found.logit[mask],
        None if found.called is None else found.called[mask],
        None if found.strict is None else found.strict[mask],
    )


def against(
    detectors: Sequence[Detector],
    shared: Shared,
    masks: Mapping[str, Bools],
    reference: str,
    resamples: int,
    seed: int,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return detector -> slice -> metric -> difference from the reference, as JSON.

    Holm's correction runs over the detectors for all rows, and over detectors and
    sources together for the sources.

    Args:
        detectors: Those compared.
        shared: Their rows.
        masks: Slice -> `(n,)` bool; one without both classes has no difference.
        reference: The detector the others are compared with.
        resamples: Bootstrap resamples.
        seed: Keys them.
    """
    every = systems(detectors, shared)
    found: dict[tuple[str, str, str], Difference] = {}
    for name, mask in masks.items():
        fake = shared.fake[mask]
        if fake.all() or not fake.any():
            continue
        part = {each: where(system, mask) for each, system in every.items()}
        result = differences(fake, part, reference, resamples, seed)
        for detector, by_metric in result.items():
            for metric, difference in by_metric.items():
                found[detector, name, metric] = difference
    corrected = _corrected(found)
    nested: dict[str, dict[str, dict[str, Any]]] = {}
    for key, difference in found.items():
        detector, name, metric = key
        nested.setdefault(detector, {}).setdefault(name, {})[metric] = {
            **difference.estimate.to_dict(),
            "p": _known(difference.p_value),
            "p_holm": _known(corrected.get(key, math.nan)),
        }
    return nested


def _corrected(
    found: Mapping[tuple[str, str, str], Difference],
) -> dict[tuple[str, str, str], float]:
    """Correct per metric: all rows are one family, all sources another."""
    corrected: dict[tuple[str, str, str], float] = {}
    for metric in METRICS:
        for whole in (True, False):
            family = [
                key
                for key, difference in found.items()
                if key[2] == metric
                and (key[1] == "all") == whole
                and not math.isnan(difference.p_value)
            ]
            values = holm([found[key].p_value for key in family])
            corrected.update(zip(family, values, strict=True))
    return corrected


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
