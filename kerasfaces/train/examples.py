"""What a head is trained on and judged by: features, labels, sources, families."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.features.readers import Columns, Joined, Reader, Rows
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.heads import head_logits
from kerasfaces.train.phase import Phase
from kerasfaces.train.views import source

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examples:
    """Readers of training and validation images, and what they are."""

    train: Sequence[Reader]  # one reader per view of the training images
    train_labels: NDArray[np.float32]  # `(n,)`, 1 = fake
    train_sources: Sequence[str]  # `(n,)` names
    train_families: Sequence[str]  # `(n,)` names
    val: Reader  # reader of the validation images
    val_labels: NDArray[np.float32]  # `(m,)`, 1 = fake
    val_families: Sequence[str]  # `(m,)` names
    engine: str  # what computed the features

    @classmethod
    def of(
        cls, data: Data, train: Sequence[Reader], val: Reader, engine: str
    ) -> "Examples":
        """Return the examples of data whose features these readers read."""
        train_rows, val_rows = data.readable("train"), data.readable("val")
        return cls(
            train=train,
            train_labels=data.labels(train_rows),
            train_sources=data.sources(train_rows),
            train_families=data.families(train_rows),
            val=val,
            val_labels=data.labels(val_rows),
            val_families=data.families(val_rows),
            engine=engine,
        )

    @property
    def width(self) -> int:
        """The number of features."""
        return int(self.val.shape[0])

    def n_steps(self, config: TrainConfig) -> int:
        """Return the number of batches of an epoch."""
        return -(-len(self.train_labels) // config.batch_size)

    @property
    def fakes(self) -> tuple[list[str], list[str]]:
        """The families of the training and of the validation fakes, one per fake."""
        parts = (
            (self.train_families, self.train_labels),
            (self.val_families, self.val_labels),
        )
        train, val = (
            [name for name, label in zip(names, labels, strict=True) if label]
            for names, labels in parts
        )
        return train, val

    def only(self, columns: Columns | None) -> "Examples":
        """Return the examples with some columns of their features; None is all."""
        if columns is None:
            return self
        train = [Joined([(reader, columns)]) for reader in self.train]
        return dataclasses.replace(self, train=train, val=Joined([(self.val, columns)]))

    def without(self, family: str) -> "Examples":
        """Return the examples without the fakes of a family."""
        rows, val_rows = (
            np.flatnonzero((labels != 1) | (np.array(names, dtype=object) != family))
            for labels, names in (
                (self.train_labels, self.train_families),
                (self.val_labels, self.val_families),
            )
        )
        return dataclasses.replace(
            self,
            train=[Rows(reader, rows) for reader in self.train],
            train_labels=self.train_labels[rows],
            train_sources=[self.train_sources[row] for row in rows.tolist()],
            train_families=[self.train_families[row] for row in rows.tolist()],
            val=Rows(self.val, val_rows),
            val_labels=self.val_labels[val_rows],
            val_families=[self.val_families[row] for row in val_rows.tolist()],
        )

    def phase(
        self,
        model: "keras.Model",
        config: TrainConfig,
        weights: NDArray[np.float32] | None = None,
        **more: Any,
    ) -> Phase:
        """Return the phase that trains a head on them.

        Args:
            model: The head.
            config: How the head is trained: epochs, batches, learning rates.
            weights: `(n,)` of the images by themselves; see `Data.weights`.
            more: Further fields of `Phase`.
        """
        return Phase(
            name="head",
            model=model,
            source=source(
                config, self.train_labels, self.train, self.train_sources, weights
            ),
            val_logits=lambda: head_logits(model, self.val),
            val_labels=self.val_labels,
            config=config,
            inputs_by=self.engine,
            **more,
        )
