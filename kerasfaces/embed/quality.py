"""How far a map can be believed: does it keep neighbours, and who are they?"""

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core import rng
from kerasfaces.core.files import Json

NEIGHBOURS = 10
MOST = 5_000  # points that trustworthiness is computed of: its memory is quadratic


def measure(
    vectors: NDArray[np.float32],
    points: NDArray[np.float64],
    clusters: NDArray[np.int64],
    groups: dict[str, list[str]],
    seed: int,
) -> Json:
    """Return numbers of a map.

    Args:
        vectors: What was projected, `(n, d)`.
        points: The map, `(n, 2)`.
        clusters: Per point its cluster, -1 in none, `(n,)`.
        groups: Names, such as labels and sources, per point.
        seed: Key of the draw, where there are more than `MOST`.

    Returns:
        `trustworthiness` 0..1 (Venna & Kaski 2001: neighbours on the map that are none in
        the layer cost; 1 keeps all) of `n_trustworthiness` points; `n_clusters`,
        `n_in_no_cluster`; and per group `purity` (share of clustered points in the most
        frequent class of their cluster; None without clusters), `neighbours_map` and
        `neighbours_layer` (share of the 10 nearest with the same class) and `by_chance`
        (the same of neighbours drawn at random).
    """
    from sklearn.manifold import trustworthiness

    n = len(points)
    chosen = np.arange(n)
    if n > MOST:
        draw = rng.generator(seed, "trustworthiness").choice(n, MOST, replace=False)
        chosen = np.sort(draw)
    count = min(NEIGHBOURS, (len(chosen) - 1) // 2)
    trust = trustworthiness(vectors[chosen], points[chosen], n_neighbors=count)
    near = {
        "neighbours_map": _nearest(points, count),
        "neighbours_layer": _nearest(vectors, count),
    }
    inside = clusters >= 0
    result: Json = {
        "trustworthiness": float(trust),
        "n_trustworthiness": len(chosen),
        "n_neighbours": count,
        "n_clusters": int(clusters.max(initial=-1)) + 1,
        "n_in_no_cluster": int((~inside).sum()),
    }
    for name, values in groups.items():
        _, codes = np.unique(
            np.array(values, dtype=object).astype(str), return_inverse=True
        )
        counts = np.bincount(codes)
        same = {
            key: float((codes[positions] == codes[:, None]).mean())
            for key, positions in near.items()
        }
        chance = float((counts * (counts - 1)).sum() / max(1, n * (n - 1)))
        purity = purity_of(clusters[inside], codes[inside]) if inside.any() else None
        result[name] = {"purity": purity, **same, "by_chance": chance}
    return result


def purity_of(clusters: NDArray[np.int64], codes: NDArray[np.int64]) -> float:
    """Return the share of points in the most frequent class of their cluster."""
    right = sum(
        int(np.bincount(codes[clusters == cluster]).max())
        for cluster in np.unique(clusters)
    )
    return right / len(clusters)


def clusters_of(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return HDBSCAN's clusters of a map, -1 where in none, largest first, `(n,)`.

    Clusters are of the map, not of the layer: what the eye sees (Campello et al. 2013).
    None holds more than half of the images: one far group would leave all others as one.
    """
    from sklearn.cluster import HDBSCAN

    n = len(points)
    smallest, largest = max(5, n // 100), max(5, n // 2)
    labels = HDBSCAN(
        min_cluster_size=smallest, max_cluster_size=largest, copy=True
    ).fit_predict(points)
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    rank = np.empty(len(sizes), np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return np.where(labels >= 0, rank[np.maximum(labels, 0)], -1)


def _nearest(values: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return each row's nearest others, `(n, count)`."""
    from sklearn.neighbors import NearestNeighbors

    positions = (
        NearestNeighbors(n_neighbors=count)
        .fit(values)
        .kneighbors(return_distance=False)
    )
    return np.asarray(positions, np.int64)
