"""Portraits of 256 px annotated per second by the default annotators: at least five.

The command's own way on a fresh cache: files are read, decoded, faces found, and gender, age,
race, expression and glasses told, in a process per core. The published graphs are needed
(`KERASFACES_DATA/annotators`, or the cache); the portraits are drawn.
"""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")
_PER_S, _SIZE_PX, _PORTRAITS, _REPEATS = 5.0, 256, 96, 3


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the row: images per second over five, the median of three runs."""
    import pandas as pd

    import kerasfaces as kf
    from kerasfaces import manifest as manifests
    from kerasfaces.annotate.run import DEFAULT
    from kerasfaces.core import homes
    from kerasfaces.core.rng import generator
    from kerasfaces.sample.person import draw_person
    from kerasfaces.sample.scene import render

    folder = Path(os.environ.get("KERASFACES_DATA", "../shared")) / "annotators"
    weights = folder.resolve() if folder.is_dir() else homes.cache_root() / "annotators"
    count = 16 if quick else _PORTRAITS
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        rows = []
        for number in range(count):
            person = draw_person(generator(0, "benchmark", "annotate", number))
            scene = render(person, _SIZE_PX, generator(0, "scene", number))
            pixels = (scene.clip(0, 1) ** (1 / 2.2) * 255).round().astype("uint8")
            _save(pixels, root / f"{number}.jpg")
            rows.append((f"{number}.jpg", "real", "drawn", ""))
        frame = pd.DataFrame(rows, columns=["path", "label", "source", "split"])
        data = kf.Manifest(manifests.Manifest(frame, root))
        rates: list[float] = []
        for repeat in range(1 if quick else _REPEATS):
            os.environ["KERASFACES_CACHE"] = str(root / f"cache{repeat}")
            data.annotate([], weights=weights)  # not timed: SHA-256 and imports
            os.environ["KERASFACES_CACHE"] = str(root / f"own{repeat}")
            seconds = timing.elapsed_s(lambda: data.annotate(weights=weights))
            rates.append(count / seconds)
            logger.info("annotate: %.1f images/s", rates[-1])
    what = (
        f"images/s / {_PER_S:g}: {count} drawn portraits of {_SIZE_PX} px, {', '.join(DEFAULT)} "
        "and facts of the faces, from files on a fresh cache, conversion of the graphs included"
    )
    return [timing.row("annotate", [rate / _PER_S for rate in rates], 1.0, what)]


def _save(pixels: Any, path: Path) -> None:
    from PIL import Image

    image = Image.fromarray(pixels).resize((_SIZE_PX, _SIZE_PX))
    image.save(path, quality=92)
