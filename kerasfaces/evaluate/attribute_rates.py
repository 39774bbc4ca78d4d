"""How often a detector errs in each group of an attribute, and what these images can tell.

Predictions and a frozen threshold enter; per attribute a dictionary for metrics.json leaves:
rates as labelled, rates with the annotator's own error allowed for, gaps with p-values
corrected for all comparisons of the attributes together, of each pair of attributes by itself
(Holm), and how many images a gap of five points would take. Rows without a value are in no group and are counted.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from kerasfaces.core import rng
from kerasfaces.core.files import Json
from kerasfaces.evaluate import corrected_rates, group_calibration, slices
from kerasfaces.evaluate.group_errors import RATES, GroupErrors, correct, store
from kerasfaces.evaluate.groups import ALPHA, LEAST
from kerasfaces.evaluate.slices import BETWEEN, CROSS
from kerasfaces.metrics import Estimate, combined, p_value, rate
from kerasfaces.metrics.group_rates import (
    Counts,
    largest_gap,
    needed_n,
    within_strata,
)
from kerasfaces.run import predictions
from kerasfaces.run.operating_point import OperatingPoint

CROSSED = ("attr_gender*attr_race",)  # by default, where both are there
GAP = 0.05
MOST_GROUPS = 12
_LEAST_CROSSED = 20  # images of a class that a combination needs


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
    rows = predictions.readable(frame)
    labels = corrected_rates.labels_of(rows, labels or {})
    measured = {
        name: _attribute(rows, name, point, labels, seed)
        for name in columns
        if set(name.split(CROSS)) <= set(rows.columns)
    }
    correct([each for name, each in measured.items() if CROSS not in name])
    for name, content in measured.items():
        if CROSS in name:
            correct([content])
        content["needed_n"] = _needed(content)
    return measured


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
    exact = corrected_rates.are_exact(rows, name.split(CROSS))
    parts = {}
    for key, label in RATES.items():
        mask = known & (fake == (label == "fake"))
        wrong = (called != fake)[mask]
        parts[key] = GroupErrors(cells[mask], wrong, rows["source"][mask], exact[mask])
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
    generator = rng.generator(seed, "labels", name)
    corrected_rates.add(content, parts, name, labels, generator)
    content["equalised_odds"] = largest_gap(
        [
            [counts for value in values if (counts := part.of(value)[0])[1] >= LEAST]
            for part in parts.values()
        ]
    ).to_dict()
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


def _too_small(values: Sequence[str], parts: Mapping[str, GroupErrors]) -> list[str]:
    """Return the combinations that have too few images of either class."""
    return [
        value
        for value in values
        if max(part.of(value)[0][1] for part in parts.values()) < _LEAST_CROSSED
    ]


def _without(part: GroupErrors, values: Sequence[str]) -> GroupErrors:
    keep = ~part.cells.isin(values).to_numpy()
    return GroupErrors(
        part.cells[keep], part.wrong[keep], part.sources[keep], part.exact[keep]
    )


def _estimate(counts: Counts) -> Json:
    return {**rate(*counts).to_dict(), "wrong": counts[0], "n": counts[1]}


def _accuracy(counts: Sequence[Counts]) -> Json:
    n = sum(n for _, n in counts)
    return dict(rate(n - sum(wrong for wrong, _ in counts), n).to_dict())


def _tests(
    parts: Mapping[str, GroupErrors], values: Sequence[str]
) -> dict[tuple[str, str], tuple[GroupErrors, Counts, Counts]]:
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
    content: Json, tests: Mapping[tuple[str, str], tuple[GroupErrors, Counts, Counts]]
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
    store(content, "gaps", gaps)


def _strata(part: GroupErrors, value: str) -> list[tuple[Counts, Counts]]:
    """Return the counts of a group and of the others in every source that has both."""
    inside = (part.cells == value).to_numpy()
    strata = []
    for source in sorted(part.sources.unique()):
        own = (part.sources == source).to_numpy()
        both = part.counts(own & inside), part.counts(own & ~inside)
        if min(n for _, n in both):
            strata.append(both)
    return strata


def _needed(content: Json) -> dict[str, Json]:
    """Return per rate how many images a group needs for a gap of five points to be seen."""
    needed: dict[str, Json] = {}
    for key in RATES:
        rates = {value: group[key] for value, group in content["groups"].items()}
        sizes = {
            value: each["n"] for value, each in rates.items() if each["n"] >= LEAST
        }
        if len(sizes) < 2:
            continue
        n = sum(each["n"] for each in rates.values())
        rate_of_all = sum(each["wrong"] for each in rates.values()) / n
        smallest = min(sizes, key=lambda value: sizes[value])
        needed[key] = {
            "rate": rate_of_all,
            "needed": needed_n(rate_of_all, GAP, ALPHA / max(1, content["n_tests"])),
            "smallest": sizes[smallest],
            "smallest_group": smallest,
        }
    return needed
