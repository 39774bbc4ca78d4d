"""Judging one picture: from nothing, and with everything loaded.

From nothing: a fresh process each, on files that were read before. A verdict is compared
with what `import tensorflow` alone takes on the same machine in the same minute. With
everything loaded: the exported network against Keras' own graph function
(`predict_on_batch`), the same pixels, one picture at a time and in batches; their logits
must agree to 1e-3.
"""

import functools
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.framework import runs, timing

logger = logging.getLogger("kerasfaces.benchmarks")
SHARE = 0.15  # of the time of `import tensorflow`
LIMIT_S = 2.5  # of the whole answer
BATCH = 32


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the rows."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["KERASFACES_CACHE"] = str(root / "cache")
        folder, files = runs.small(root)
        rows = _cold(folder, files[0], 2 if quick else 7)
        work = functools.partial(_warm, folder, files, 3 if quick else 20)
        return [*rows, *timing.call(work)]


def _cold(folder: Path, file: Path, repeats: int) -> list[dict[str, Any]]:
    answer = ["-m", "kerasfaces", "predict", str(folder), str(file)]
    verdicts, answers = [], []
    for _ in range(repeats):
        verdict_s = _seconds([*answer, "--quick"])
        verdicts.append(SHARE * _seconds(["-c", "import tensorflow"]) / verdict_s)
        answers.append(LIMIT_S / _seconds(answer))
    return [
        timing.row(
            "predict_cold",
            verdicts,
            1.0,
            f"{SHARE} of `import tensorflow` / `kerasfaces predict RUN x.jpg --quick`",
        ),
        timing.row(
            "predict_cold_whole",
            answers,
            1.0,
            f"{LIMIT_S} s / seconds of `kerasfaces predict RUN x.jpg`",
        ),
    ]


def _seconds(words: list[str]) -> float:
    command = [sys.executable, *words]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    # the exit code is the verdict
    return timing.elapsed_s(lambda: subprocess.run(command, check=False, **quiet))


def _warm(folder: Path, files: list[Path], repeats: int) -> list[dict[str, Any]]:
    import numpy as np

    from kerasfaces import images
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve.exported import ExportedDetector

    detector = ExportedDetector.open(folder, keras=False)
    model: Any = DetectorRun(folder).network.load()
    pixels = np.stack(
        [images.load_array(file, detector.input_spec) for file in files[:BATCH]]
    )
    plain = pixels.astype(np.float32)
    rows = []
    for size in (1, BATCH):
        count = BATCH // size

        def keras(size: int = size, count: int = count) -> Any:
            parts = [plain[i * size : (i + 1) * size] for i in range(count)]
            return [model.predict_on_batch(part)[:, 0] for part in parts]

        def ours(size: int = size, count: int = count) -> Any:
            parts = [pixels[i * size : (i + 1) * size] for i in range(count)]
            return [detector.logits(part) for part in parts]

        gap = np.abs(np.concatenate(keras()) - np.concatenate(ours())).max()
        if not gap <= 1e-3:
            raise RuntimeError(f"logits differ by {gap:.1e}")
        ratios = [
            timing.elapsed_s(keras) / timing.elapsed_s(ours) for _ in range(repeats)
        ]
        what = "one picture at a time" if size == 1 else f"{size} at a time"
        rows.append(
            timing.row(
                f"predict_warm_{size}",
                ratios,
                3.0,
                f"Keras' predict_on_batch / {detector.engine}, {what}, logits to {gap:.0e}",
            )
        )
    return rows
