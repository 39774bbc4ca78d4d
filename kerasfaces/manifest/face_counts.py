"""How many faces pictures have, by source, with intervals."""

import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from kerasfaces import images
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError, MissingExtraError
from kerasfaces.faces import blazeface, detect
from kerasfaces.faces.windows import FACE_PX
from kerasfaces.manifest.table import Manifest
from kerasfaces.metrics.intervals import rate

KINDS = {"one": 1, "none": 0, "several": 2}  # or more


class _Count(NamedTuple):
    n_faces: int = 0
    size_px: float = 0.0  # of the largest
    score: float = 0.0  # of the largest
    spent_ms: float = 0.0
    reason: str = ""


def count_faces(manifest: Manifest) -> pd.DataFrame:
    """Return how many pictures of each source have one face, none or several.

    Args:
        manifest: Rows of pictures; those that cannot be read are counted apart.

    Returns:
        A row per label and source, and one for `all`: `n` readable pictures,
        `unreadable`; for `one`, `none` and `several` the share with its exact 95 %
        interval (`one_low`, `one_high`); `small`, pictures whose largest face is below
        64 px; `size_px` and `score`, medians of the largest face; `ms`, median time of
        the detector for a picture, decoding not counted.

    Raises:
        MissingExtraError: No runtime for the detector is installed.
    """
    if not blazeface.is_available():
        raise MissingExtraError(blazeface.MISSING)
    outcomes = engine.map(
        _look, manifest.files(), progress="finding faces", chunk=engine.CHUNK
    )
    crashed = _Count(reason=images.DECODER_CRASHED)
    counts = [outcome.value or crashed for outcome in outcomes]
    groups: dict[tuple[str, str], list[_Count]] = {}
    pairs = zip(manifest.rows["label"], manifest.rows["source"], strict=True)
    for pair, each in zip(pairs, counts, strict=True):
        groups.setdefault(pair, []).append(each)
    lines = [
        {"label": label, "source": source, **_line(part)}
        for (label, source), part in [*sorted(groups.items()), (("", "all"), counts)]
    ]
    return pd.DataFrame(lines)


def _look(file: Path) -> _Count:
    """Find the faces of one picture; the detector is loaded before its time is taken."""
    blazeface.candidates(np.zeros((0, 256, 256, 3), np.uint8), 0.5)
    try:
        image = np.asarray(images.load(file))
    except ImageError as error:
        return _Count(reason=str(error))
    start = time.perf_counter()
    faces = detect(image)
    spent_ms = 1000 * (time.perf_counter() - start)
    if not faces:
        return _Count(spent_ms=spent_ms)
    return _Count(len(faces), faces[0].size_px, faces[0].score, spent_ms)


def _line(counts: list[_Count]) -> dict[str, float | int]:
    readable = [each for each in counts if not each.reason]
    n = len(readable)
    by_number = Counter(min(each.n_faces, 2) for each in readable)
    line: dict[str, float | int] = {"n": n, "unreadable": len(counts) - n}
    for kind, number in KINDS.items():
        share = rate(by_number[number], n)
        line |= {
            f"n_{kind}": by_number[number],
            kind: share.value,
            f"{kind}_low": share.low,
            f"{kind}_high": share.high,
        }
    largest = [each for each in readable if each.n_faces]
    line["small"] = sum(each.size_px < FACE_PX for each in largest)
    for name, values in (
        ("size_px", [each.size_px for each in largest]),
        ("score", [each.score for each in largest]),
        ("ms", [each.spent_ms for each in readable]),
    ):
        line[name] = float(np.median(values)) if values else float("nan")
    return line
