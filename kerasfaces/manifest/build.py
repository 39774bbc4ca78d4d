"""Folders, tables and manifests -> one manifest: nothing twice, no image in two splits."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import file_facts, folders, foreign_tables, groups, image_files
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.manifest.folder_names import NO_SPLIT, FolderInput
from kerasfaces.manifest.foreign_tables import TableFormat
from kerasfaces.manifest.table import Manifest, absolute, absolute_folder, require_valid

logger = logging.getLogger(__name__)
Part = tuple[str, Manifest]  # what messages call it, and its rows


def read(
    inputs: Sequence[FolderInput], tables: TableFormat
) -> tuple[list[Part], folders.Reading | None]:
    """Read folders and tables; a path that is a file is a table.

    Folders take of `tables` only `split_names`.

    Returns:
        All folders together as one part, and each table; and how the folders were read.

    Raises:
        MissingFileError: There is no such folder.
        InputError: Something cannot be read, or folders alone hold one class only.
    """
    of_tables = [each for each in inputs if each.path.is_file()]
    of_folders = [each for each in inputs if each not in of_tables]
    parts = [(str(each.path), _of_table(each, tables)) for each in of_tables]
    if not of_folders:
        return parts, None
    if not of_tables:
        for field in dataclasses.fields(tables):
            if field.name != "split_names" and getattr(tables, field.name):
                raise InputError(
                    f"`{field.name}` is for tables; {of_folders[0].path} is a folder."
                )
    reading = folders.read(of_folders, tables.split_names, both_classes=not of_tables)
    name = ", ".join(str(each.path) for each in of_folders)
    return [(name, reading.manifest), *parts], reading


def _of_table(table: FolderInput, tables: TableFormat) -> Manifest:
    if table.label:
        raise InputError(
            f"`label_is` is for folders; {table.path} is a table with labels of its own "
            "(`columns={'label': COLUMN}, real_is=VALUE`)."
        )
    manifest = foreign_tables.from_table(table.path, tables, table.source)
    if not table.split:
        return manifest
    split = "" if table.split == NO_SPLIT else table.split
    return manifest.assign(split=[split] * len(manifest))


def united(
    parts: Sequence[Part], folder: Path, attributes: Path | None = None
) -> Manifest:
    """Return the rows of what `read` returned with the facts of their files.

    Paths of several parts are relative to `folder`; `attributes` is a table of attribute
    columns to join.

    Raises:
        InputError: No file can be read, or an image is in two parts.
    """
    manifest = parts[0][1] if len(parts) == 1 else concatenate(parts, folder)
    if attributes:
        rows = Attributes(attributes).join(manifest.rows)
        manifest = Manifest(rows, manifest.folder)
    return scanned(manifest, " ".join(name for name, _ in parts))


def scanned(manifest: Manifest, name: str) -> Manifest:
    """Return the rows with the facts of their files; refuse wrong rows, or no readable file."""
    require_valid(manifest, name)
    facts = file_facts.scan(manifest.files())
    reasons, paths = [each.reason for each in facts], manifest.rows["path"]
    file_facts.report_unreadable(list(paths), reasons)
    advice = image_files.of_missing(paths, reasons, manifest.folder)
    if all(reasons):
        raise InputError(
            f"none of the {len(facts)} images can be read (first: {quoted(paths[0])}, "
            f"{reasons[0]}). {advice}".rstrip()
        )
    if advice:
        logger.warning("%s", advice)
    return file_facts.filled(manifest, facts)


def join(parts: Sequence[Part], folder: Path) -> Manifest:
    """Return all rows of at least one manifest with their hashes.

    Raises:
        InputError: An image is in two parts, or its content in two splits.
    """
    joined = file_facts.hashed(concatenate(parts, folder))
    refuse_shared(joined, parts)
    return joined


def concatenate(parts: Sequence[Part], folder: Path) -> Manifest:
    """Return all rows in order; cells of columns that a part lacks are empty."""
    first: dict[str, str] = {}
    frames = []
    for name, manifest in parts:
        paths = absolute(manifest.rows["path"], manifest.folder)
        for path in paths:
            if path in first:
                raise InputError(
                    f"{quoted(path)} is in {first[path]} and in {name}: each image may come "
                    "from one of them only."
                )
        first |= dict.fromkeys(paths, name)
        frames.append(manifest.rows.assign(path=pd.Series(paths, dtype=str)))
    rows = pd.concat(frames, ignore_index=True).fillna("").astype(str)
    return Manifest(rows, absolute_folder(folder))


def refuse_shared(manifest: Manifest, parts: Sequence[Part]) -> None:
    """Refuse images (by sha256) that parts put into different splits.

    `manifest` has the parts' rows in order, with `sha256`.
    """
    torn = groups.shared_between_splits(manifest)
    name_of = [name for name, part in parts for _ in range(len(part))]
    between = [(a, b) for a, b in torn if name_of[a] != name_of[b]]
    pairs = between or torn
    if not pairs:
        return
    rows = manifest.rows
    one, other = (
        f"{quoted(rows['path'][i])} ({rows['split'][i]}"
        + (f", of {name_of[i]})" if between else ")")
        for i in pairs[0]
    )
    raise InputError(
        f"{len(pairs)} image{'s are' if len(pairs) > 1 else ' is'} in two splits (same "
        f"sha256), first {one} and {other}: a detector must not be tested on what it was "
        "trained on. Leave them out of one of the two."
    )
