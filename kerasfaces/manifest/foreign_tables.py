"""Somebody's table (CSV, JSON lines, Excel, Parquet) -> rows with our columns and labels."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.manifest import label_column, missing_files
from kerasfaces.manifest.rules import SPLITS, require_splits
from kerasfaces.manifest.table import NO_SOURCE, Manifest, absolute_folder
from kerasfaces.tables.columns import PATHS, lines_text

logger = logging.getLogger(__name__)
_SPLIT_NAMES = {"": "", "training": "train", "validation": "val", "valid": "val"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Columns:
    """How a table's columns become ours.

    Attributes:
        names: Our column -> theirs (upper and lower case are alike).
        fallback_path: Their column with another path for rows where the first is empty.
        real_is: The label that means real, where labels are not the words real and fake.
        splits: Their split -> ours.
        says: What the user must know about the conversion.
    """

    names: Mapping[str, str]
    fallback_path: str = ""
    real_is: str = ""
    splits: Mapping[str, str] = dataclasses.field(default_factory=dict)
    says: str = ""


PRESETS = {
    "mudgal2023": Columns(
        names={
            "path": "destination_path",
            "label": "target",
            "source": "folder",
            "split": "split",
        },
        fallback_path="image_path",
        real_is="1",
        splits={"train": "train", "test": "val", "dev": "test"},
        says="mudgal2023's columns: target 1 becomes real and 0 fake, folder becomes source; "
        "its test split steers training, so it becomes val, and its untouched dev becomes "
        "test.",
    )
}


def from_table(
    table: Path | tables.Table,
    columns: Columns | None = None,
    root: Path | None = None,
    *,
    source: str = "",
    suffix: str = "",
    extract: Path | None = None,
) -> Manifest:
    """Convert a table; columns that are not mapped are kept.

    Args:
        table: A file in any form that `tables.read` knows, or what that returned.
        columns: How to map; if None, a preset whose columns are all there, else our names.
        root: What relative paths are relative to; the table's folder if None.
        source: What to call the source where no column does; its reals are `NAME_real`
            if there are fakes too.
        suffix: Put after names without an extension, e.g. `.jpg`.
        extract: The folder to write images to that the table holds itself.

    Raises:
        MissingFileError: There is no such file.
        InputError: A mapped column is missing, or a label or split is unknown; the
            message names the lines.
    """
    if isinstance(table, Path):
        table = tables.read(table)
    path = table.path
    if not table.rows:
        raise InputError(f"{path} has no rows; expected one row per image.")
    table.say()
    if columns is None:
        columns = _preset(table.header) or Columns(names={})
    if columns.says:
        logger.info("%s", columns.says)
    theirs = _ours_to_theirs(table, columns, extract)
    cells = {
        ours: table.column(name) if name else [""] * len(table.rows)
        for ours, name in theirs.items()
    }
    if fallback := _same_name(table.header, columns.fallback_path):
        pairs = zip(cells["path"], table.column(fallback), strict=True)
        cells["path"] = [first or second for first, second in pairs]
    cells["label"] = label_column.read(
        table, theirs["label"], columns.real_is, chosen="label" in columns.names
    )
    cells["split"] = _splits(table, cells["split"], columns.splits)
    if not theirs["source"]:
        cells["source"] = _sources(path, cells["label"], source)
    folder = absolute_folder(extract or root or path.parent)
    if extract:
        cells["path"] = _extracted(table, columns.names.get("path", ""), extract)
    else:
        cells["path"] = missing_files.with_slashes(path, cells["path"], folder)
        if suffix:
            cells["path"] = missing_files.with_suffix(cells["path"], suffix)
    mapped = {*filter(None, theirs.values()), *cells}
    rest = {name: table.column(name) for name in table.header if name not in mapped}
    return Manifest(pd.DataFrame({**cells, **rest}, dtype=str), folder)


def _preset(header: Sequence[str]) -> Columns | None:
    names = {name.lower() for name in header}
    for name, preset in PRESETS.items():
        if {*preset.names.values(), preset.fallback_path} <= names:
            logger.info("the table has the columns of %s", name)
            return preset
    return None


def _ours_to_theirs(
    table: tables.Table, columns: Columns, extract: Path | None
) -> dict[str, str]:
    """Return our column -> theirs; empty where a column may be missing and is.

    Raises:
        InputError: A column that was named, or path or label, is missing.
    """
    theirs = {}
    for ours in ("path", "label", "source", "split", *columns.names):
        stated = columns.names.get(ours, ours)
        name = _same_name(table.header, stated)
        required = ours in columns.names
        if not name and not required and not (ours == "path" and extract):
            name = _likely(table, ours)
            required = ours in ("path", "label")
        if not name and required:
            raise InputError(_no_column(table, stated, ours))
        theirs[ours] = name
    return theirs


def _same_name(header: Sequence[str], name: str) -> str:
    """Return the column of that name, in any case; the empty text where there is none."""
    return next((each for each in header if each.lower() == name.lower()), "")


def _likely(table: tables.Table, ours: str) -> str:
    """Return the column that by its name or its words can only be ours, and say so."""
    candidates: list[str] = []
    if ours == "path":
        names = (_same_name(table.header, each) for each in PATHS)
        candidates = list(filter(None, names))[:1]
    elif ours == "label":
        candidates = label_column.of_words(table)
    if len(candidates) != 1:
        return ""
    logger.warning(
        "%s: there is no column %s; %s is read as it.",
        table.path,
        ours,
        quoted(candidates[0]),
    )
    return candidates[0]


def _no_column(table: tables.Table, stated: str, ours: str) -> str:
    if ours == "path" and table.images:
        return (
            f"{table.path}: no column path, but {listed(table.images)} holds the images themselves "
            f"({len(table.rows):,} rows); add `extract=DIR`: they are written there as files and "
            "the manifest is made of those."
        )
    return (
        f"{table.path}, line 1: no column {quoted(stated)} for {ours}; got "
        f"{listed(table.header) or 'none'}. Say which it is with "
        f"`columns={{{ours!r}: COLUMN}}`."
    )


def _sources(path: Path, labels: list[str], name: str) -> list[str]:
    """Return what the sources are called where no column says it."""
    if not name:
        logger.warning(
            "%s: %s Name it with `source=NAME`, or `columns={'source': COLUMN}`.",
            path,
            NO_SOURCE,
        )
        return list(labels)
    both = len(set(labels)) > 1
    return [f"{name}_real" if both and label == "real" else name for label in labels]


def _splits(
    table: tables.Table, cells: list[str], their_names: Mapping[str, str]
) -> list[str]:
    split_of = {**{name: name for name in SPLITS}, **_SPLIT_NAMES}
    if their_names:
        split_of = {"": ""} | {key.lower(): name for key, name in their_names.items()}
    require_splits(their_names)
    words = [cell.strip().lower() for cell in cells]
    bad = [i for i, word in enumerate(words) if word not in split_of]
    if bad:
        raise InputError(
            f"{table.path}, {lines_text([table.lines[i] for i in bad])}: unknown split "
            f"{quoted(cells[bad[0]])}; expected {', '.join(filter(None, split_of))}. Other names can "
            "be mapped, e.g. "
            "`split_names={'train': 'train', 'test': 'val', 'dev': 'test'}`."
        )
    return [split_of[word] for word in words]


def _extracted(table: tables.Table, column: str, folder: Path) -> list[str]:
    """Write the images that a table's column holds; return their paths in `folder`."""
    columns = [name for name in table.images if column in ("", name)]
    if len(columns) != 1:
        raise InputError(
            f"{table.path}: `extract`: expected one column that holds images, got "
            f"{listed(table.images) or 'none'}"
            + ("; say which with `columns={'path': COLUMN}`." if table.images else ".")
        )
    from kerasfaces.tables import embedded

    return embedded.extract(table.path, columns[0], folder)
