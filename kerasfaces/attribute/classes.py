"""Manifest rows -> classes: `real`, and every generator with enough images."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.metrics.inputs import Bools

REAL = "real"
UNKNOWN = "unknown"
SPLITS = ("train", "val", "test")
LEAST = (20, 5, 5)  # images in train, val, test: fewer tell nothing of a class
NO_CLASS = -1


@dataclasses.dataclass(frozen=True)
class Classes:
    """What a head tells apart."""

    names: tuple[str, ...]  # `real` first, then the generators in order
    # Generator (and `real`) -> readable images per split, those with too few included.
    counts: dict[str, dict[str, int]]
    # Generators with too few images to be a class; their images take no part.
    few: tuple[str, ...]
    notes: tuple[str, ...]  # what a reader must know of them, a sentence each

    @property
    def generators(self) -> tuple[str, ...]:
        """The classes without `real`."""
        return self.names[1:]

    def only(self, names: tuple[str, ...]) -> "Classes":
        """Return the classes of a head that knows some of them."""
        return dataclasses.replace(self, names=names)

    def of(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        """Return each row's class number, `(n,)`; `NO_CLASS` where it has none."""
        return pd.Index(self.names).get_indexer(pd.Index(truth(rows))).astype(np.int64)

    def to_json(self) -> Json:
        """Return JSON types."""
        return {
            "names": list(self.names),
            "counts": self.counts,
            "few": list(self.few),
            "least": dict(zip(SPLITS, LEAST, strict=True)),
        }


def truth(rows: pd.DataFrame) -> list[str]:
    """Return `real`, or the generator, of each row."""
    pairs = zip(rows["label"], rows["source"], strict=True)
    return [REAL if label == REAL else str(source) for label, source in pairs]


def find(rows: pd.DataFrame, readable: Bools) -> Classes:
    """Return the classes of a split manifest, counting `readable` rows `(n,)`.

    Raises:
        InputError: A generator is called `real` or `unknown`, there are too few real
            images, or no generator has enough.
    """
    fakes = rows[rows["label"] == "fake"]
    for name in (REAL, UNKNOWN):
        if (fakes["source"] == name).any():
            raise InputError(
                f"A generator is called {quoted(name)}, which is what attribution calls images that "
                "are no known fake; rename that source in the manifest."
            )
    counts = _counts(rows, readable)
    words = {name: _words(each) for name, each in counts.items()}
    wanted = _words(dict(zip(SPLITS, LEAST, strict=True)))
    few = [
        name
        for name, each in counts.items()
        if any(each[split] < n for split, n in zip(SPLITS, LEAST, strict=True))
    ]
    if REAL in few:
        raise InputError(
            f"Attribution needs real images: at least {wanted}, got {words[REAL]}."
        )
    generators = [name for name in counts if name != REAL]
    enough = [name for name in generators if name not in few]
    if not enough:
        counted = "; ".join(f"{name}: {words[name]}" for name in generators)
        raise InputError(
            f"No generator has enough images ({counted or 'there are no fakes'}); expected at "
            f"least {wanted} of one."
        )
    notes = [
        f"{name} has too few images to be a class ({words[name]}; needed are {wanted}): they "
        "are in no number."
        for name in few
    ]
    both = sorted(set(rows["source"][rows["label"] == REAL]) & set(generators))
    notes += [
        f"The source {name} has real and fake images: its fakes are a class, its reals are "
        "real."
        for name in both
    ]
    return Classes((REAL, *enough), counts, tuple(few), tuple(notes))


def without(rows: pd.DataFrame, generator: str, left_out: Sequence[str] = ()) -> Bools:
    """Return the rows of a generator that a model without it has not met, `(n,)`.

    All of them, unless they share a `pair_id` or `identity` with a training or validation
    image of a class the model knows: a copy of a known face is not new. Nor does it know the
    generators `left_out`.
    """
    fake = (rows["label"] == "fake").to_numpy()
    own = fake & (rows["source"] == generator).to_numpy()
    absent = fake & rows["source"].isin([generator, *left_out]).to_numpy()
    used = rows["split"].isin(["train", "val"]).to_numpy() & ~absent
    for name in ("pair_id", "identity"):
        if name in rows:
            met = set(rows[name][used]) - {""}
            own = own & ~rows[name].isin(met).to_numpy()
    return np.asarray(own, dtype=bool)


def _counts(rows: pd.DataFrame, readable: Bools) -> dict[str, dict[str, int]]:
    names = np.array(truth(rows), dtype=object)
    split = rows["split"].to_numpy()
    return {
        name: {
            part: int(((names == name) & (split == part) & readable).sum())
            for part in SPLITS
        }
        for name in sorted({*names, REAL})
    }


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[split]:,} {split}" for split in SPLITS)
