"""Which rows a table's line is about."""

import numpy as np
import pandas as pd

from kerasfaces.errors import InputError
from kerasfaces.evaluate import predictions
from kerasfaces.metrics.inputs import Bools


def columns(frame: pd.DataFrame, by: list[str] | None = None) -> list[str]:
    """Return the columns to slice by: `by`, or `source` and every attribute.

    Raises:
        InputError: A name in `by` is not a column; the message lists those there are.
    """
    known = ["source", *predictions.attributes(frame)]
    if by is None:
        return known
    for name in by:
        if name not in frame.columns or (
            name in predictions.COLUMNS and name != "source"
        ):
            raise InputError(
                f"Cannot group by {name!r}; available: {', '.join(known)}."
            )
    return list(dict.fromkeys(by))


def values(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the sorted values of a column; rows without one belong to no slice."""
    return sorted(set(frame[column].unique()) - {""})


def masks(frame: pd.DataFrame, by: list[str]) -> dict[str, Bools]:
    """Return the rows of `all` and of every `column=value`, `(n,)` bool each.

    A detector is judged on one generator against all reals, and on one camera data set
    against all fakes: the slice of a source includes all rows of the other class. An
    attribute's slice is the rows that have it.
    """
    found = {"all": np.ones(len(frame), dtype=bool)}
    fake = (frame["label"] == "fake").to_numpy()
    for column in by:
        cells = frame[column].to_numpy()
        for value in values(frame, column):
            mask = cells == value
            if column == "source":
                if not fake[mask].any():
                    mask = mask | fake
                elif fake[mask].all():
                    mask = mask | ~fake
            found[f"{column}={value}"] = mask
    return found
