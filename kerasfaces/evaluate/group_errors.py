"""The images of one class by group, and gaps between groups as metrics.json has them."""

import dataclasses
import math
from collections.abc import Mapping

import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.evaluate.groups import ALPHA
from kerasfaces.metrics import Estimate, holm
from kerasfaces.metrics.group_rates import Counts
from kerasfaces.metrics.inputs import Bools


@dataclasses.dataclass(frozen=True)
class GroupErrors:
    """One kind of error among the images of one class.

    Attributes:
        cells: `(n,)` the group of each image.
        wrong: `(n,)` whether it was called wrongly.
        sources: `(n,)` where it comes from.
        exact: `(n,)` whether its group was stated or corrected by hand, not annotated.
    """

    cells: pd.Series
    wrong: Bools
    sources: pd.Series
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
    """Store gaps with p-values corrected for all of them."""
    corrected = holm([p for _, p in gaps.values()])
    mirrored = list(content["groups"]) if len(content["groups"]) == 2 else []
    for ((value, key), (gap, p)), p_holm in zip(gaps.items(), corrected, strict=True):
        told = {"p": p, "p_holm": p_holm, "distinguishable": p_holm < ALPHA}
        put(content, value, where, key, gap.to_dict() | told)
        if mirrored:
            turned = Estimate(-gap.value, -gap.high, -gap.low, gap.method)
            put(content, mirrored[1], where, key, turned.to_dict() | told)


def put(content: Json, value: str, where: str, key: str, gap: Json) -> None:
    """Store what belongs to a rate of a group under the name `where`."""
    content["groups"][value].setdefault(where, {})[key] = gap


def is_known(estimate: Mapping[str, float | None]) -> bool:
    """Tell whether an estimate of metrics.json has a value."""
    return estimate["value"] is not None and math.isfinite(estimate["value"])
