"""Somebody's table (.csv, .xlsx, .parquet) -> rows with our columns and labels."""

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kerasfaces.errors import InputError, MissingFileError
from kerasfaces.manifest.rules import LABELS, SPLITS, lines_text
from kerasfaces.manifest.table import Manifest, absolute_folder, read_csv

logger = logging.getLogger(__name__)
SUFFIXES = (".csv", ".xlsx", ".parquet")
_SPLIT_NAMES = {"": "", "training": "train", "validation": "val", "valid": "val"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Columns:
    """How a table's columns become ours.

    Attributes:
        names: Our column -> theirs (upper and lower case are alike).
        fallback_path: Their column with another path for rows where the first is empty.
        real_is: The label that means real, where labels are not the words real and fake.
        splits: Their split -> ours.
        check_label: Their column with the label in words, which must agree.
        says: What the user must know about the conversion.
    """

    names: Mapping[str, str]
    fallback_path: str = ""
    real_is: str = ""
    splits: Mapping[str, str] = dataclasses.field(default_factory=dict)
    check_label: str = ""
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
        check_label="target_class",
        says="mudgal2023's columns: target 1 becomes real and 0 fake, folder becomes source; "
        "its test split steers training, so it becomes val, and its untouched dev becomes "
        "test.",
    )
}


def from_table(
    path: Path, columns: Columns | None = None, root: Path | None = None
) -> Manifest:
    """Convert a table; columns that are not mapped are kept.

    Args:
        path: A .csv, .xlsx (first sheet) or .parquet file.
        columns: How to map; if None, a preset whose columns are all there, else our names.
        root: What relative paths are relative to; the table's folder if None.

    Raises:
        MissingFileError: There is no such file.
        InputError: A mapped column is missing, or a label or split is unknown; the
            message names the lines.
    """
    table, lines = read_table(path)
    if columns is None:
        columns = _recognise(table) or Columns(names={})
    if columns.says:
        logger.info("%s", columns.says)
    theirs = {name.lower(): name for name in table.columns}
    used = {}
    for ours in ("path", "label", "source", "split", *columns.names):
        name = theirs.get(columns.names.get(ours, ours).lower())
        if name is None and (ours != "split" or ours in columns.names):
            raise InputError(
                f"{path}, line 1: no column {columns.names.get(ours, ours)!r} for {ours}; "
                f"got {', '.join(table.columns)[:200]}. Say which it is with --map "
                f"{ours}=COLUMN."
            )
        used[ours] = list(table[name]) if name else [""] * len(table)
    alternative = theirs.get(columns.fallback_path.lower())
    if alternative:
        pairs = zip(used["path"], table[alternative], strict=True)
        used["path"] = [first or second for first, second in pairs]
    used["label"] = _labels(path, used["label"], columns, lines)
    used["split"] = _splits(path, used["split"], columns, lines)
    _check_words(path, table, theirs.get(columns.check_label.lower()), used, lines)
    taken = {theirs.get(name.lower()) for name in columns.names.values()} | set(used)
    rest = {name: list(table[name]) for name in table.columns if name not in taken}
    rows = pd.DataFrame({**used, **rest}, dtype=str)
    return Manifest(rows, absolute_folder(root or path.parent))


def read_table(path: Path) -> tuple[pd.DataFrame, list[int]]:
    """Read a table as text columns, with each row's line number.

    Raises:
        MissingFileError: There is no such file.
        InputError: It is not a table of that format, or has no rows.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path}: expected a table ending in {', '.join(SUFFIXES)}.")
    if suffix == ".csv":
        frame, lines = read_csv(path)
    else:
        if not path.exists():
            raise MissingFileError(f"{path} does not exist.")
        frame = _as_text(_read_binary(path, suffix))
        lines = list(range(2, len(frame) + 2))
    if frame.empty:
        raise InputError(f"{path} has no rows; expected one row per image.")
    return frame, lines


def parse_map(texts: list[str]) -> dict[str, str]:
    """Parse `label=target,source=folder` texts.

    Raises:
        InputError: A part without `=`.
    """
    pairs: dict[str, str] = {}
    for part in (piece for text in texts for piece in text.split(",") if piece.strip()):
        ours, equals, theirs = part.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise InputError(f"{part!r}: expected NAME=NAME, e.g. label=target.")
        pairs[ours.strip()] = theirs.strip()
    return pairs


def _recognise(table: pd.DataFrame) -> Columns | None:
    have = {name.lower() for name in table.columns}
    for name, preset in PRESETS.items():
        if {*preset.names.values(), preset.fallback_path} <= have:
            logger.info("the table has the columns of %s", name)
            return preset
    return None


def _read_binary(path: Path, suffix: str) -> pd.DataFrame:
    try:
        if suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_excel(path, dtype=object, keep_default_na=False)
    except ImportError as error:
        raise InputError(
            f"{path}: {error}. Run: pip install 'kerasfaces[tables]', or save it as CSV."
        ) from error
    except Exception as error:  # each reader has its own family of errors
        raise InputError(
            f"{path} cannot be read as {suffix} ({type(error).__name__}: {error}); save it "
            "again, or as CSV."
        ) from error


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn cells into text; whole numbers lose `.0`, missing values become empty."""
    names = [str(name).strip() for name in frame.columns]
    columns = [[_cell(value) for value in frame.iloc[:, i]] for i in range(len(names))]
    if len(set(names)) < len(names):
        raise InputError(f"columns {', '.join(names)}: two have the same name.")
    return pd.DataFrame(dict(zip(names, columns, strict=True)), dtype=str)


def _cell(value: object) -> str:
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _labels(
    path: Path, values: list[str], columns: Columns, lines: list[int]
) -> list[str]:
    words = [value.strip().lower().removesuffix(".0") for value in values]
    real = columns.real_is.strip().lower()
    others = sorted(set(words) - {real})
    if real:
        if real not in words or len(others) > 1 or "" in words:
            raise InputError(
                f"{path}: labels are {', '.join(map(repr, sorted(set(words))[:6]))}; expected "
                f"{real!r} for real and one other value for fake."
            )
        return ["real" if word == real else "fake" for word in words]
    bad = [i for i, word in enumerate(words) if word not in LABELS]
    if bad:
        raise InputError(
            f"{path}, {lines_text([lines[i] for i in bad])}: label {values[bad[0]]!r}; expected "
            "real or fake. Where another value means real, say so, e.g. --real-is 1."
        )
    return words


def _splits(
    path: Path, values: list[str], columns: Columns, lines: list[int]
) -> list[str]:
    known = {**{name: name for name in SPLITS}, **_SPLIT_NAMES}
    if columns.splits:
        known = {"": ""} | {key.lower(): name for key, name in columns.splits.items()}
    wrong = sorted(set(known.values()) - {"", *SPLITS})
    if wrong:
        raise InputError(f"--map-split: {wrong[0]!r} is none of {', '.join(SPLITS)}.")
    words = [value.strip().lower() for value in values]
    bad = [i for i, word in enumerate(words) if word not in known]
    if bad:
        raise InputError(
            f"{path}, {lines_text([lines[i] for i in bad])}: unknown split "
            f"{values[bad[0]]!r}; expected {', '.join(filter(None, known))}. Other names can "
            "be mapped, e.g. --map-split train=train,test=val,dev=test."
        )
    return [known[word] for word in words]


def _check_words(
    path: Path,
    table: pd.DataFrame,
    name: str | None,
    used: Mapping[str, list[str]],
    lines: list[int],
) -> None:
    if not name:
        return
    words = [word.strip().lower() for word in table[name]]
    pairs = enumerate(zip(words, used["label"], strict=True))
    bad = [i for i, (word, label) in pairs if word in LABELS and word != label]
    if bad:
        raise InputError(
            f"{path}, {lines_text([lines[i] for i in bad])}: {name} says {words[bad[0]]}, the "
            f"number says {used['label'][bad[0]]}; correct the table."
        )
