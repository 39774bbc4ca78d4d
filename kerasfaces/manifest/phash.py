"""Perceptual hashes: picture -> 256 bits, and all pairs of near-identical pictures.

The signs of the 16 x 16 lowest frequencies of the picture shrunk to 64 x 64 grey (Zauner
2010, with the sign in place of the median: the hash of the mirror image then follows
from the hash). Re-encoding, rescaling and moderate changes of brightness move few bits;
different people stay far apart even when faces are aligned, which 64 bits do not achieve.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image

SIDE = 16
BITS = SIDE * SIDE
MAX_DISTANCE = 24  # beyond it the search for candidates becomes quadratic
_GREY_PX = 64
_FLAT = 1e-3  # grey levels: weaker waves have no sign

Hashes = NDArray[np.uint8]


def phash(image: "Image.Image") -> str:
    """Return an image's hash as 64 hex digits."""
    from PIL import Image

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
