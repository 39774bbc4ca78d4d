"""A table of attributes beside the images -> columns of their rows."""

import logging
import os
from collections import Counter
from pathlib import Path, PurePath

import pandas as pd

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.manifest.table import column
from kerasfaces.tables.columns import PATHS

logger = logging.getLogger(__name__)
_OURS = ("pair_id", "identity")  # joined under their own names
# of `annotate`, which are no attributes
_FACTS = (
    *("face_count", "face_box", "face_score", "face_size_px", "face_sharpness"),
    *("face_yaw_deg", "face_pitch_deg", "face_roll_deg"),
)
_NEVER = ("label", "source", "split", "sha256", "width_px", "height_px", "format")


class Attributes:
    """Attribute columns keyed by path, by file name or by name without extension.

    The shorter two count where they are unambiguous. The table has a column called path,
    file_name, image_id or the like (`tables.columns.PATHS`); all others become attributes.
    """

    def __init__(self, path: Path) -> None:
        table = tables.read(path, expected="a table of attributes")
        table.log_notes()
        names = {name.lower(): name for name in reversed(table.header)}
        key = next((names[name] for name in PATHS if name in names), None)
        if key is None:
            raise InputError(
                f"{path}, line 1: none of the columns {', '.join(PATHS)}; got "
                f"{listed(table.header)}."
            )
        table.require_rows()
        keys = table.column(key)
        name, count = Counter(keys).most_common(1)[0]
        if count > 1:
            raise InputError(
                f"{path}: {count} rows for {quoted(name)}; expected one per image."
            )
        self.path = path
        self.columns = {}
        for each in table.header:
            if each != key and each not in _NEVER:
                ours = each in (*_OURS, *_FACTS)
                ours = ours or each.startswith(("attr_", "annotated_"))
                values = dict(zip(keys, table.column(each), strict=True))
                self.columns[each if ours else f"attr_{each}"] = values
        plain = {
            os.path.normpath(each.replace("\\", "/")): each for each in keys if each
        }
        self.keys = plain | {each: each for each in keys}

    def join(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the attributes of their images; unknown is empty."""
        keys = self._keys_of(list(rows["path"]))
        if keys:
            n_known = sum(key != "" for key in keys)
            logger.info("%s: %d of %d images found", self.path, n_known, len(rows))
        joined = {}
        for name, values in self.columns.items():
            pairs = zip(keys, column(rows, name), strict=True)
            cells = [values.get(key, "") or old for key, old in pairs]
            joined[name] = pd.Series(cells, index=rows.index, dtype=str)
        return rows.assign(**joined)

    def _keys_of(self, paths: list[str]) -> list[str]:
        """Return each path's key in the table, empty where it has none."""
        names = [PurePath(text).name for text in paths]
        stems = [PurePath(text).stem for text in paths]
        n_names, n_stems = Counter(names), Counter(stems)
        keys = []
        for text, name, stem in zip(paths, names, stems, strict=True):
            candidates = [text]
            candidates += [name] * (n_names[name] == 1) + [stem] * (n_stems[stem] == 1)
            known = (self.keys[each] for each in candidates if each in self.keys)
            keys.append(next(known, ""))
        return keys
