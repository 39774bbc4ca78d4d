"""Folders with images: what the user states of them, and what their names are read as."""

import dataclasses
import functools
from collections.abc import Collection, Sequence
from pathlib import Path

from kerasfaces.core.texts import quoted
from kerasfaces.manifest import folder_names
from kerasfaces.manifest.folder_names import FolderName

_SHOWN = 6  # folders named in one message
FIRST = 1  # the first part of a path is the name of the folder that all lie in
NO_SPLIT = "none"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FolderInput:
    """One folder to read, and what the user states about it.

    Attributes:
        path: The folder.
        label: real or fake: all its images are that.
        split: train, val, test or `none`: all its images are in that split, or in none.
        source: Name of the source where no folder names one.
    """

    path: Path
    label: str = ""
    split: str = ""
    source: str = ""


@dataclasses.dataclass(eq=False)
class ImageFolder:
    """One folder with images. Labels, splits and sources are filled in one after another.

    Attributes:
        parts: Its path, from the name of the folder in which all lie.
        n_images: Number of its images.
        stated: The user's folder in which it lies.
        label: real, fake, or empty: left out.
        label_at: Index of the part of the path that names the label; -1: none does.
        split: train, val, test or empty.
        split_at: Index of the part that names the split.
        without_split: That part without the split's word.
        source: Camera data set or generator.
        source_at: Index of the part that names the source.
    """

    parts: tuple[str, ...]
    n_images: int
    stated: FolderInput
    label: str = ""
    label_at: int = -1
    split: str = ""
    split_at: int = -1
    without_split: str = ""
    source: str = ""
    source_at: int = -1

    @functools.cached_property
    def names(self) -> list[FolderName]:
        """What the words of each part say."""
        return [folder_names.read(part) for part in self.parts]

    @property
    def depth(self) -> int:
        """Number of leading parts that decide label, split and source."""
        return max(self.label_at, self.split_at, self.source_at, FIRST - 1) + 1

    def __str__(self) -> str:
        """Return the path as messages show it."""
        return "/".join(self.parts[FIRST:]) or "."


def shown(folders: Sequence[ImageFolder]) -> str:
    """Return the largest folders with their numbers of images, for messages."""
    texts = [
        f"{quoted(str(folder))} ({folder.n_images} image{'s' * (folder.n_images != 1)})"
        for folder in sorted(folders, key=lambda folder: -folder.n_images)[:_SHOWN]
    ]
    more = len(folders) - len(texts)
    return ", ".join(texts) + (f" and {more} more folders" if more else "")


def n_shared_parts(paths: Collection[tuple[str, ...]]) -> int:
    """Return how many leading parts all paths share."""
    for n, column in enumerate(zip(*paths, strict=False)):
        if len(set(column)) > 1:
            return n
    return min(map(len, paths), default=0)
