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
from kerasfaces.manifest.rules import SPLITS
from kerasfaces.manifest.table import NO_SOURCE, Manifest, absolute_folder, paths_in
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
        columns = _recognise(table.header) or Columns(names={})
    if columns.says:
        logger.info("%s", columns.says)
    theirs = _ours_to_theirs(table, columns, extract)
    used = {
        ours: table.column(name) if name else [""] * len(table.rows)
        for ours, name in theirs.items()
    }
    alternative = _named(table.header, columns.fallback_path)
    if alternative:
        pairs = zip(used["path"], table.column(alternative), strict=True)
        used["path"] = [first or second for first, second in pairs]
    used["label"] = label_column.read(
        table, theirs["label"], columns.real_is, chosen="label" in columns.names
    )
    used["split"] = _splits(path, used["split"], columns, table.lines)
    if not theirs["source"]:
        used["source"] = _sources(path, used["label"], source)
    folder = absolute_folder(extract or root or path.parent)
    if extract:
        used["path"] = _extracted(table, columns, extract)
    else:
        used["path"] = paths_in(path, used["path"], folder)
        if suffix:
            used["path"] = missing_files.with_suffix(used["path"], suffix)
    taken = {*filter(None, theirs.values()), *used}
    rest = {name: table.column(name) for name in table.header if name not in taken}
    return Manifest(pd.DataFrame({**used, **rest}, dtype=str), folder)


def _ours_to_theirs(
    table: "tables.Table", columns: Columns, extract: Path | None
) -> dict[str, str]:
    """Return our column -> theirs; empty where a column may be missing and is.

    Raises:
        InputError: A column that was named, or path or label, is missing.
    """
    found = {}
    for ours in ("path", "label", "source", "split", *columns.names):
        name = _named(table.header, columns.names.get(ours, ours))
        if ours not in columns.names and not name:
            if ours == "path" and extract:
                found[ours] = ""
                continue
            name = _likely(table, ours)
        if not name and (ours in columns.names or ours in ("path", "label")):
            raise InputError(_no_column(table, columns.names.get(ours, ours), ours))
        found[ours] = name
    return found


def _sources(path: Path, labels: list[str], name: str) -> list[str]:
    """Return what the sources are called where no column says it."""
    if not name:
        logger.warning(
            "%s: %s Name it with --source NAME, or --map source=COLUMN.",
            path,
            NO_SOURCE,
        )
        return list(labels)
    both = len(set(labels)) > 1
    return [f"{name}_real" if both and label == "real" else name for label in labels]


def _named(header: Sequence[str], wanted: str) -> str:
    """Return the column of that name, in any case; the empty text where there is none."""
    return next((name for name in header if name.lower() == wanted.lower()), "")


def _likely(table: "tables.Table", ours: str) -> str:
    """Return the column that by its name or its words can only be ours, and say so."""
    if ours == "path":
        found = next(
            (name for name in map(_named, [table.header] * len(PATHS), PATHS) if name),
            "",
        )
    elif ours == "label":
        words = label_column.of_words(table)
        found = words[0] if len(words) == 1 else ""
    else:
        return ""
    if found:
        logger.warning(
            "%s: there is no column %s; %s is read as it.",
            table.path,
            ours,
            quoted(found),
        )
    return found


def _no_column(table: "tables.Table", wanted: str, ours: str) -> str:
    got = listed(table.header) or "none"
    if ours == "path" and table.images:
        held = listed(table.images)
        return (
            f"{table.path}: no column path, but {held} holds the images themselves "
            f"({len(table.rows):,} rows); add --extract DIR: they are written there as files and "
            "the manifest is made of those."
        )
    return (
        f"{table.path}, line 1: no column {quoted(wanted)} for {ours}; got {got}. Say which it "
        f"is with --map {ours}=COLUMN."
    )


def _extracted(table: "tables.Table", columns: Columns, folder: Path) -> list[str]:
    """Write the images that a table holds; return their paths in `folder`."""
    asked = columns.names.get("path", "")
    held = [name for name in table.images if asked in ("", name)]
    if len(held) != 1:
        raise InputError(
            f"{table.path}: --extract: expected one column that holds images, got "
            f"{listed(table.images) or 'none'}"
            + ("; say which with --map path=COLUMN." if table.images else ".")
        )
    from kerasfaces.tables import embedded

    return embedded.extract(table.path, held[0], folder)


def parse_map(texts: list[str]) -> dict[str, str]:
    """Parse `label=target,source=folder` texts.

    Raises:
        InputError: A part without `=`.
    """
    pairs: dict[str, str] = {}
    for part in (piece for text in texts for piece in text.split(",") if piece.strip()):
        ours, equals, theirs = part.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise InputError(f"{quoted(part)}: expected NAME=NAME, e.g. label=target.")
        pairs[ours.strip()] = theirs.strip()
    return pairs


def _recognise(header: Sequence[str]) -> Columns | None:
    have = {name.lower() for name in header}
    for name, preset in PRESETS.items():
        if {*preset.names.values(), preset.fallback_path} <= have:
            logger.info("the table has the columns of %s", name)
            return preset
    return None


def _splits(
    path: Path, values: list[str], columns: Columns, lines: list[int]
) -> list[str]:
    known = {**{name: name for name in SPLITS}, **_SPLIT_NAMES}
    if columns.splits:
        known = {"": ""} | {key.lower(): name for key, name in columns.splits.items()}
    wrong = sorted(set(known.values()) - {"", *SPLITS})
    if wrong:
        raise InputError(
            f"--map-split: {quoted(wrong[0])} is none of {', '.join(SPLITS)}."
        )
    words = [value.strip().lower() for value in values]
    bad = [i for i, word in enumerate(words) if word not in known]
    if bad:
        raise InputError(
            f"{path}, {lines_text([lines[i] for i in bad])}: unknown split "
            f"{quoted(values[bad[0]])}; expected {', '.join(filter(None, known))}. Other names can "
            "be mapped, e.g. --map-split train=train,test=val,dev=test."
        )
    return [known[word] for word in words]
