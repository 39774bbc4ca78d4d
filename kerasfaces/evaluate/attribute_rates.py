"""How often a detector errs in each group of an attribute, and what these images can tell.

Predictions and a frozen threshold enter; per attribute a dictionary for metrics.json leaves:
rates as labelled, rates with the annotator's own error allowed for, gaps with p-values
corrected over all of an attribute's comparisons (Holm), and how many images a gap of five
points would take. Rows without a value are in no group and are counted.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kerasfaces.core import rng
from kerasfaces.core.files import Json
from kerasfaces.evaluate import annotators, group_calibration, slices
from kerasfaces.evaluate.groups import ALPHA, LEAST
from kerasfaces.evaluate.slices import CROSS
from kerasfaces.metrics import Estimate, combined, holm, p_value, rate
from kerasfaces.metrics.difference_tests import p_of_draws
from kerasfaces.metrics.group_rates import (
    Counts,
    largest_gap,
    needed_n,
    within_strata,
)
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.metrics.intervals import percentiles
from kerasfaces.metrics.mislabelled_groups import (
    LabelErrors,
    rate_of,
    true_counts,
)
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint

RATES = {"false_alarm_rate": "real", "miss_rate": "fake"}  # of images of this class
BETWEEN = ", "  # between their values
CROSSED = ("attr_gender*attr_race",)  # by default, where both are there
GAP = 0.05
MOST_GROUPS = 12
_LEAST_CROSSED = 20  # images of a class that a combination needs
_MATRIX = "drawn with the annotator's confusion matrix"


@dataclasses.dataclass(frozen=True)
class _Rate:
    """One kind of error among the images of one class.

    Attributes:
        cells: `(n,)` the group of each image.
        wrong: `(n,)` whether it was called wrongly.
        sources: `(n,)` where it comes from.
    """

    cells: pd.Series
    wrong: Bools
    sources: pd.Series

    def counts(self, mask: Bools) -> Counts:
        """Return how many were called wrongly of how many."""
        return int(self.wrong[mask].sum()), int(mask.sum())

    def of(self, value: str) -> tuple[Counts, Counts]:
        """Return the counts of a group and of the other groups together."""
        inside = (self.cells == value).to_numpy()
        return self.counts(inside), self.counts(~inside)


def measure(
    frame: pd.DataFrame,
    columns: Sequence[str],
    point: OperatingPoint,
    labels: Mapping[str, Json] | None = None,
    seed: int = 0,
) -> dict[str, Json]:
    """Return attribute -> what is known of its groups.

    Args:
        frame: Predictions of one split.
        columns: Attributes, and pairs of them such as `attr_gender*attr_race`.
        point: Frozen on validation.
        labels: Attribute -> who labelled it; see `annotators`.
        seed: Keys the draws.
    """
    rows, labels = predictions.readable(frame), labels or {}
    return {
        name: _attribute(rows, name, point, labels, seed)
        for name in columns
        if set(name.split(CROSS)) <= set(rows.columns)
    }


def crossings(frame: pd.DataFrame) -> list[str]:
    """Return the pairs of attributes that are combined unasked, where both are there."""
    known = predictions.attributes(frame)
    return [name for name in CROSSED if set(name.split(CROSS)) <= set(known)]


def _attribute(
    rows: pd.DataFrame,
    name: str,
    point: OperatingPoint,
    labels: Mapping[str, Json],
    seed: int,
) -> Json:
    cells = _cells(rows, name)
    fake = (rows["label"] == "fake").to_numpy()
    called = rows["score"].to_numpy() >= point.threshold
    known = (cells != "").to_numpy()
    parts = {}
    for key, label in RATES.items():
        mask = known & (fake == (label == "fake"))
        wrong = (called != fake)[mask]
        parts[key] = _Rate(cells[mask], wrong, rows["source"][mask])
    values = slices.values(pd.DataFrame({name: cells}), name)
    small = _too_small(values, parts) if CROSS in name else []
    content: Json = {
        "unlabelled": {
            label: int((~known & (fake == (label == "fake"))).sum())
            for label in RATES.values()
        },
        "n_too_small": len(small),
        "n_groups": len(values),
    }
    values = [value for value in values if value not in small]
    if len(values) > MOST_GROUPS or not values:
        return content | {"groups": {}}
    if small:
        parts = {key: _without(part, small) for key, part in parts.items()}
    content["groups"] = {
        value: {
            f"n_{label}": parts[key].of(value)[0][1] for key, label in RATES.items()
        }
        | {key: _estimate(part.of(value)[0]) for key, part in parts.items()}
        | {"accuracy": _accuracy([part.of(value)[0] for part in parts.values()])}
        for value in values
    }
    _add_gaps(content, _tests(parts, values))
    errors = _errors(name, labels)
    content["labels"] = _origin(name, labels, errors, values)
    if errors and set(values) <= set(errors.classes):
        _add_corrected(content, parts, errors, rng.generator(seed, "labels", name))
    content["equalised_odds"] = largest_gap(
        [
            [counts for value in values if (counts := part.of(value)[0])[1] >= LEAST]
            for part in parts.values()
        ]
    ).to_dict()
    content["needed_n"] = _needed(parts, values, content["n_tests"])
    group_calibration.add(content, rows[known], cells[known], values)
    return content


def _cells(rows: pd.DataFrame, name: str) -> pd.Series:
    """Return each row's group; empty where one of its attributes is."""
    first, *others = (rows[column] for column in name.split(CROSS))
    cells = first.astype(object)
    for other in others:
        both = (cells != "") & (other != "")
        cells = (cells + BETWEEN + other).where(both, "")
    return cells


def _too_small(values: Sequence[str], parts: Mapping[str, _Rate]) -> list[str]:
    """Return the combinations that have too few images of either class."""
    return [
        value
        for value in values
        if max(part.of(value)[0][1] for part in parts.values()) < _LEAST_CROSSED
    ]


def _without(part: _Rate, values: Sequence[str]) -> _Rate:
    keep = ~part.cells.isin(values).to_numpy()
    return _Rate(part.cells[keep], part.wrong[keep], part.sources[keep])


def _estimate(counts: Counts) -> Json:
    return {**rate(*counts).to_dict(), "wrong": counts[0], "n": counts[1]}


def _accuracy(counts: Sequence[Counts]) -> Json:
    n = sum(n for _, n in counts)
    return dict(rate(n - sum(wrong for wrong, _ in counts), n).to_dict())


def _tests(
    parts: Mapping[str, _Rate], values: Sequence[str]
) -> dict[tuple[str, str], tuple[_Rate, Counts, Counts]]:
    """Return the comparisons that are made: (group, rate) -> part, its counts, the others'.

    Of two groups the first alone is compared: the other's gap is the same, negated.
    """
    return {
        (value, key): (part, *part.of(value))
        for value in (values[:1] if len(values) == 2 else values)
        for key, part in parts.items()
        if min(n for _, n in part.of(value)) >= LEAST
    }


def _add_gaps(
    content: Json, tests: Mapping[tuple[str, str], tuple[_Rate, Counts, Counts]]
) -> None:
    """Add each group's gap to the others, as labelled, and inside sources."""
    gaps = {}
    for at, (part, own, others) in tests.items():
        value, low, high = combined((own, others), (1, -1))
        gap = Estimate(value, low, high, "Newcombe (MOVER)")
        gaps[at] = gap, p_value((own, others), (1, -1))
        strata = _strata(part, at[0])
        if part.sources.nunique() > 1:
            inside = within_strata(strata).to_dict()
            content["groups"][at[0]].setdefault("within_sources", {})[at[1]] = inside
    content["n_tests"] = len(tests)
    _store(content, "gaps", gaps)


def _store(
    content: Json, where: str, gaps: Mapping[tuple[str, str], tuple[Estimate, float]]
) -> None:
    """Store gaps with p-values corrected for all of them."""
    corrected = holm([p for _, p in gaps.values()])
    mirrored = list(content["groups"]) if len(content["groups"]) == 2 else []
    for ((value, key), (gap, p)), p_holm in zip(gaps.items(), corrected, strict=True):
        told = {"p": p, "p_holm": p_holm, "distinguishable": p_holm < ALPHA}
        _put(content, value, where, key, gap.to_dict() | told)
        if mirrored:
            turned = Estimate(-gap.value, -gap.high, -gap.low, gap.method)
            _put(content, mirrored[1], where, key, turned.to_dict() | told)


def _put(content: Json, value: str, where: str, key: str, gap: Json) -> None:
    content["groups"][value].setdefault(where, {})[key] = gap


def _strata(part: _Rate, value: str) -> list[tuple[Counts, Counts]]:
    """Return the counts of a group and of the others in every source that has both."""
    inside = (part.cells == value).to_numpy()
    strata = []
    for source in sorted(part.sources.unique()):
        own = (part.sources == source).to_numpy()
        both = part.counts(own & inside), part.counts(own & ~inside)
        if min(n for _, n in both):
            strata.append(both)
    return strata


def _errors(name: str, labels: Mapping[str, Json]) -> LabelErrors | None:
    """Return the errors of an attribute's labels; of a pair, where both are known."""
    each = [annotators.errors_of(labels.get(column)) for column in name.split(CROSS)]
    if len(each) == 1 or None in each:
        return each[0] if len(each) == 1 else None
    first, second = each
    return annotators.crossed(first, second, BETWEEN) if first and second else None


def _origin(
    name: str,
    labels: Mapping[str, Json],
    errors: LabelErrors | None,
    values: Sequence[str],
) -> str:
    """Return where the labels come from and what is made of it, in a sentence or two."""
    columns = name.split(CROSS)
    if len(columns) > 1:
        if errors is None:
            return "Labels of combinations are taken as exact."
        return "Intervals and tests allow for the errors of both annotators."
    foreign = [value for value in values if errors and value not in errors.classes]
    if foreign:
        return (
            f"The annotator's confusion matrix does not know the "
            f"class{'es' if len(foreign) > 1 else ''} {', '.join(foreign)}: the labels are "
            "taken as exact."
        )
    return annotators.sentence(labels.get(name))


def _add_corrected(
    content: Json,
    parts: Mapping[str, _Rate],
    errors: LabelErrors,
    generator: np.random.Generator,
) -> None:
    """Add each group's rates and gaps with the annotator's errors allowed for."""
    values = list(content["groups"])
    gaps: dict[tuple[str, str], tuple[Estimate, float]] = {}
    for key, part in parts.items():
        counts = [part.of(value)[0] for value in errors.classes]
        if sum(n for _, n in counts) < LEAST:
            continue
        wrong, images = true_counts(errors, counts, generator)
        drawn = {
            value: (wrong[:, at], images[:, at])
            for at, value in enumerate(errors.classes)
        }
        for value in values:
            if not part.of(value)[0][1]:
                continue
            own = rate_of(*drawn[value], generator)
            _put(content, value, "corrected", key, dict(_drawn(own).to_dict()))
            gap = content["groups"][value].get("gaps", {}).get(key)
            if gap is None or (len(values) == 2 and value == values[1]):
                continue
            others = [drawn[other] for other in errors.classes if other != value]
            rest = rate_of(
                np.sum([each[0] for each in others], axis=0),
                np.sum([each[1] for each in others], axis=0),
                generator,
            )
            n = min(n for _, n in part.of(value))
            difference = own - rest
            p = p_of_draws(difference[1:], float(difference[0]), n)
            gaps[value, key] = _drawn(difference), p
    _store(content, "corrected_gaps", gaps)


def _drawn(values: Floats) -> Estimate:
    """Return an estimate: the first is the value, the others are draws."""
    value = float(values[0])
    return Estimate(value, *percentiles(values[1:], value), _MATRIX)


def _needed(
    parts: Mapping[str, _Rate], values: Sequence[str], n_tests: int
) -> dict[str, Json]:
    """Return per rate how many images a group needs for a gap of five points to be seen."""
    needed: dict[str, Json] = {}
    for key, part in parts.items():
        everywhere = np.ones(len(part.wrong), dtype=bool)
        wrong, n = part.counts(everywhere)
        sizes = {value: part.of(value)[0][1] for value in values}
        compared = {value: size for value, size in sizes.items() if size >= LEAST}
        if len(compared) > 1:
            smallest = min(compared, key=lambda value: compared[value])
            needed[key] = {
                "rate": wrong / n,
                "needed": needed_n(wrong / n, GAP, ALPHA / max(1, n_tests)),
                "smallest": compared[smallest],
                "smallest_group": smallest,
            }
    return needed


def is_known(estimate: Mapping[str, float | None]) -> bool:
    """Tell whether an estimate of metrics.json has a value."""
    return estimate["value"] is not None and math.isfinite(estimate["value"])
