"""Rows -> groups that must stay on one side of a split, near-identical pictures too."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.manifest.table import Manifest, column

Rows = NDArray[np.int64]
Hashes = NDArray[np.uint8]
SIDE = 16
BITS = SIDE * SIDE
MAX_DISTANCE = 24  # beyond it the search for candidates becomes quadratic
_GREY_PX = 64
_FLAT = 1e-3  # grey levels: weaker waves have no sign
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
        hashes = from_hex([texts[i] for i in known])
        near = np.asarray(known)[near_pairs(hashes, max_distance)]
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


def phash(image: Image.Image) -> str:
    """Return an image's perceptual hash as 64 hex digits.

    The signs of the 16 x 16 lowest frequencies of the picture shrunk to 64 x 64 grey
    (Zauner 2010, with the sign in place of the median: the hash of the mirror image then
    follows from the hash). Re-encoding, rescaling and moderate changes of brightness move
    few bits; different people stay far apart even when faces are aligned, which 64 bits do
    not achieve.
    """
    small = image.convert("L").resize((_GREY_PX, _GREY_PX), Image.Resampling.LANCZOS)
    grey = np.asarray(small, dtype=np.float64)
    waves = _basis() @ grey @ _basis().T
    bits = waves > _FLAT
    bits[0, 0] = False  # the mean has no sign
    return np.packbits(bits).tobytes().hex()


def from_hex(texts: list[str]) -> Hashes:
    """Return hashes as `(n, 32)` uint8; every text has 64 hex digits."""
    data = bytes.fromhex("".join(texts))
    return np.frombuffer(data, dtype=np.uint8).reshape(len(texts), BITS // 8)


def mirrored(hashes: Hashes) -> Hashes:
    """Return the hashes of the left-right mirrored pictures: odd waves change sign."""
    bits = np.unpackbits(hashes, axis=1).reshape(-1, SIDE, SIDE)
    bits[:, :, 1::2] ^= 1
    return np.packbits(bits.reshape(-1, BITS), axis=1)


def near_pairs(hashes: Hashes, max_distance: int) -> NDArray[np.int64]:
    """Return pairs of pictures at most `max_distance` bits apart, mirror images included.

    Not every pair is listed: of pictures with equal hashes only neighbours are, which is
    enough to connect them. If two hashes differ in at most d bits, then of any d + 1
    pieces of them one is equal; only pictures that share a piece are compared.

    Returns:
        `(m, 2)` int64 row numbers, first < second.
    """
    n = len(hashes)
    if n < 2:
        return np.empty((0, 2), dtype=np.int64)
    everyone = np.concatenate([hashes, mirrored(hashes)])
    unique, first, inverse = np.unique(
        everyone, axis=0, return_index=True, return_inverse=True
    )
    pairs = [np.stack([first[inverse.ravel()], np.arange(2 * n)], axis=1)]
    if max_distance > 0:
        pairs += [first[near] for near in _search(unique, max_distance)]
    rows = np.sort(np.concatenate(pairs) % n, axis=1)
    rows = rows[rows[:, 0] != rows[:, 1]]
    return np.unique(rows, axis=0)


def _search(unique: Hashes, max_distance: int) -> list[NDArray[np.intp]]:
    bits = np.unpackbits(unique, axis=1)
    words = np.ascontiguousarray(unique).view(np.uint64)
    # Neighbouring waves are alike in aligned faces; spread them over the pieces.
    order = np.random.default_rng(0).permutation(BITS)
    near = []
    for piece in np.array_split(order, max_distance + 1):
        texts = np.packbits(bits[:, piece], axis=1)
        _, keys = np.unique(texts, axis=0, return_inverse=True)
        for candidates in _sharing(keys.ravel()):
            apart = words[candidates[:, 0]] ^ words[candidates[:, 1]]
            distance = np.bitwise_count(apart).sum(axis=1)
            near.append(candidates[distance <= max_distance])
    return near


def _sharing(keys: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield all pairs of positions with equal keys, at most as many as keys at a time."""
    order = np.argsort(keys, kind="stable")
    ranks = keys[order]
    alive = np.arange(len(keys) - 1)
    step = 1
    while alive.size:
        alive = alive[alive + step < len(keys)]
        alive = alive[ranks[alive] == ranks[alive + step]]
        if alive.size:
            yield np.stack([order[alive], order[alive + step]], axis=1)
        step += 1


def _basis() -> NDArray[np.float64]:
    """Return the lowest `SIDE` waves of the DCT-II, `(16, 64)` float64."""
    k, x = np.arange(SIDE)[:, None], np.arange(_GREY_PX)[None, :]
    waves: NDArray[np.float64] = np.cos(np.pi * k * (2 * x + 1) / (2 * _GREY_PX))
    return waves
