"""Does training on many generators help? Differences on the same test images, tested.

Per seed both detectors score the same test rows; the seeds' splits overlap, so their
p-values are not independent. Twice their median is a p-value all the same, whatever the
dependence (Rueger 1978; DiCiccio, DiCiccio and Romano 2020), and Holm's correction
covers the lines of a table.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.crossgen import plan as plans
from kerasfaces.evaluate import predictions
from kerasfaces.metrics import Difference, holm, mean_sd
from kerasfaces.metrics.several import mean_auc_difference

if TYPE_CHECKING:
    from kerasfaces.crossgen.plan import Plan
    from kerasfaces.crossgen.run import Trained

ALPHA = 0.05
OWN, OTHERS = "its own generator", "the other generators"
UNSEEN = "the generator left out"
_METHOD = "mean over seeds of AUC differences and of their limits"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compared:
    """The AUC of the detector trained on all generators minus another's.

    Attributes:
        other: The other training set's name.
        on: What both were tested on, in words.
        tested: The generators.
        value: Mean over seeds of the mean AUC difference over the generators.
        low: Mean of the seeds' lower 95 % limits.
        high: Mean of the upper ones.
        sd: Over seeds; NaN for one.
        values: Each seed's difference.
        n: Test images, of the seed with the fewest.
        p_value: Twice the median of the seeds' p-values (the p-value itself for one).
        p_holm: Corrected for the lines tested on the same thing.
    """

    other: str
    on: str
    tested: tuple[str, ...]
    value: float
    low: float
    high: float
    sd: float
    values: tuple[float, ...]
    n: int
    p_value: float
    p_holm: float = math.nan

    @property
    def verdict(self) -> str:
        """Return `better`, `worse` or `no difference shown`, of training on all."""
        if not self.p_holm < ALPHA:
            return "no difference shown"
        return "better" if self.value > 0 else "worse"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        more = {"verdict": self.verdict, "method": _METHOD}
        return dataclasses.asdict(self) | more


def compare(made: "Plan", trained: Sequence["Trained"]) -> list[Compared]:
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
    each = [
        _of_seed(every[seed], other[seed], tested) for seed in every if seed in other
    ]
    parts = [part for part in each if part is not None]
    if not parts or len(parts) < len(each):
        return []
    values = [part.estimate.value for part, _ in parts]
    value, sd = mean_sd(values)
    p_value = float(np.median([part.p_value for part, _ in parts]))  # NaN stays NaN
    if len(parts) > 1 and p_value > 0.5:
        p_value = 1.0
    elif len(parts) > 1:
        p_value *= 2
    return [
        Compared(
            other=label,
            on=on,
            tested=tested,
            value=value,
            low=float(np.mean([part.estimate.low for part, _ in parts])),
            high=float(np.mean([part.estimate.high for part, _ in parts])),
            sd=sd,
            values=tuple(values),
            n=min(n for _, n in parts),
            p_value=p_value,
        )
    ]


def _of_seed(
    first: Path, second: Path, tested: Sequence[str]
) -> tuple[Difference, int] | None:
    """Return the difference on the test rows both could read, and how many they are."""
    a, b = (
        predictions.readable(predictions.read(folder / "predictions_test.csv"))
        for folder in (first, second)
    )
    both = a.merge(
        b[["path", "logit"]], on="path", suffixes=("_a", "_b"), validate="one_to_one"
    )
    real = both["label"] == "real"
    masks = [(both["source"] == name) & ~real for name in tested]
    masks = [mask for mask in masks if mask.any()]
    if not masks or not real.any():
        return None
    reals, *fakes = (
        (both.loc[mask, "logit_a"], both.loc[mask, "logit_b"])
        for mask in (real, *masks)
    )
    n = sum(int(mask.sum()) for mask in (real, *masks))
    return mean_auc_difference(reals, fakes), n


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
