"""Does training on many generators help? Differences on the same test images, tested.

Both detectors score the same test rows. The seeds' splits overlap, and so do the reals of
every generator: images are resampled, each with one count wherever it is tested. Holm's
correction covers the lines of a table.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.crossgen import plan as plans
from kerasfaces.crossgen.request import Trained
from kerasfaces.metrics import TestRows, auc, holm, mean_sd, pooled_difference
from kerasfaces.run.folder import ScoredRun

if TYPE_CHECKING:
    from kerasfaces.crossgen.plan import Plan

ALPHA = 0.05
OWN, OTHERS = "its own generator", "the other generators"
UNSEEN = "the generator left out"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared:
    """The AUC of the detector trained on all generators minus another's.

    Attributes:
        other: The other training set's name.
        on: What both were tested on, in words.
        tested: The generators.
        value: Mean over seeds and generators of the AUC differences.
        low: Lower 95 % limit, for these seeds' trainings.
        high: Upper limit.
        method: How the interval was made.
        sd: Over seeds; NaN for one.
        values: Each seed's difference.
        n: Different test images.
        p_value: Of no difference.
        p_holm: Corrected for the lines tested on the same thing.
    """

    other: str
    on: str
    tested: tuple[str, ...]
    value: float
    low: float
    high: float
    method: str
    sd: float
    values: tuple[float, ...]
    n: int
    p_value: float
    p_holm: float = math.nan

    @property
    def verdict(self) -> str:
        """Return `better`, `worse` or what else is known, of training on all."""
        if math.isnan(self.p_holm):
            return "not tested"
        if self.p_holm >= ALPHA:
            return "no difference shown"
        return "better" if self.value > 0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return dataclasses.asdict(self) | {"verdict": self.verdict}


def compare(made: "Plan", trained: Sequence[Trained]) -> list[Compared]:
    """Return all against each single generator, and against all but one.

    Training sets that were not run take no part.
    """
    by_sources = {each.sources: each for each in trained if each.status == "run"}
    names = made.generators
    if made.pairings or len(names) < 2 or names not in by_sources:
        return []
    every = by_sources[names].folders
    found = []
    for name in names:
        for one, on, tested in (
            ((name,), OWN, (name,)),
            ((name,), OTHERS, plans.without(names, name)),
            (plans.without(names, name), UNSEEN, (name,)),
        ):
            if one in by_sources:
                label = name if len(one) == 1 and on != UNSEEN else f"all but {name}"
                found += _one(every, by_sources[one].folders, label, on, tested)
    return _corrected(found)


def _one(
    every: Mapping[int, Path],
    other: Mapping[int, Path],
    label: str,
    on: str,
    tested: tuple[str, ...],
) -> list[Compared]:
    by_seed = [_of_seed(every[seed], other[seed], tested) for seed in every]
    if not all(by_seed):  # nothing that both could read
        return []
    values = [float(np.mean([_value(rows) for rows in each])) for each in by_seed]
    all_rows = [rows for each in by_seed for rows in each]
    found = pooled_difference(all_rows)
    return [
        Compared(
            other=label,
            on=on,
            tested=tested,
            value=found.estimate.value,
            low=found.estimate.low,
            high=found.estimate.high,
            method=found.estimate.method,
            sd=mean_sd(values)[1],
            values=tuple(values),
            n=len({key for rows in all_rows for key in rows.keys}),
            p_value=found.p_value,
        )
    ]


def _of_seed(first: Path, second: Path, tested: Sequence[str]) -> list[TestRows]:
    """Return, per generator, all reals and its fakes, as far as both could read them."""
    a, b = (ScoredRun(folder).readable("test") for folder in (first, second))
    both = a.merge(
        b[["path", "logit"]], on="path", suffixes=("_a", "_b"), validate="one_to_one"
    )
    real = both["label"] == "real"
    found = []
    for name in tested:
        fake = (both["source"] == name) & ~real
        if fake.any() and real.any():
            rows = both[real | fake]
            found.append(
                TestRows(
                    list(rows["path"]), rows["label"], rows["logit_a"], rows["logit_b"]
                )
            )
    return found


def _value(rows: TestRows) -> float:
    return auc(rows.labels, rows.logits_a) - auc(rows.labels, rows.logits_b)


def _corrected(found: Sequence[Compared]) -> list[Compared]:
    """Correct for the number of lines of each table."""
    result = []
    for on in (OWN, OTHERS, UNSEEN):
        lines = [each for each in found if each.on == on]
        known = [each for each in lines if math.isfinite(each.p_value)]
        p_holm = iter(holm([each.p_value for each in known]) if known else [])
        result += [
            dataclasses.replace(each, p_holm=next(p_holm)) if each in known else each
            for each in lines
        ]
    return result
