"""Folders with images, before anything is known of them but their names."""

import dataclasses
import functools
from collections.abc import Collection, Sequence

from kerasfaces.core.texts import quoted
from kerasfaces.manifest import words
from kerasfaces.manifest.words import Name

_SHOWN = 6  # folders named in one message
FIRST = 1  # the first part of a path is the name of the folder that all lie in
NO_SPLIT = "none"


@dataclasses.dataclass(frozen=True)
class Place:
    """One folder with images, and what the user said about it.

    Attributes:
        parts: Its path, from the name of the folder in which all places lie.
        n: Number of its images.
        label: The class, where the user gave it.
        split: train, val, test or `none`, where the user gave it.
        source: What to call its source where no folder does.
        given: Which of the folders that the user gave it lies in.
    """

    parts: tuple[str, ...]
    n: int
    label: str = ""
    split: str = ""
    source: str = ""
    given: int = 0

    @functools.cached_property
    def names(self) -> list[Name]:
        """Return what the words of each part say."""
        return [words.read(part) for part in self.parts]

    def __str__(self) -> str:
        """Return the path as messages show it."""
        return "/".join(self.parts[FIRST:]) or "."


def seen(places: Sequence[Place]) -> str:
    """Return the folders of a message: names with the number of images."""
    shown = [
        f"{quoted(str(place))} ({place.n} image{'s' * (place.n != 1)})"
        for place in sorted(places, key=lambda place: -place.n)[:_SHOWN]
    ]
    more = len(places) - len(shown)
    return ", ".join(shown) + (f" and {more} more folders" if more else "")


def shared(paths: Collection[tuple[str, ...]]) -> int:
    """Return how many leading parts all paths share."""
    for n, column in enumerate(zip(*paths, strict=False)):
        if len(set(column)) > 1:
            return n
    return min(map(len, paths), default=0)
