"""Labels and scores as checked arrays: every public metric validates once, here."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def as_values(values: ArrayLike, name: str = "scores") -> Floats:
    """Return a finite vector.

    Args:
        values: `(n,)` or one column `(n, 1)`, a list, an array or a pandas column.
        name: What the values are, for messages.

    Raises:
        InputError: Not numbers, not a vector, or NaN or infinite values.
    """
    array = _vector(values, name)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: expected numbers, got {array.dtype} ({error})."
        ) from None
    bad = int(np.count_nonzero(~np.isfinite(numbers)))
    if bad:
        raise InputError(
            f"{name}: {bad} of {numbers.size} values are NaN or infinite; a metric over the "
            "rest would silently cover fewer images. Leave those rows out and count them."
        )
    return numbers


def as_labels(labels: ArrayLike, n: int) -> Bools:
    """Return a vector that is True for fake.

    Args:
        labels: `(n,)` or `(n, 1)`; booleans, 0/1 (1 = fake) or the texts real/fake.
        n: The length it must have.

    Raises:
        InputError: Another value, NaN, or another length.
    """
    array = _vector(labels, "labels")
    if array.dtype.kind in "OUST":
        array = np.asarray([_is_fake(value) for value in array.tolist()], dtype=bool)
    numbers = as_values(array, "labels")
    if not np.isin(numbers, (0.0, 1.0)).all():
        raise InputError("labels: expected 0 (real) and 1 (fake) only.")
    if numbers.size != n:
        raise InputError(
            f"labels: {numbers.size} values for {n} scores; expected as many."
        )
    return numbers.astype(bool)


def as_scored(labels: ArrayLike, values: ArrayLike, name: str) -> tuple[Bools, Floats]:
    """Return checked `labels` and `values` of the same length."""
    numbers = as_values(values, name)
    return as_labels(labels, numbers.size), numbers


def as_ranked(
    labels: ArrayLike, values: ArrayLike, name: str = "logits"
) -> tuple[Bools, Floats]:
    """Return the same of rows of both classes.

    Raises:
        InputError: There is no real or no fake among them.
    """
    fake, numbers = as_scored(labels, values, name)
    n_fake = int(fake.sum())
    if n_fake in (0, fake.size):
        raise InputError(
            f"A ranking needs both classes; got {fake.size - n_fake} real and {n_fake} fake."
        )
    return fake, numbers


def _vector(values: ArrayLike, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise InputError(
            f"{name}: expected one column, got an array of shape {array.shape}."
        )
    return array


def _is_fake(value: object) -> bool:
    if isinstance(value, str) and value in ("real", "fake"):
        return value == "fake"
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    if isinstance(value, float) and math.isnan(value):
        raise InputError("labels: 1 or more values are NaN; expected real/fake or 0/1.")
    raise InputError(f"labels: expected real/fake or 0/1, got {quoted(value)}.")
