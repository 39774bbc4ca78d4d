"""Does training on many generators help? Differences on the same test images, tested.

Both detectors score the same test rows. The seeds' splits overlap, and so do the reals of
every generator: images are resampled, each with one count wherever it is tested. Holm's
correction covers the lines of a table.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasfaces.core.files import Json
from kerasfaces.crossgen.cells import TrainedSet
from kerasfaces.crossgen.plan import Plan, without
from kerasfaces.metrics import TestRows, auc, holm, mean_sd, pooled_difference
from kerasfaces.run.folder import ScoredRun

ALPHA = 0.05
OWN, OTHERS = "its own generator", "the other generators"
UNSEEN = "the generator left out"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparison:
    """The AUC of the detector trained on all generators minus another's."""

    other: str  # the other training set's name
    on: str  # what both were tested on, in words
    tested: tuple[str, ...]  # the generators
    value: float  # mean over seeds and generators of the AUC differences
    low: float  # lower 95 % limit, for these seeds' trainings
    high: float  # upper limit
    method: str  # how the interval was made
    sd: float  # over seeds; NaN for one
    values: tuple[float, ...]  # each seed's difference
    n: int  # different test images
    p_value: float  # of no difference
    p_holm: float = math.nan  # corrected for the lines tested on the same thing

    @property
    def verdict(self) -> str:
        """`better`, `worse` or what else is known, of training on all."""
        if math.isnan(self.p_holm):
            return "not tested"
        if self.p_holm >= ALPHA:
            return "no difference shown"
        return "better" if self.value > 0 else "worse"

    def to_dict(self) -> Json:
        """Return JSON types."""
        return dataclasses.asdict(self) | {"verdict": self.verdict}


def compare(plan: Plan, trained: Sequence[TrainedSet]) -> list[Comparison]:
    """Return all against each single generator, and against all but one.

    Training sets that were not run take no part.
    """
    runs = {each.sources: each.folders for each in trained if each.status == "run"}
    names = plan.generators
    if plan.pairings or len(names) < 2 or names not in runs:
        return []
    lines: dict[str, list[Comparison]] = {OWN: [], OTHERS: [], UNSEEN: []}
    for name in names:
        others = without(names, name)
        for on, sources, tested, label in (
            (OWN, (name,), (name,), name),
            (OTHERS, (name,), others, name),
            (UNSEEN, others, (name,), f"all but {name}"),
        ):
            if sources in runs:
                lines[on] += _compared(runs[names], runs[sources], label, on, tested)
    return [
        dataclasses.replace(line, p_holm=p_holm)
        for table in lines.values()
        for line, p_holm in zip(
            table, holm([line.p_value for line in table]), strict=True
        )
    ]


def _compared(
    every: Mapping[int, Path],
    other: Mapping[int, Path],
    label: str,
    on: str,
    tested: tuple[str, ...],
) -> list[Comparison]:
    """Return the comparison of two training sets; empty where nothing can be compared."""
    by_seed = [_of_seed(every[seed], other[seed], tested) for seed in every]
    if not all(by_seed):  # nothing that both could read
        return []
    values = [
        float(
            np.mean(
                [auc(r.labels, r.logits_a) - auc(r.labels, r.logits_b) for r in rows]
            )
        )
        for rows in by_seed
    ]
    all_rows = [rows for each in by_seed for rows in each]
    difference = pooled_difference(all_rows)
    return [
        Comparison(
            other=label,
            on=on,
            tested=tested,
            **dataclasses.asdict(difference.estimate),
            sd=mean_sd(values)[1],
            values=tuple(values),
            n=len({key for rows in all_rows for key in rows.keys}),
            p_value=difference.p_value,
        )
    ]


def _of_seed(first: Path, second: Path, tested: Sequence[str]) -> list[TestRows]:
    """Return, per generator, all reals and its fakes, as far as both could read them."""
    a, b = (ScoredRun(folder).readable("test") for folder in (first, second))
    both = a.merge(
        b[["path", "logit"]], on="path", suffixes=("_a", "_b"), validate="one_to_one"
    )
    real = both["label"] == "real"
    by_generator = []
    for name in tested:
        fake = (both["source"] == name) & ~real
        if fake.any() and real.any():
            rows = both[real | fake]
            by_generator.append(
                TestRows(
                    list(rows["path"]), rows["label"], rows["logit_a"], rows["logit_b"]
                )
            )
    return by_generator
