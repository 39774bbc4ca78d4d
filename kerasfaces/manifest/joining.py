"""Several manifests -> one: columns united, nothing twice, no image in two splits."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import file_facts, table
from kerasfaces.manifest.table import Manifest, column

Part = tuple[str, Manifest]  # what messages call it, and its rows


def join(parts: Sequence[Part], folder: Path) -> Manifest:
    """Return all rows with their hashes.

    Args:
        parts: Names and rows of at least one manifest.
        folder: Folder of the new manifest.

    Raises:
        InputError: An image is in two parts, or its content in two splits.
    """
    joined = file_facts.hashed(concatenate(parts, folder))
    refuse_shared(joined, origins(parts))
    return joined


def concatenate(parts: Sequence[Part], folder: Path) -> Manifest:
    """Return all rows in order; cells of columns that a part lacks are empty.

    Args:
        parts: Names and rows of at least one manifest.
        folder: Folder of the new manifest.

    Raises:
        InputError: An image is in two parts.
    """
    first: dict[str, str] = {}
    frames = []
    for name, manifest in parts:
        paths = table.absolute(manifest.rows["path"], manifest.folder)
        for path in paths:
            if path in first:
                raise InputError(
                    f"{quoted(path)} is in {first[path]} and in {name}: each image may come "
                    "from one of them only."
                )
        first |= dict.fromkeys(paths, name)
        frames.append(manifest.rows.assign(path=pd.Series(paths, dtype=str)))
    rows = pd.concat(frames, ignore_index=True).fillna("").astype(str)
    return Manifest(rows, table.absolute_folder(folder))


def origins(parts: Sequence[Part]) -> list[str]:
    """Return, for each row of the concatenation, which part it comes from."""
    return [name for name, manifest in parts for _ in range(len(manifest))]


def refuse_shared(manifest: Manifest, came_from: Sequence[str]) -> None:
    """Refuse images (by sha256) that different parts put into different splits.

    Args:
        manifest: With `sha256`.
        came_from: The name of each row's part.

    Raises:
        InputError: With how many, and the first two files.
    """
    torn = shared_between_splits(manifest)
    between = [(a, b) for a, b in torn if came_from[a] != came_from[b]]
    pairs = between or torn
    if not pairs:
        return
    rows, (first, second) = manifest.rows, pairs[0]
    one, other = (
        f"{quoted(rows['path'][i])} ({rows['split'][i]}"
        + (f", of {came_from[i]})" if between else ")")
        for i in (first, second)
    )
    raise InputError(
        f"{len(pairs)} image{'s are' if len(pairs) > 1 else ' is'} in two splits (same "
        f"sha256), first {one} and {other}: a detector must not be tested on what it was "
        "trained on. Leave them out of one of the two."
    )


def shared_between_splits(manifest: Manifest) -> list[tuple[int, int]]:
    """Return pairs of rows with the same content in different splits."""
    splits = list(manifest.rows["split"])
    first: dict[str, dict[str, int]] = {}
    pairs = []
    for i, key in enumerate(column(manifest.rows, "sha256")):
        if not (key and splits[i]):
            continue
        by_split = first.setdefault(key, {})
        others = [row for split, row in by_split.items() if split != splits[i]]
        if others:
            pairs.append((others[0], i))
        by_split.setdefault(splits[i], i)
    return pairs
