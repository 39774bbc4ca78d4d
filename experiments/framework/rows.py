"""Estimates of single runs -> rows of results.json."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kerasfaces.core.errors import InputError
from kerasfaces.metrics import mean_sd

RUN = "run"
NO_WEIGHTS = "not run: no weights"
NO_BUDGET = "not run: budget"
NO_LABELS = "not run: no labels"
NO_GENERATOR = "not run: no such generator"
NO_KEY = "not run: no key"
STATUSES = (RUN, NO_WEIGHTS, NO_BUDGET, NO_LABELS, NO_GENERATOR, NO_KEY)
FAILED = "failed: "  # and why


def is_status(text: str) -> bool:
    """Tell whether a row may have this status."""
    return text in STATUSES or (text.startswith(FAILED) and text != FAILED)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of one run.

    Attributes:
        value: The number; NaN where undefined.
        low: 95 % limit, NaN where there is none.
        high: 95 % limit.
        n: Images it rests on.
        p_value: Of no difference, where the number is a difference.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int
    p_value: float = math.nan

    @classmethod
    def of(cls, entry: Mapping[str, Any], n: int) -> "Measured":
        """Read an entry of metrics.json, or of `Estimate.to_dict`."""
        numbers = {
            key: math.nan if entry[key] is None else float(entry[key])
            for key in ("value", "low", "high")
        }
        return cls(n=n, **numbers)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One number of a table, ours and the document's; see DESIGN's results.json.

    Attributes:
        table: The table's name, as the document numbers it.
        row: The table's line.
        metric: The table's column.
        split: Split whose rows it was measured on.
        ours: Split seed -> the number of that split's run; empty unless it was run.
        pooled: Limits and p-value of the mean over splits, where images shared by the
            splits were resampled together; else the limits are averages of the splits'.
        published: The document's number, on the document's data; None without one.
        status: One of `STATUSES`, or `FAILED` and why.
        over: Split seeds whose rows make one number together (a pooled interval); `ours`
            then holds that number alone, under any key.
    """

    table: str
    row: str
    metric: str
    split: str = "test"
    ours: Mapping[int, Measured] = dataclasses.field(default_factory=dict)
    pooled: Measured | None = None
    published: float | None = None
    status: str = RUN
    over: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Check that a row was either run or says why not."""
        if not is_status(self.status):
            raise InputError(
                f"status: expected one of {STATUSES} or {FAILED!r} and why, got "
                f"{self.status!r}."
            )
        if (self.status == RUN) != bool(self.ours):
            raise InputError(
                f"{self.table}, {self.row}: status {self.status!r} with "
                f"{len(self.ours)} numbers."
            )

    def to_dict(self, data: str) -> dict[str, Any]:
        """Return the row as results.json holds it; `data` names the images."""
        ours = over_seeds(self.ours)
        if self.pooled is not None:
            limits = ("low", "high", "p_value", "n")
            ours |= {name: _finite(getattr(self.pooled, name)) for name in limits}
        if self.over:
            ours["seeds"] = sorted(self.over)
        return {
            "table": self.table,
            "row": self.row,
            "data": data,
            "split": self.split,
            "metric": self.metric,
            "ours": ours,
            "published": self.published,
            "status": self.status,
        }


def beside(
    published: Mapping[tuple[str, str, str], float | None],
    table: str,
    line: str,
    metric: str,
    ours: Mapping[int, Measured],
    status: str = RUN,
    kind: str = "",
) -> Row:
    """Return a row with the document's number next to ours.

    Args:
        published: (table, line, metric) -> the document's number.
        table: Name of the table.
        line: Name of the line.
        metric: Name of the column.
        ours: Split seed -> number.
        status: Why there is none, where there is none.
        kind: The document's name of the line, where ours says more.
    """
    return Row(
        table=table,
        row=line,
        metric=metric,
        ours=ours,
        published=published.get((table, kind or line, metric)),
        status=RUN if ours else status,
    )


def not_run(
    table: str, lines: Iterable[str], metrics: Sequence[str], status: str
) -> list[Row]:
    """Return rows without numbers, one per line and metric."""
    return [
        Row(table=table, row=line, metric=metric, status=status)
        for line in lines
        for metric in metrics
    ]


def over_seeds(numbers: Mapping[int, Measured]) -> dict[str, Any]:
    """Return mean and sd over split seeds.

    `low` and `high` are the averages of the splits' own 95 % limits: what one split can
    tell, which the mean of several improves on. `n` is the smallest split's.
    """
    seeds = sorted(numbers)
    ordered = [numbers[seed] for seed in seeds]
    content: dict[str, Any] = {
        "value": _mean([each.value for each in ordered]),
        "low": _mean([each.low for each in ordered]),
        "high": _mean([each.high for each in ordered]),
        "n": min((each.n for each in ordered), default=0),
        "seeds": seeds,
    }
    if len(ordered) > 1:
        content["values"] = [_finite(each.value) for each in ordered]
        defined = content["value"] is not None
        content["sd"] = mean_sd(content["values"])[1] if defined else None
    elif ordered and math.isfinite(ordered[0].p_value):
        content["p_value"] = ordered[0].p_value
    return content


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean, or None when one is undefined: nothing is averaged away."""
    if not values or not all(map(math.isfinite, values)):
        return None
    return mean_sd(values)[0]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
