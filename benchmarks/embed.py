"""A map of 4,700 images whose features are cached, against its promised time and size.

Features are drawn: 6,912 numbers of 4,700 images in eleven islands, as the default detector
has. Timed is everything after them: reduction, UMAP (its compilation too), clusters,
trustworthiness, 2,000 thumbnails, pictures and page. Beside it, without UMAP, the same by
PCA; and the bytes of the page per 2,000 thumbnails of drawn faces.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.framework import inputs, timing

LIMIT_S, LIMIT_BYTES = 180.0, 5e6
_IMAGES, _WIDTH, _SOURCES = 4700, 6912, 11


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the rows."""
    n = 300 if quick else _IMAGES
    rows = [timing.call(partial(_row, name, n)) for name in ("umap", "pca")]
    return [row for pair in rows for row in pair]


def _row(method: str, n: int) -> list[dict[str, Any]]:
    import numpy as np
    import pandas as pd

    from kerasfaces.core import registry
    from kerasfaces.embed import run as embedding
    from kerasfaces.embed import vectors
    from kerasfaces.run.folder import DetectorRun, EmbeddingMap

    random = np.random.default_rng(0)
    island = random.integers(0, _SOURCES, n)
    centres = random.normal(size=(_SOURCES, _WIDTH)) * 0.5
    features = (centres[island] + random.normal(size=(n, _WIDTH))).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        images = sorted(inputs.folders(root, min(n, 2000)).rglob("*.*"))
        files = [str(images[at % len(images)]) for at in range(n)]
        rows = pd.DataFrame(
            {
                "path": [f"{at:05d}.jpg" for at in range(n)],
                "label": ["fake" if at % 2 else "real" for at in island],
                "source": [f"source{at}" for at in island],
                "split": "test",
                "file": files,
                "reason": "",
            }
        )
        map_ = EmbeddingMap(root / "map")
        map_.path.mkdir()
        settings = embedding.Settings(method=method, split="")

        def mapped() -> None:
            reduced = vectors.reduced(features, 0)
            projection = registry.load(embedding.PACKAGE, method)
            points = embedding.points_of(map_, projection, reduced, 0)
            good = np.ones(n, np.bool_)
            run = DetectorRun(root)
            embedding.write(map_, run, settings, rows, good, reduced, points)

        seconds = timing.elapsed_s(mapped)
        n_bytes = map_.report.stat().st_size
    thumbnails = min(n, settings.pictures)
    return [
        timing.row(
            f"embed_{method}",
            [LIMIT_S / seconds],
            1.0,
            f"{LIMIT_S:g} s / a map of {n:,} images with cached features by {method} "
            f"({seconds:.0f} s)",
        ),
        timing.row(
            f"embed_page_{method}",
            [LIMIT_BYTES * thumbnails / 2000 / n_bytes],
            1.0,
            f"{LIMIT_BYTES / 1e6:g} MB per 2,000 thumbnails / the page's bytes "
            f"({n_bytes / 1e6:.2f} MB, {thumbnails:,} thumbnails, {n:,} points)",
        ),
    ]
