"""Folders with images -> which class, split and source each of them is.

Only names are looked at, all folders together: a name that stands above everything tells
nothing apart, `ffhq_train` is a split where there is an `ffhq_test`, and a generator's
folder that holds both classes gives its reals a source of their own.
"""

import dataclasses
from collections.abc import Mapping, Sequence

from kerasfaces.manifest import place_labels, place_sources, place_splits
from kerasfaces.manifest.places import FIRST, Place


@dataclasses.dataclass(frozen=True)
class Answer:
    """How one place was read.

    Attributes:
        label: real, fake, or nothing: left out.
        split: train, val, test or nothing.
        source: Camera data set or generator.
        depth: How many parts of its path told that.
    """

    label: str
    split: str
    source: str
    depth: int


@dataclasses.dataclass(frozen=True)
class Layout:
    """How all places were read.

    Attributes:
        answers: One per place.
        notes: What was taken one way and could have been taken another.
    """

    answers: Sequence[Answer]
    notes: Sequence[str]


def read(
    places: Sequence[Place], above: Sequence[str], split_names: Mapping[str, str]
) -> Layout:
    """Decide class, split and source of every place.

    Args:
        places: All folders with images.
        above: Names of the folders in which the one that holds all lies, the nearest
            first.
        split_names: Their word for a split -> ours, where the usual meaning is not meant.

    Raises:
        InputError: The names do not tell; the message says which were seen.
    """
    notes: list[str] = []
    labels = place_labels.read(places, notes)
    kept = [i for i, (label, _) in enumerate(labels) if label]
    used, used_labels = [places[i] for i in kept], [labels[i] for i in kept]
    splits = place_splits.read(used, above, split_names, notes)
    sources = place_sources.read(used, used_labels, splits)
    answers = [Answer("", "", "", 0)] * len(places)
    for i, label, split, source in zip(kept, used_labels, splits, sources, strict=True):
        depth = max(label[1], split[1], source[1]) + 1
        answers[i] = Answer(label[0], split[0], source[0], max(depth, FIRST))
    return Layout(answers, notes)
