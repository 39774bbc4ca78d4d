"""Somebody's table (CSV, JSON lines, Excel, Parquet) -> rows with our columns and labels."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.manifest import label_column
from kerasfaces.manifest.image_files import with_slashes
from kerasfaces.manifest.table import (
    NO_SOURCE,
    SPLITS,
    Manifest,
    absolute_folder,
    require_splits,
)
from kerasfaces.tables.columns import PATHS, is_image_name, lines_text

logger = logging.getLogger(__name__)
_SPLIT_NAMES = {name: name for name in SPLITS} | dict(
    training="train", validation="val", valid="val"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TableFormat:
    """How somebody's table is read. What is stated beside a layout goes before it.

    Without layout and columns, a table that has all columns of a layout is read so.
    """

    layout: str = ""  # name of one of `LAYOUTS`
    columns: Mapping[str, str] = dataclasses.field(default_factory=dict)  # ours: theirs
    real_is: str = ""  # the label that means real, where labels are no words
    split_names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    root: Path | None = None  # relative paths start here; by default the table's folder
    suffix: str = ""  # put after names without an extension, e.g. `.jpg`
    extract: Path | None = None  # folder for images that the table holds itself
    fallback_path: str = ""  # their column with another path where the first is empty
    note: str = ""  # about the conversion

    def with_layout(self, header: Sequence[str]) -> Self:
        """Return the format with what its layout, or the one of these columns, states."""
        name = self.layout
        if not (name or self.columns or self.split_names or self.real_is):
            name = _layout_of(header)
        if not name:
            return self
        layout = LAYOUTS[name]
        return dataclasses.replace(
            self,
            columns={**layout.columns, **self.columns},
            real_is=self.real_is or layout.real_is,
            split_names=self.split_names or layout.split_names,
            fallback_path=layout.fallback_path,
            note=layout.note,
        )


LAYOUTS = {
    "mudgal2023": TableFormat(
        columns={"path": "destination_path", "label": "target"}
        | {"source": "folder", "split": "split"},
        fallback_path="image_path",
        real_is="1",
        split_names={"train": "train", "test": "val", "dev": "test"},
        note="mudgal2023's columns: target 1 becomes real and 0 fake, folder becomes source; "
        "its test split steers training, so it becomes val, and its untouched dev becomes "
        "test.",
    )
}
_OWN_FORMAT = TableFormat()


def from_table(
    table: Path | tables.Table,
    table_format: TableFormat = _OWN_FORMAT,
    source: str = "",
) -> Manifest:
    """Convert a table (a file, or what `tables.read` returned); other columns stay as they are.

    `source` is the source's name where no column names one; its reals are `NAME_real` if
    there are fakes too.

    Raises:
        MissingFileError: There is no such file.
        InputError: There is no such layout, a mapped column is missing, or a label or
            split is unknown; the message names the lines.
    """
    if table_format.extract and table_format.root:
        raise InputError("`extract=DIR` is where the images will be; leave out `root`.")
    if table_format.layout not in ("", *LAYOUTS):
        raise InputError(
            f"`layout={table_format.layout!r}`: known layouts are {', '.join(LAYOUTS)}; "
            "others are mapped with `columns`."
        )
    if isinstance(table, Path):
        table = tables.read(table)
    path = table.path
    table.require_rows()
    table.log_notes()
    form = table_format.with_layout(table.header)
    if form.note:
        logger.info("%s", form.note)
    theirs = _ours_to_theirs(table, form)
    empty = [""] * len(table.rows)
    cells = {o: table.column(name) if name else empty for o, name in theirs.items()}
    if fallback := _same_name(table.header, form.fallback_path):
        pairs = zip(cells["path"], table.column(fallback), strict=True)
        cells["path"] = [first or second for first, second in pairs]
    cells["label"] = label_column.read(
        table, theirs["label"], form.real_is, chosen="label" in form.columns
    )
    cells["split"] = _splits(table, cells["split"], form.split_names)
    if not theirs["source"]:
        cells["source"] = _sources(path, cells["label"], source)
    folder = absolute_folder(form.extract or form.root or path.parent)
    if form.extract:
        cells["path"] = _extracted(table, form.columns.get("path", ""), form.extract)
    else:
        paths = with_slashes(path, cells["path"], folder)
        cells["path"] = [p if is_image_name(p) else p + form.suffix for p in paths]
    mapped = {*filter(None, theirs.values()), *cells}
    rest = {name: table.column(name) for name in table.header if name not in mapped}
    return Manifest(pd.DataFrame({**cells, **rest}, dtype=str), folder)


def _layout_of(header: Sequence[str]) -> str:
    """Return the layout whose columns are all there; empty if none's are."""
    names = {name.lower() for name in header}
    for name, layout in LAYOUTS.items():
        if {*layout.columns.values(), layout.fallback_path} <= names:
            logger.info("the table has the columns of %s", name)
            return name
    return ""


def _ours_to_theirs(table: tables.Table, form: TableFormat) -> dict[str, str]:
    """Return our column -> theirs; empty where a column may be missing and is."""
    theirs = {}
    for ours in ("path", "label", "source", "split", *form.columns):
        stated = form.columns.get(ours, ours)
        name = _same_name(table.header, stated)
        required = ours in form.columns
        if not name and not required and not (ours == "path" and form.extract):
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
    shown = quoted(candidates[0])
    logger.warning(
        "%s: there is no column %s; %s is read as it.", table.path, ours, shown
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
    require_splits(their_names)
    split_of = {key.lower(): name for key, name in their_names.items()} or _SPLIT_NAMES
    split_of = {"": "", **split_of}
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
