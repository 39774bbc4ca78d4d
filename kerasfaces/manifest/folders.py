"""Folders -> rows: class, split and source from the names of the folders on the way.

Only names are looked at, all folders together: a name that stands above everything tells
nothing apart, `ffhq_train` is a split where there is an `ffhq_test`, and a generator's
folder that holds both classes gives its reals a source of their own.
"""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import folder_labels, folder_sources
from kerasfaces.manifest.folder_names import FIRST, FolderInput, ImageFolder
from kerasfaces.manifest.image_files import images_below
from kerasfaces.manifest.table import LABELS, Manifest, absolute_folder, require_splits

_TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".xlsx")
LAYOUT = "DIR/real/... and DIR/fake/<generator>/..."


class TreeLine(NamedTuple):
    """How a part of the tree was read, and its number of images.

    `folder` lies below the folder that all lie in and ends in `/*` where it stands for
    several; `label` is empty where it is left out.
    """

    folder: str
    label: str
    split: str
    source: str
    n: int


class Reading(NamedTuple):
    """Rows, and how the folders were read."""

    manifest: Manifest  # one row per image, reals first
    lines: Sequence[TreeLine]  # the tree, folder by folder
    notes: Sequence[str]  # what could have been read otherwise


def read(
    inputs: Sequence[FolderInput],
    split_names: Mapping[str, str] | None = None,
    *,
    both_classes: bool = True,
) -> Reading:
    """List the images below folders and decide what they are, all folders together.

    Args:
        inputs: The folders.
        split_names: Their word for a split -> ours, such as `dev` -> `val`.
        both_classes: Refuse folders that hold one class only.

    Raises:
        MissingFileError: There is no such folder.
        InputError: A folder or a class has no images, or the names do not tell.
    """
    require_splits(split_names or {})
    top = Path(os.path.commonpath([absolute_folder(each.path) for each in inputs]))
    folders = _folders(inputs, top)
    notes: list[str] = []
    try:
        folder_labels.assign_labels(folders, notes)
        labelled = [folder for folder in folders if folder.label]
        above = [each.name for each in top.parents]
        folder_labels.assign_splits(labelled, above, split_names or {}, notes)
        folder_sources.assign(labelled)
    except InputError as error:
        raise InputError(f"{top}: {error}{_tables_in(inputs)}") from error
    records = [
        (str(file.relative_to(top)), folder.label, folder.source, folder.split)
        for folder in labelled
        for file in folder.files
    ]
    records.sort(key=lambda record: (LABELS.index(record[1]), record[0]))
    columns = ["path", "label", "source", "split"]
    rows = pd.DataFrame(records, columns=columns, dtype=str)
    reading = Reading(Manifest(rows, top), _lines(folders), notes)
    if both_classes:
        _require_both_classes(reading)
    return reading


def _folders(inputs: Sequence[FolderInput], top: Path) -> list[ImageFolder]:
    """Return the folders with images below those of the user."""
    folders: dict[Path, ImageFolder] = {}
    for each in inputs:
        for file in _images(each.path):
            folder = folders.get(file.parent)
            if folder is None:
                parts = (top.name, *file.parent.relative_to(top).parts)
                folder = folders[file.parent] = ImageFolder(parts, each)
            elif folder.stated is not each:
                raise InputError(
                    f"{file} lies in {folder.stated.path} and in {each.path}; give one of the two."
                )
            folder.files.append(file)
    return list(folders.values())


def _images(folder: Path) -> list[Path]:
    """Return the images below one folder, as absolute paths."""
    if not folder.exists():
        raise MissingFileError(f"{folder} does not exist; expected a folder {LAYOUT}.")
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; expected {LAYOUT} or a table (.csv, .xlsx, .parquet)."
        )
    images = images_below(absolute_folder(folder))
    if not images:
        raise InputError(
            f"{folder} has no images; expected {LAYOUT} with files such as "
            ".jpg or .png."
        )
    return images


def _require_both_classes(reading: Reading) -> None:
    for label in LABELS:
        if not (reading.manifest.rows["label"] == label).any():
            shown = ", ".join(
                f"{quoted(line.folder)} ({line.n})" for line in reading.lines[:6]
            )
            raise InputError(
                f"{reading.manifest.folder}: no {label} images among {shown}; expected both "
                f"classes, such as {LAYOUT}. Give the other class's folder too."
            )


def _tables_in(inputs: Sequence[FolderInput]) -> str:
    """Return the hint that a folder holds a table, which may say what the names do not."""
    for each in inputs:
        for file in sorted(each.path.iterdir()):
            if file.suffix.lower() in _TABLES:
                return (
                    f" The folder has a table, {quoted(file.name)}; if that says the class, "
                    f"build from it: `Manifest.from_table({str(file)!r})`"
                )
    return ""


def _lines(folders: Sequence[ImageFolder]) -> list[TreeLine]:
    """Return the tree as read: folders that were read alike as one line."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for folder in folders:
        depth = folder.depth if folder.label else len(folder.parts)
        deeper = ("*",) * (len(folder.parts) > depth)
        text = "/".join((*folder.parts[FIRST:depth], *deeper)) or "."
        counts[text, folder.label, folder.split, folder.source] += len(folder.files)
    return [TreeLine(*key, n) for key, n in sorted(counts.items())]
