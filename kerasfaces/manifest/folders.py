"""Folders -> rows: class, split and source from the names of the folders on the way."""

import dataclasses
import logging
import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import layout
from kerasfaces.manifest.image_files import images_below
from kerasfaces.manifest.places import FIRST, Place
from kerasfaces.manifest.rules import LABELS
from kerasfaces.manifest.table import Manifest, absolute_folder

logger = logging.getLogger(__name__)
_TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".xlsx")
LAYOUT = "DIR/real/... and DIR/fake/<generator>/..."


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """One folder to read, and what the user says about it.

    Attributes:
        path: The folder.
        label: real or fake: all its images are that.
        split: train, val, test or `none`: all its images are in that split, or in none.
        source: What to call the source where no folder names one.
    """

    path: Path
    label: str = ""
    split: str = ""
    source: str = ""


@dataclasses.dataclass(frozen=True)
class Line:
    """How a part of the tree was read.

    Attributes:
        folder: Below the folder that all lie in; `/*` where it stands for several.
        label: real, fake, or nothing: left out.
        split: train, val, test or nothing.
        source: Camera data set or generator.
        n: Number of images.
    """

    folder: str
    label: str
    split: str
    source: str
    n: int


@dataclasses.dataclass(frozen=True)
class Reading:
    """Rows, and how the folders were read.

    Attributes:
        manifest: One row per image, reals first.
        lines: The tree, folder by folder.
        notes: What was taken one way and could have been taken another.
    """

    manifest: Manifest
    lines: Sequence[Line]
    notes: Sequence[str]


def from_folders(folder: Path) -> Manifest:
    """List a folder's images; class, split and source come from the folders they lie in.

    Raises:
        MissingFileError: There is no such folder.
        InputError: A class has no images, or the names do not tell.
    """
    reading = read([Given(path=folder)])
    require_both_classes(reading)
    return reading.manifest


def read(
    given: Sequence[Given], split_names: Mapping[str, str] | None = None
) -> Reading:
    """List the images below folders and decide what they are, all folders together.

    Args:
        given: The folders.
        split_names: Their word for a split -> ours, such as `dev` -> `val`.

    Raises:
        MissingFileError: There is no such folder.
        InputError: A folder has no images, or the names do not tell.
    """
    top = Path(os.path.commonpath([absolute_folder(each.path) for each in given]))
    files: list[tuple[int, tuple[str, ...], Path]] = []
    counts = Counter[tuple[int, tuple[str, ...]]]()
    seen_in: dict[Path, int] = {}
    for number, each in enumerate(given):
        for file in _images(each.path):
            if seen_in.setdefault(file, number) != number:
                first = given[seen_in[file]].path
                raise InputError(
                    f"{file} lies in {first} and in {each.path}; give one of the two."
                )
            parts = (top.name, *file.relative_to(top).parts[:-1])
            files.append((number, parts, file))
            counts[number, parts] += 1
    places = [
        Place(
            parts,
            n,
            label=given[number].label,
            split=given[number].split,
            source=given[number].source,
            given=number,
        )
        for (number, parts), n in counts.items()
    ]
    above = [each.name for each in top.parents]
    try:
        found = layout.read(places, above, split_names or {})
    except InputError as error:
        raise InputError(f"{top}: {error}{_tables_in(given)}") from error
    answers = dict(zip(counts, found.answers, strict=True))
    records = [
        (str(file.relative_to(top)), answer.label, answer.source, answer.split)
        for number, parts, file in files
        if (answer := answers[number, parts]).label
    ]
    order = sorted(records, key=lambda record: (LABELS.index(record[1]), record[0]))
    rows = pd.DataFrame(order, columns=["path", "label", "source", "split"], dtype=str)
    return Reading(Manifest(rows, top), _lines(places, found.answers), found.notes)


def require_both_classes(reading: Reading) -> None:
    """Refuse folders that hold one class only.

    Raises:
        InputError: With what was seen.
    """
    for label in LABELS:
        if not (reading.manifest.rows["label"] == label).any():
            shown = ", ".join(
                f"{quoted(line.folder)} ({line.n})" for line in reading.lines[:6]
            )
            raise InputError(
                f"{reading.manifest.folder}: no {label} images among {shown}; expected both "
                f"classes, such as {LAYOUT}. Give the other class's folder too."
            )


def _images(folder: Path) -> list[Path]:
    """Return the images below one folder, as absolute paths."""
    if not folder.exists():
        raise MissingFileError(f"{folder} does not exist; expected a folder {LAYOUT}.")
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; expected {LAYOUT} or a table (.csv, .xlsx, .parquet)."
        )
    found = images_below(absolute_folder(folder))
    if not found:
        raise InputError(
            f"{folder} has no images; expected {LAYOUT} with files such as "
            ".jpg or .png."
        )
    return found


def _tables_in(given: Sequence[Given]) -> str:
    """Return the hint that a folder holds a table, which may say what the names do not."""
    for each in given:
        for file in sorted(each.path.iterdir()):
            if file.suffix.lower() in _TABLES:
                return (
                    f" The folder has a table, {quoted(file.name)}; if that says the class, "
                    f"build from it: kerasfaces manifest build {shlex.quote(str(file))}"
                )
    return ""


def _lines(places: Sequence[Place], answers: Sequence[layout.Answer]) -> Sequence[Line]:
    """Return the tree as read: folders that were read alike as one line."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for place, answer in zip(places, answers, strict=True):
        kept = (
            place.parts[FIRST : answer.depth] if answer.label else place.parts[FIRST:]
        )
        deeper = bool(answer.label) and len(place.parts) > max(answer.depth, FIRST)
        folder = "/".join((*kept, "*") if deeper else kept) or "."
        counts[folder, answer.label, answer.split, answer.source] += place.n
    return [Line(*key, n) for key, n in sorted(counts.items())]
