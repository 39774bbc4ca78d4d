"""A table of attributes beside the images -> columns of their rows."""

import logging
from collections import Counter
from pathlib import Path, PurePath

import pandas as pd

from kerasfaces.errors import InputError
from kerasfaces.manifest.convert import read_table

logger = logging.getLogger(__name__)
_KEYS = ("path", "image_path", "file_name", "filename", "file", "image")
_OURS = ("pair_id", "identity")  # joined under their own names
_NEVER = ("label", "source", "split", "sha256", "width_px", "height_px", "format")


class Attributes:
    """Attribute columns keyed by path or, where that is unambiguous, by file name.

    Args:
        path: A .csv, .xlsx or .parquet table with a column called path, image_path,
            file_name, filename, file or image; every other column becomes an attribute.

    Raises:
        InputError: No such column, or two rows for one image.
    """

    def __init__(self, path: Path) -> None:
        table, _ = read_table(path)
        key = next((name for name in _KEYS if name in table.columns), None)
        if key is None:
            raise InputError(
                f"{path}, line 1: none of the columns {', '.join(_KEYS)}; got "
                f"{', '.join(table.columns)[:200]}."
            )
        keys = list(table[key])
        name, count = Counter(keys).most_common(1)[0]
        if count > 1:
            raise InputError(
                f"{path}: {count} rows for {name!r}; expected one per image."
            )
        rest = [each for each in table.columns if each != key and each not in _NEVER]
        self.path = path
        self.columns = {
            each if each in _OURS or each.startswith("attr_") else f"attr_{each}": dict(
                zip(keys, table[each], strict=True)
            )
            for each in rest
        }
        self.keys = set(keys)

    def join(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the attributes of their images; unknown is empty."""
        names = [PurePath(text).name for text in rows["path"]]
        counts = Counter(names)
        keys = [
            text
            if text in self.keys
            else (name if name in self.keys and counts[name] == 1 else "")
            for text, name in zip(rows["path"], names, strict=True)
        ]
        n_known = sum(key != "" for key in keys)
        if rows.shape[0]:
            logger.info("%s: %d of %d images found", self.path, n_known, len(rows))
        added = {}
        for name, values in self.columns.items():
            told = [values.get(key, "") for key in keys]
            had = list(rows[name]) if name in rows else [""] * len(rows)
            added[name] = pd.Series(
                [new or old for new, old in zip(told, had, strict=True)],
                index=rows.index,
                dtype=str,
            )
        return rows.assign(**added)
