"""Folders and tables of the command line -> one manifest with the facts of its files."""

import argparse
import dataclasses
import logging
from collections.abc import Mapping, Sequence
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
    printing,
    table,
)
from kerasfaces.manifest.attributes import Attributes
from kerasfaces.manifest.image_folders import NO_SPLIT, FolderInput
from kerasfaces.manifest.inputs import Input
from kerasfaces.manifest.rules import SPLITS
from kerasfaces.manifest.table import Manifest

logger = logging.getLogger(__name__)


def from_inputs(options: argparse.Namespace) -> Manifest:
    """Read all folders and tables, print how the folders were read, and scan the files.

    Raises:
        InputError: They cannot be read, hold one class only, or put one image into two
            splits.
    """
    parts = _parts(options)
    if len(parts) == 1:
        manifest = parts[0][1]
    else:
        manifest = joining.concatenate(parts, options.output.parent)
    if options.attributes:
        rows = Attributes(options.attributes).join(manifest.rows)
        manifest = Manifest(rows, manifest.folder)
    table.require_valid(manifest, " ".join(str(each.path) for each in options.inputs))
    manifest = scanned(manifest)
    if len(options.inputs) > 1:
        joining.refuse_shared(manifest, joining.origins(parts))
    return manifest


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


def _parts(options: argparse.Namespace) -> list[joining.Part]:
    """Return what each input holds; all folders are one part, read together."""
    tables = [each for each in options.inputs if _is_table(each.path)]
    others = [each for each in options.inputs if each not in tables]
    parts = [(str(each.path), _from_table(each, options)) for each in tables]
    if not others:
        return parts
    if not tables:
        _refuse_table_options(options, others[0].path)
    given = [
        FolderInput(
            path=each.path,
            label=each.label_is,
            split=each.split_is,
            source=each.source,
        )
        for each in others
    ]
    reading = folders.read(given, _split_names(options.map_split))
    if not tables:
        folders.require_both_classes(reading)
    printing.tree(reading)
    name = ", ".join(str(each.path) for each in others)
    return [(name, reading.manifest), *parts]


def _is_table(path: Path) -> bool:
    return path.is_file()


def _from_table(given: Input, options: argparse.Namespace) -> Manifest:
    if given.label_is:
        raise InputError(
            f"--label-is is for folders; {given.path} is a table with labels of its own "
            "(--map label=COLUMN, --real-is VALUE)."
        )
    if options.extract and options.root:
        raise InputError("--extract DIR is where the images will be; leave out --root.")
    manifest = foreign_tables.from_table(
        given.path,
        _columns(options),
        options.root,
        source=given.source,
        suffix=options.suffix,
        extract=options.extract,
    )
    if not given.split_is:
        return manifest
    split = "" if given.split_is == NO_SPLIT else given.split_is
    return Manifest(manifest.rows.assign(split=split), manifest.folder)


def _refuse_table_options(options: argparse.Namespace, folder: Path) -> None:
    for name in ("columns", "map", "real_is", "root", "suffix", "extract"):
        if getattr(options, name):
            flag = name.replace("_", "-")
            raise InputError(f"--{flag} is for tables; {folder} is a folder.")


def _split_names(texts: Sequence[str]) -> Mapping[str, str]:
    """Return what `--map-split` says, checked."""
    names = foreign_tables.parse_map(list(texts))
    wrong = sorted(set(names.values()) - set(SPLITS))
    if wrong:
        raise InputError(
            f"--map-split: {quoted(wrong[0])} is none of {', '.join(SPLITS)}."
        )
    return names


def _columns(options: argparse.Namespace) -> foreign_tables.Columns | None:
    """Return the mapping asked for on the command line, or None."""
    names, splits = (
        foreign_tables.parse_map(options.map),
        foreign_tables.parse_map(options.map_split),
    )
    if not (options.columns or names or splits or options.real_is):
        return None
    if options.columns and options.columns not in foreign_tables.PRESETS:
        raise InputError(
            f"--columns {quoted(options.columns)}: known layouts are "
            f"{', '.join(foreign_tables.PRESETS)}; others are mapped with --map."
        )
    base = foreign_tables.PRESETS.get(options.columns, foreign_tables.Columns(names={}))
    return dataclasses.replace(
        base,
        names={**base.names, **names},
        real_is=options.real_is or base.real_is,
        splits=splits or base.splits,
    )
