"""Rates and gaps of groups with the errors of whoever labelled the images allowed for.

Labels that a source states, or that a hand corrected, are exact; an annotator's are wrong as
often as its confusion matrix says.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.core.texts import listed
from kerasfaces.evaluate import annotators
from kerasfaces.evaluate.group_errors import GroupErrors, put, store
from kerasfaces.evaluate.groups import LEAST
from kerasfaces.evaluate.slices import BETWEEN, CROSS
from kerasfaces.metrics import Estimate
from kerasfaces.metrics.difference_tests import p_of_draws
from kerasfaces.metrics.inputs import Bools, Floats
from kerasfaces.metrics.intervals import percentiles
from kerasfaces.metrics.mislabelled_groups import LabelErrors, rate_of, true_counts

_EXACT = ("stated", "hand")  # in `annotated_x_by`
_MATRIX = "drawn with the annotator's confusion matrix"
Drawn = Mapping[str, tuple[Floats, Floats]]  # group -> wrong calls and images, by draw


def are_exact(rows: pd.DataFrame, columns: Sequence[str]) -> Bools:
    """Return which rows were labelled by no annotator in any of the attributes, `(n,)`.

    Without a column `annotated_x_by` nothing says so, and none is.
    """
    exact = np.ones(len(rows), dtype=bool)
    for column in columns:
        by = f"annotated_{column.removeprefix('attr_')}_by"
        exact &= rows[by].isin(_EXACT).to_numpy() if by in rows else False
    return exact


def labels_of(rows: pd.DataFrame, known: Mapping[str, Json]) -> dict[str, Json]:
    """Return who labelled each attribute: as annotators.json says, else as the rows do."""
    labels: dict[str, Json] = {}
    for by in rows.columns[rows.columns.str.fullmatch("annotated_.*_by")]:
        name = _attribute(by)
        cells = rows.loc[rows[name] != "", by] if name in rows else ()
        if names := sorted(set(cells) - {"", *_EXACT}):
            labels[name] = {"annotator": listed(names)}
    return labels | dict(known)


def _attribute(by: str) -> str:
    return f"attr_{by.removeprefix('annotated_').removesuffix('_by')}"


def add(
    content: Json,
    parts: Mapping[str, GroupErrors],
    name: str,
    labels: Mapping[str, Json],
    generator: np.random.Generator,
) -> None:
    """Add where labels come from and, where errors are known, what they do.

    Args:
        content: Of an attribute, with the `groups` and their `gaps`.
        parts: Rate -> the images it is of.
        name: The attribute, or a pair.
        labels: Attribute -> who labelled it; see `annotators`.
        generator: Makes the draws.
    """
    n_exact = sum(int(part.exact.sum()) for part in parts.values())
    n = sum(part.exact.size for part in parts.values())
    if n_exact == n:
        content["labels"] = (
            "The labels are stated or corrected by hand: taken as exact."
        )
        return
    errors = _errors(name, labels)
    values = list(content["groups"])
    foreign = [value for value in values if errors and value not in errors.classes]
    content["labels"] = _origin(name, labels, errors, foreign)
    if not errors or foreign:
        return
    if n_exact:
        content["labels"] += f" {n_exact:,} of {n:,} labels are stated, and exact."
    gaps = {}
    for key, part in parts.items():
        if part.exact.size < LEAST or part.exact.all():
            continue
        drawn = _drawn_counts(part, errors, generator)
        for value in values:
            if not part.of(value)[0][1]:
                continue
            rate = rate_of(*drawn[value], generator)
            put(content, value, "corrected", key, dict(_estimate(rate).to_dict()))
            is_second = len(values) == 2 and value == values[1]
            if key in content["groups"][value].get("gaps", {}) and not is_second:
                gap = rate - _rate_of_others(drawn, value, generator)
                n_least = min(n for _, n in part.of(value))
                p = p_of_draws(gap[1:], float(gap[0]), n_least)
                gaps[value, key] = _estimate(gap), p
    store(content, "corrected_gaps", gaps)


def _errors(name: str, labels: Mapping[str, Json]) -> LabelErrors | None:
    """Return the errors of an attribute's labels; of a pair, where both are known."""
    first, *others = (annotators.errors_of(labels.get(c)) for c in name.split(CROSS))
    for other in others:
        if first is None or other is None:
            return None
        first = annotators.crossed(first, other, BETWEEN)
    return first


def _origin(
    name: str,
    labels: Mapping[str, Json],
    errors: LabelErrors | None,
    foreign: Sequence[str],
) -> str:
    """Return where the labels come from and what is made of it, in a sentence or two."""
    if foreign:
        return (
            "The annotator's confusion matrix does not know the "
            f"class{'es' if len(foreign) > 1 else ''} {listed(foreign)}: the labels are "
            "taken as exact."
        )
    if CROSS not in name:
        return annotators.sentence(labels.get(name))
    if errors is None:
        return "Labels of combinations are taken as exact."
    return "Intervals and tests allow for the annotators' errors in both attributes."


def _drawn_counts(
    part: GroupErrors, errors: LabelErrors, generator: np.random.Generator
) -> Drawn:
    """Return how many wrong calls and images each true group has, labels by either way."""
    wrong = images = np.zeros((1, len(errors.classes)))
    for is_exact in (False, True):
        mask = part.exact == is_exact
        if not mask.any():
            continue
        counts = [
            part.counts((part.cells == value).to_numpy() & mask)
            for value in errors.classes
        ]
        own = errors.without_errors() if is_exact else errors
        more_wrong, more_images = true_counts(own, counts, generator)
        wrong, images = wrong + more_wrong, images + more_images
    return {
        value: (wrong[:, i], images[:, i]) for i, value in enumerate(errors.classes)
    }


def _rate_of_others(drawn: Drawn, value: str, generator: np.random.Generator) -> Floats:
    others = [each for other, each in drawn.items() if other != value]
    wrong, images = (np.sum([each[i] for each in others], axis=0) for i in range(2))
    return rate_of(wrong, images, generator)


def _estimate(values: Floats) -> Estimate:
    """Return an estimate: the first is the value, the others are draws."""
    value = float(values[0])
    return Estimate(value, *percentiles(values[1:], value), _MATRIX)
