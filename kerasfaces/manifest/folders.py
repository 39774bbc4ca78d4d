"""Folders -> rows: class, split and source from the names of the folders on the way.

Only names are looked at, all folders together: a name that stands above everything tells
nothing apart, `ffhq_train` is a split where there is an `ffhq_test`, and a generator's
folder that holds both classes gives its reals a source of their own.
"""

import dataclasses
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import folder_labels, folder_sources, folder_splits
from kerasfaces.manifest.image_files import images_below
from kerasfaces.manifest.image_folders import FIRST, FolderInput, ImageFolder
from kerasfaces.manifest.rules import LABELS, require_splits
from kerasfaces.manifest.table import Manifest, absolute_folder

_TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".xlsx")
LAYOUT = "DIR/real/... and DIR/fake/<generator>/..."


@dataclasses.dataclass(frozen=True)
class TreeLine:
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
    lines: Sequence[TreeLine]
    notes: Sequence[str]


def from_folders(folder: Path) -> Manifest:
    """List a folder's images; class, split and source come from the folders they lie in.

    Raises:
        MissingFileError: There is no such folder.
        InputError: A class has no images, or the names do not tell.
    """
    reading = read([FolderInput(path=folder)])
    require_both_classes(reading)
    return reading.manifest


def read(
    inputs: Sequence[FolderInput], split_names: Mapping[str, str] | None = None
) -> Reading:
    """List the images below folders and decide what they are, all folders together.

    Args:
        inputs: The folders.
        split_names: Their word for a split -> ours, such as `dev` -> `val`.

    Raises:
        MissingFileError: There is no such folder.
        InputError: A folder has no images, or the names do not tell.
    """
    require_splits(split_names or {})
    top = Path(os.path.commonpath([absolute_folder(each.path) for each in inputs]))
    files_in: dict[ImageFolder, list[Path]] = {}
    input_of: dict[Path, FolderInput] = {}
    for each in inputs:
        folders: dict[Path, ImageFolder] = {}
        files = _images(each.path)
        for file in files:
            if file in input_of:
                raise InputError(
                    f"{file} lies in {input_of[file].path} and in {each.path}; give one of the two."
                )
            if file.parent not in folders:
                parts = (top.name, *file.parent.relative_to(top).parts)
                folders[file.parent] = folder = ImageFolder(parts, 0, each)
                files_in[folder] = []
            files_in[folders[file.parent]].append(file)
        input_of |= dict.fromkeys(files, each)
    for folder, files in files_in.items():
        folder.n_images = len(files)
    notes: list[str] = []
    above = [each.name for each in top.parents]
    try:
        folder_labels.assign(list(files_in), notes)
        labelled = [folder for folder in files_in if folder.label]
        folder_splits.assign(labelled, above, split_names or {}, notes)
        folder_sources.assign(labelled)
    except InputError as error:
        raise InputError(f"{top}: {error}{_tables_in(inputs)}") from error
    records = [
        (str(file.relative_to(top)), folder.label, folder.source, folder.split)
        for folder in labelled
        for file in files_in[folder]
    ]
    records.sort(key=lambda record: (LABELS.index(record[1]), record[0]))
    columns = ["path", "label", "source", "split"]
    rows = pd.DataFrame(records, columns=columns, dtype=str)
    return Reading(Manifest(rows, top), _lines(list(files_in)), notes)


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
    images = images_below(absolute_folder(folder))
    if not images:
        raise InputError(
            f"{folder} has no images; expected {LAYOUT} with files such as "
            ".jpg or .png."
        )
    return images


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
        counts[text, folder.label, folder.split, folder.source] += folder.n_images
    return [TreeLine(*key, n) for key, n in sorted(counts.items())]
