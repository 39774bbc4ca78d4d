"""A Keras network's outputs of many images or features, batch by batch."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.arrays import Read
from kerasfaces.core.progress import progress

if TYPE_CHECKING:
    import keras

BATCH = 32


def image_logits(model: "keras.Model", read: Read) -> NDArray[np.float64]:
    """Return the logits of all images of a reader, end to end, `(n,)`."""
    total = len(read)  # type: ignore[arg-type]
    if not total:
        return np.zeros(0)
    return of_reader(model, read, total)[:, 0].astype(np.float64)


def of_reader(
    model: "keras.Model", read: Read, total: int, label: str = "predicting"
) -> NDArray[np.float32]:
    """Return a model's outputs of all of a reader's images, `(total, ...)`."""
    parts = []
    with progress(total, label) as add:
        for start in range(0, total, BATCH):
            positions = np.arange(start, min(start + BATCH, total))
            parts.append(of_arrays(model, read(positions)))
            add(len(positions))
    return np.concatenate(parts)


def of_arrays(model: "keras.Model", values: NDArray[Any]) -> NDArray[np.float32]:
    """Return a model's outputs of arrays or features `(n, ...)`, n at least 1."""
    parts = [
        np.asarray(model.predict_on_batch(values[at : at + BATCH].astype(np.float32)))
        for at in range(0, len(values), BATCH)
    ]
    return np.concatenate(parts)


def logits(model: "keras.Model", values: NDArray[Any]) -> NDArray[np.float64]:
    """Return a model's logits of arrays or features, `(n,)`."""
    return of_arrays(model, values)[:, 0].astype(np.float64)
