"""Which rows a table's line is about."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.metrics.inputs import Bools
from kerasfaces.run import predictions

CROSS = "*"  # between two attributes whose combinations are groups
BETWEEN = ", "  # between their values
_MANY_VALUES = 12  # an attribute with more distinct numbers is shown in ranges
_BINS = 8


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
                f"Cannot group by {quoted(name)}; available: {listed(known)}."
            )
    return list(dict.fromkeys(by))


def attributes(frame: pd.DataFrame) -> list[str]:
    """Return the attributes that groups are compared by: those that can be combined."""
    return [name for name in predictions.attributes(frame) if CROSS not in name]


def asked(frame: pd.DataFrame, by: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the columns asked for, and the pairs such as `attr_gender*attr_race`.

    Raises:
        InputError: There is no such column, or a pair is not of two attributes.
    """
    pairs = [name for name in by if CROSS in name and name not in frame]
    for name in pairs:
        parts = name.split(CROSS)
        columns(frame, parts)
        if len(set(parts)) != 2 or not set(parts) <= set(attributes(frame)):
            raise InputError(
                f"Cannot combine {quoted(name)}; expected two attributes, such as "
                f"attr_gender{CROSS}attr_race."
            )
    return columns(frame, [name for name in by if name not in pairs]), pairs


def binned(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Turn attributes with many numbers (an age in years) into ranges, alike everywhere.

    Args:
        frames: Split -> predictions; the bins are of all of them together.
    """
    names = {
        name for frame in frames.values() for name in predictions.attributes(frame)
    }
    out = dict(frames)
    for name in sorted(names):
        having = {split: frame for split, frame in out.items() if name in frame.columns}
        cells = pd.concat([frame[name] for frame in having.values()])
        numbers = pd.to_numeric(cells[cells != ""], errors="coerce")
        if numbers.nunique() <= _MANY_VALUES or not np.isfinite(numbers).all():
            continue
        width = _nice_width((numbers.max() - numbers.min()) / _BINS)
        for split, frame in having.items():
            labels = [_range(cell, width) for cell in frame[name]]
            out[split] = frame.assign(**{name: labels})
    return out


def _nice_width(width: float) -> float:
    """Return 1, 2 or 5 times a power of ten, at least `width`."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= width)


def _range(cell: str, width: float) -> str:
    """Return e.g. `20 to <30`."""
    if cell == "":
        return ""
    # Rounded, as 0.6 / 0.2 is a little less than 3.
    number = math.floor(round(float(cell) / width, 9))
    return f"{number * width:.12g} to <{(number + 1) * width:.12g}"


def _start(value: str) -> tuple[float, str]:
    """Sort ranges by where they start and everything else by name."""
    head, to, _ = value.partition(" to <")
    return (float(head), "") if to else (math.inf, value)


def values(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the sorted values of a column; rows without one belong to no slice."""
    return sorted(set(frame[column].unique()) - {""}, key=_start)


def masks(frame: pd.DataFrame, by: list[str]) -> dict[str, Bools]:
    """Return the rows of `all` and of every `column=value`, `(n,)` bool each.

    A detector is judged on one generator against all reals, and on one camera data set
    against all fakes: the slice of a source includes all rows of the other class. An
    attribute's slice is the rows that have it.
    """
    by_slice = {"all": np.ones(len(frame), dtype=bool)}
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
            by_slice[f"{column}={value}"] = mask
    return by_slice
