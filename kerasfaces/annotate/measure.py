"""Annotated values against stated ones: confusion matrices, rates with intervals.

A row counts where its stated value, or what it means (`SAME`), is a value of the attribute.
What an annotator was trained on is no measure of it; sources in question are named in
`SEEN` and never counted into a matrix that leaves this module.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.annotate import columns
from kerasfaces.annotate.columns import Judged
from kerasfaces.annotate.contract import Attribute
from kerasfaces.core.files import Json, read_json
from kerasfaces.metrics.intervals import rate

MEASURED = Path(__file__).with_name("measured.json")
# kabber2023 counts indian and middle eastern as asian
SAME = {
    "male": "man",
    "female": "woman",
    "indian": "asian",
    "middle_eastern": "asian",
    "latino": "latino_hispanic",
    "hispanic": "latino_hispanic",
}
SEEN = {"gear": ("utkface",)}
_LEAST = 30  # rows with a stated value from which a manifest measures its own annotator


def meant(value: str, attribute: Attribute) -> str:
    """Return the attribute's value that a stated one means; empty where it has none."""
    own = SAME.get(value.strip().lower(), value)
    return own if own in attribute.classes else ""


def confusion(
    stated: Sequence[str], one: Judged, seen: Sequence[bool] = ()
) -> Json | None:
    """Return the confusion matrix of an attribute, or None where it is not known.

    Measured on the rows themselves where at least 30 state the attribute; else what was
    measured on real faces before (`measured.json`), for the same annotators and thresholds.

    Args:
        stated: Per row the stated value, empty for none.
        one: The annotators' answers on the same rows.
        seen: Per row, whether an annotator was trained on it; those rows do not count.

    Returns:
        `classes`; `counts`, a row per stated class, a column per annotated one; `unanswered`
        per stated class; `n`, all of them; `measured_on`.
    """
    matrix = counted(stated, one, seen)
    if matrix is not None and matrix["n"] < _LEAST:
        return _known(one)
    return matrix


def counted(
    stated: Sequence[str], one: Judged, seen: Sequence[bool] = ()
) -> Json | None:
    """Return the confusion matrix of these rows, however few; None for numbers.

    Args:
        stated: See `confusion`.
        one: See `confusion`.
        seen: See `confusion`.
    """
    if one.attribute.numbers:
        return None
    classes = one.attribute.classes
    values = [value for value, *_ in columns.annotated(one)]
    counts = np.zeros((len(classes), len(classes) + 1), np.int64)
    for at, text in enumerate(stated):
        true = meant(text, one.attribute)
        if not true or (len(seen) and seen[at]) or not one.is_answered(at):
            continue
        column = classes.index(values[at]) if values[at] in classes else -1
        counts[classes.index(true), column] += 1
    return {
        "classes": classes,
        "counts": counts[:, :-1].tolist(),
        "unanswered": counts[:, -1].tolist(),
        "n": int(counts.sum()),
        "measured_on": "the rows of this manifest that state it",
    }


def _known(one: Judged) -> Json | None:
    wanted = one.attribute.column, list(one.by), dict(one.thresholds)
    for each in _measured():
        if (each["attribute"], each["by"], each["min_confidence"]) == wanted:
            known: Json = each["confusion"]
            return known
    return None


def trained_on(rows: pd.DataFrame, one: Judged) -> list[bool]:
    """Tell for each row whether an annotator of the attribute was trained on its source."""
    sources = {source for name in one.by for source in SEEN.get(name, ())}
    return [source in sources for source in rows["source"]]


@functools.cache
def _measured() -> list[Json]:
    known: list[Json] = read_json(MEASURED)["attributes"] if MEASURED.exists() else []
    return known


def table(
    rows: pd.DataFrame, everything: Mapping[str, Judged], by: str = "source"
) -> pd.DataFrame:
    """Return how often annotators are right, by group and attribute.

    Args:
        rows: Of a manifest, with stated values.
        everything: Attribute -> its answers on these rows.
        by: Column of the groups.

    Returns:
        A row per attribute, group and stated value, and one for all its values: `n`; `answered`,
        those with a value; `right`; `accuracy` of the answered with its exact 95 % interval
        (`low`, `high`); `n_no_face`; `trained_on`, whether an annotator saw this source. For
        an age `accuracy` is empty and `error_years` the mean absolute error.
    """
    lines = []
    for name, one in everything.items():
        stated = columns.stated(rows, name)
        values = [value for value, *_ in columns.annotated(one)]
        frame = pd.DataFrame(
            {
                "group": list(rows[by]),
                "stated": stated
                if one.attribute.numbers
                else [meant(text, one.attribute) for text in stated],
                "value": values,
                "judged": [one.is_answered(at) for at in range(len(stated))],
            }
        )
        frame = frame[frame["stated"] != ""]
        for group, part in frame.groupby("group", sort=True):
            seen = any(group in SEEN.get(each, ()) for each in one.by)
            head = {
                "attribute": one.attribute.column,
                "by": " and ".join(one.by),
                by: group,
                "trained_on": seen,
            }
            lines += [{**head, **line} for line in _lines(part, one.attribute)]
    return pd.DataFrame(lines)


def _lines(part: pd.DataFrame, attribute: Attribute) -> list[Json]:
    if attribute.numbers:
        return [{"stated": "all", **_ages(part)}]
    lines = [{"stated": "all", **_counts(part)}]
    for value in attribute.classes:
        own = part[part["stated"] == value]
        if len(own):
            lines.append({"stated": value, **_counts(own)})
    return lines


def _counts(part: pd.DataFrame) -> Json:
    judged = part[part["judged"]]
    answered = judged[judged["value"] != ""]
    n_right = int((answered["value"] == answered["stated"]).sum())
    share = rate(n_right, len(answered), "nobody answered")
    return {
        "n": len(part),
        "answered": len(answered),
        "right": n_right,
        "accuracy": share.value,
        "low": share.low,
        "high": share.high,
        "n_no_face": len(part) - len(judged),
    }


def _ages(part: pd.DataFrame) -> Json:
    pairs = part[part["judged"] & (part["value"] != "")]
    years = [
        pd.to_numeric(pairs[each], errors="coerce") for each in ("value", "stated")
    ]
    errors = (years[0] - years[1]).abs().dropna()
    half = 1.96 * errors.std() / np.sqrt(len(errors)) if len(errors) > 1 else np.nan
    mean = float(errors.mean()) if len(errors) else np.nan
    return {
        "n": len(part),
        "answered": len(errors),
        "error_years": mean,
        "low": mean - half,
        "high": mean + half,
        "n_no_face": int((~part["judged"]).sum()),
    }
