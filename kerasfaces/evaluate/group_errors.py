"""The images of one class by group, and gaps between groups as metrics.json has them."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.evaluate.groups import ALPHA
from kerasfaces.metrics import Estimate, holm
from kerasfaces.metrics.group_rates import Counts
from kerasfaces.metrics.inputs import Bools

RATES = {"false_alarm_rate": "real", "miss_rate": "fake"}  # of images of this class


@dataclasses.dataclass(frozen=True)
class GroupErrors:
    """One kind of error among the images of one class."""

    cells: pd.Series  # `(n,)` the group of each image
    wrong: Bools  # `(n,)` whether it was called wrongly
    sources: pd.Series  # `(n,)` where it comes from
    # `(n,)` whether its group was stated or corrected by hand, not annotated.
    exact: Bools

    def counts(self, mask: Bools) -> Counts:
        """Return how many were called wrongly of how many."""
        return int(self.wrong[mask].sum()), int(mask.sum())

    def of(self, value: str) -> tuple[Counts, Counts]:
        """Return the counts of a group and of the other groups together."""
        inside = (self.cells == value).to_numpy()
        return self.counts(inside), self.counts(~inside)


def store(
    content: Json, where: str, gaps: Mapping[tuple[str, str], tuple[Estimate, float]]
) -> None:
    """Store gaps, of two groups in both of them; see `correct` for what their p lacks."""
    mirrored = list(content["groups"]) if len(content["groups"]) == 2 else []
    for (value, key), (gap, p) in gaps.items():
        put(content, value, where, key, gap.to_dict() | {"p": p})
        if mirrored:
            turned = Estimate(-gap.value, -gap.high, -gap.low, gap.method)
            put(content, mirrored[1], where, key, turned.to_dict() | {"p": p})


def correct(contents: Sequence[Json]) -> None:
    """Correct p-values for all comparisons of these attributes together (Holm).

    Gaps get `p_holm` and `distinguishable`, whether that is below .05; attributes get
    `n_tests`, the number of comparisons.
    """
    comparisons = [
        (groups, key)
        for content in contents
        for groups in _compared(content)
        for key in RATES
        if key in groups[0].get("gaps", {})
    ]
    # As labelled, then as it counts: with wrong labels allowed for, where that is known.
    for order in (("gaps",), ("corrected_gaps", "gaps")):
        gaps = [
            [
                next(each[w][key] for w in order if key in each.get(w, {}))
                for each in groups
            ]
            for groups, key in comparisons
        ]
        corrected = holm([same[0]["p"] for same in gaps])
        for same, p_holm in zip(gaps, corrected, strict=True):
            for gap in same:
                gap |= {"p_holm": p_holm, "distinguishable": p_holm < ALPHA}
    for content in contents:
        content["n_tests"] = len(comparisons)


def _compared(content: Json) -> list[list[Json]]:
    """Return the groups of each comparison: two groups share theirs."""
    groups = list(content["groups"].values())
    return [groups] if len(groups) == 2 else [[each] for each in groups]


def put(content: Json, value: str, where: str, key: str, gap: Json) -> None:
    """Store what belongs to a rate of a group under the name `where`."""
    content["groups"][value].setdefault(where, {})[key] = gap


def is_known(estimate: Mapping[str, float | None]) -> bool:
    """Tell whether an estimate of metrics.json has a value."""
    return estimate["value"] is not None and math.isfinite(estimate["value"])
