"""Features in memory, or columns of several readers side by side; read by position."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Columns = NDArray[np.int64]
_CHUNK = 2048
MEMORY_BYTES = 2**30  # of features in memory


class Reader(Protocol):
    """Random access to the features of images."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return `(n_features,)`."""

    def __len__(self) -> int:
        """Return the number of images."""

    def __call__(self, positions: NDArray[Any], /) -> NDArray[Any]:
        """Return `(len(positions), n_features)`."""


class InMemory:
    """Features in memory, read by position."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values, self.shape = values, values.shape[1:]

    def __len__(self) -> int:
        return len(self.values)

    def __call__(self, positions: NDArray[Any]) -> NDArray[np.float32]:
        """Return `(len(positions), n_features)`."""
        chosen: NDArray[np.float32] = self.values[positions]
        return chosen


class Rows:
    """Some rows of a reader."""

    def __init__(self, reader: Reader, rows: NDArray[np.int64]) -> None:
        self._reader, self._rows, self.shape = reader, rows, reader.shape

    def __len__(self) -> int:
        return len(self._rows)

    def __call__(self, positions: NDArray[Any]) -> NDArray[Any]:
        """Return `(len(positions), n_features)`."""
        return self._reader(self._rows[positions])


class Joined:
    """Columns of several readers side by side, standardised on the way."""

    def __init__(self, parts: Sequence[tuple[Reader, Columns | None]]) -> None:
        self._parts = parts
        widths = [
            reader.shape[0] if columns is None else len(columns)
            for reader, columns in parts
        ]
        self.shape = (sum(widths),)
        self._mean: NDArray[np.float32] | None = None
        self._scale = np.ones(1, np.float32)
        self._erased: NDArray[np.float32] | None = None

    def standardize(
        self, mean: NDArray[np.float32], variance: NDArray[np.float32]
    ) -> None:
        """Return features less their mean, in units of their deviation, from now on."""
        self._mean, self._scale = mean, (1.0 / np.sqrt(variance)).astype(np.float32)

    def erase(self, directions: NDArray[np.float32]) -> None:
        """Return features without orthonormal directions `(width, k)`, from now on."""
        self._erased = directions

    def __len__(self) -> int:
        return len(self._parts[0][0])

    def __call__(self, positions: NDArray[Any]) -> NDArray[np.float32]:
        """Return `(len(positions), n_features)`."""
        values = [
            reader(positions) if columns is None else reader(positions)[:, columns]
            for reader, columns in self._parts
        ]
        joined = values[0] if len(values) == 1 else np.concatenate(values, axis=1)
        if self._mean is not None:
            joined = (joined - self._mean) * self._scale
        if self._erased is not None:
            joined = joined - (joined @ self._erased) @ self._erased.T
        return np.asarray(joined, np.float32)

    def in_memory(self) -> InMemory:
        """Read all of it."""
        values = np.empty((len(self), *self.shape), np.float32)
        for start in range(0, len(self), _CHUNK):
            part = np.arange(start, min(start + _CHUNK, len(self)))
            values[part] = self(part)
        return InMemory(values)


def standardized(
    readers: Sequence[Reader],
    known: tuple[NDArray[np.float32], NDArray[np.float32]] | None,
    erased: NDArray[np.float32] | None = None,
) -> list[Reader]:
    """Return readers standardised, in memory if all of them fit.

    Args:
        readers: All of one width.
        known: Mean and variance of the features; None leaves them as they are.
        erased: Directions to leave out of standardised features, see `Joined.erase`.
    """
    joined = [Joined([(reader, None)]) for reader in readers]
    for each in joined:
        if known is not None:
            each.standardize(*known)
        if erased is not None:
            each.erase(erased)
    size = sum(4 * len(reader) * reader.shape[0] for reader in readers)
    return [each.in_memory() if size <= MEMORY_BYTES else each for each in joined]
