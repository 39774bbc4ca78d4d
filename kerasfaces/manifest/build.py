"""Folders and tables -> one manifest with the facts of its files."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import (
    file_facts,
    folders,
    foreign_tables,
    joining,
    missing_files,
    table,
)
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.manifest.foreign_tables import TableFormat
from kerasfaces.manifest.image_folders import NO_SPLIT, FolderInput
from kerasfaces.manifest.table import Manifest

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inputs:
    """What folders and tables hold, before their files are looked at.

    Attributes:
        parts: All folders together, and each table.
        n_inputs: Number of folders and tables.
        reading: How the folders were read, if there are any.
    """

    parts: Sequence[joining.Part]
    n_inputs: int
    reading: folders.Reading | None = None

    def manifest(self, folder: Path, attributes: Path | None = None) -> Manifest:
        """Return one manifest with the facts of its files.

        Args:
            folder: Folder that paths of several parts are relative to.
            attributes: A table of attribute columns to join.

        Raises:
            InputError: No file can be read, or an image is in two splits.
        """
        if len(self.parts) == 1:
            manifest = self.parts[0][1]
        else:
            manifest = joining.concatenate(self.parts, folder)
        if attributes:
            rows = Attributes(attributes).join(manifest.rows)
            manifest = Manifest(rows, manifest.folder)
        table.require_valid(manifest, " ".join(name for name, _ in self.parts))
        manifest = scanned(manifest)
        if self.n_inputs > 1:
            joining.refuse_shared(manifest, joining.origins(self.parts))
        return manifest


def read(inputs: Sequence[FolderInput], tables: TableFormat) -> Inputs:
    """Read folders and tables; a path that is a file is a table.

    Args:
        inputs: Folders, which are read together, and tables.
        tables: How the tables are read; folders take `split_names` too.

    Raises:
        MissingFileError: There is no such folder.
        InputError: Something cannot be read, or folders alone hold one class only.
    """
    of_tables = [each for each in inputs if each.path.is_file()]
    of_folders = [each for each in inputs if each not in of_tables]
    parts = [(str(each.path), _of_table(each, tables)) for each in of_tables]
    if not of_folders:
        return Inputs(parts=parts, n_inputs=len(inputs))
    if not of_tables:
        _refuse_table_format(tables, of_folders[0].path)
    reading = folders.read(of_folders, tables.split_names)
    if not of_tables:
        folders.require_both_classes(reading)
    name = ", ".join(str(each.path) for each in of_folders)
    return Inputs(
        parts=[(name, reading.manifest), *parts], n_inputs=len(inputs), reading=reading
    )


def scanned(manifest: Manifest) -> Manifest:
    """Return the rows with the facts of their files; unreadable ones are logged.

    Raises:
        InputError: No file can be read.
    """
    facts = file_facts.scan(manifest.files())
    columns = pd.DataFrame([each.columns() for each in facts], dtype=str)
    rows = manifest.rows.assign(**{str(name): columns[name] for name in columns})
    file_facts.report_unreadable(list(rows["path"]), facts)
    advice = missing_files.of_missing(
        rows["path"], [each.reason for each in facts], manifest.folder
    )
    if all(each.reason for each in facts):
        raise InputError(
            f"none of the {len(facts)} images can be read (first: {quoted(rows['path'][0])}, "
            f"{facts[0].reason}). {advice}".rstrip()
        )
    if advice:
        logger.warning("%s", advice)
    return Manifest(rows, manifest.folder)


def _of_table(given: FolderInput, tables: TableFormat) -> Manifest:
    if given.label:
        raise InputError(
            f"`label_is` is for folders; {given.path} is a table with labels of its own "
            "(`columns={'label': COLUMN}, real_is=VALUE`)."
        )
    manifest = foreign_tables.from_table(given.path, tables, given.source)
    if not given.split:
        return manifest
    split = "" if given.split == NO_SPLIT else given.split
    return Manifest(manifest.rows.assign(split=split), manifest.folder)


def _refuse_table_format(tables: TableFormat, folder: Path) -> None:
    for field in dataclasses.fields(tables):
        if field.name != "split_names" and getattr(tables, field.name):
            raise InputError(f"`{field.name}` is for tables; {folder} is a folder.")
