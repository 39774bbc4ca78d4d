"""Rows -> groups that must stay on one side of a split."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kerasfaces.manifest import phash as hashing
from kerasfaces.manifest.table import Manifest, column

Rows = NDArray[np.int64]
RULES = ("sha256", "pair_id", "identity", "near_duplicate")


def edges(manifest: Manifest, max_distance: int | None) -> dict[str, Rows]:
    """Return, per rule, `(m, 2)` pairs of row numbers that belong together.

    Args:
        manifest: With `sha256` and `phash` filled in where those rules should hold.
        max_distance: Bits between near-duplicates' perceptual hashes; None: no such rule.
    """
    pairs = {name: equal(column(manifest.rows, name)) for name in RULES[:3]}
    texts = column(manifest.rows, "phash")
    known = [i for i, text in enumerate(texts) if text]
    near = np.empty((0, 2), dtype=np.int64)
    if max_distance is not None and known:
        hashes = hashing.from_hex([texts[i] for i in known])
        near = np.asarray(known)[hashing.near_pairs(hashes, max_distance)]
    return pairs | {RULES[3]: near}


def equal(values: Sequence[str]) -> Rows:
    """Return an edge from every row to the first row with the same non-empty value."""
    first: dict[str, int] = {}
    pairs = [
        (first[value], i)
        for i, value in enumerate(values)
        if value and first.setdefault(value, i) != i
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def join(n: int, pairs: Sequence[Rows]) -> Rows:
    """Return each row's group number, `(n,)` int64, rows joined along `pairs`."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    every = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
    ones = np.ones(len(every), dtype=np.int8)
    graph = coo_array((ones, (every[:, 0], every[:, 1])), shape=(n, n))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int64)


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
