"""How many images of which split, label and source a manifest has, and where they lie.

Read without pandas, which takes longer to import than a verdict, and which a service has not.
"""

import csv
from collections import Counter
from pathlib import Path

from kerasfaces.core.errors import RunError

_COLUMNS = ("split", "label", "source")


def of(manifest_file: Path) -> dict[str, dict[str, dict[str, int]]]:
    """Return the number of images by split, label and source of a run's manifest.csv.

    Raises:
        RunError: The file is damaged.
    """
    groups = Counter(
        tuple(row.get(name) or "" for name in _COLUMNS) for row in _rows(manifest_file)
    )
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for (split, label, source), n in sorted(groups.items()):
        counts.setdefault(split, {}).setdefault(label, {})[source] = n
    return counts


def paths_of(manifest_file: Path, split: str) -> list[Path]:
    """Return where the images of a split are, whether they are there or not.

    Raises:
        RunError: The file is damaged.
    """
    folder = manifest_file.parent
    return [
        folder / row["path"]
        for row in _rows(manifest_file)
        if row.get("split") == split and row.get("path")
    ]


def _rows(manifest_file: Path) -> list[dict[str, str]]:
    try:
        with manifest_file.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise RunError(
            f"{manifest_file} is damaged ({error}); restore it, or train the run again."
        ) from error
