"""The laundering matrix against its forward passes alone: at most twice as long.

Both sides score the same laundered versions of the same images with the same detector in
one warm process: the matrix decodes, launders (encoders included), resizes, scores and
stores; the other side has all arrays in memory and only scores them. The ratio is twice
the forward passes' seconds / the matrix' seconds, and its target is 1. The detector is the
default one for photos, at the sample's size; its weights are random, as time does not
depend on them.
"""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.framework import inputs, timing

logger = logging.getLogger("kerasfaces.benchmarks")
_LIMIT = 2.0
_IMAGES, _PAIRS, _REPEATS = 8, 60, 3


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the row: the median of three pairs, with the lowest and the highest."""
    from kerasfaces.core.imports import import_keras

    import_keras()
    import numpy as np

    import kerasfaces as kf
    from kerasfaces.dataset import file_facts
    from kerasfaces.launder import scoring, variants
    from kerasfaces.launder.laundered import Launder
    from kerasfaces.run.folder import DetectorRun, LaunderedRun
    from kerasfaces.run.predictor import Predictor

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["KERASFACES_CACHE"] = str(root / "cache")
        data = kf.load_sample(root / "sample", pairs=_PAIRS)
        weights = inputs.random_weights("mobilenetv2", root)
        detector = kf.Detector("mobilenetv2", weights=weights, epochs=1, views=1)
        folder = detector.fit(data, output=root / "run").folder
        run_folder, predictor = DetectorRun(folder), Predictor(folder)
        chosen = variants.of(["jpeg"] if quick else [])
        files = data.files()[:_IMAGES]
        photos = scoring.photos_of(files, file_facts.keys_of(files)[0])
        task = Launder(chosen, predictor.input_spec, None)
        arrays = np.concatenate([task(photo).arrays for photo in photos])
        predictor.array_logits(arrays[:64])  # converts the base, compiles the head

        def forward() -> None:
            for start in range(0, len(arrays), 64):
                predictor.array_logits(arrays[start : start + 64])

        def matrix() -> None:
            target = LaunderedRun(root / f"out{len(ratios)}")
            scoring.score(run_folder, predictor, photos, chosen, target)

        ratios: list[float] = []
        for _ in range(1 if quick else _REPEATS):
            alone_s, whole_s = timing.elapsed_s(forward), timing.elapsed_s(matrix)
            logger.info("forward passes %.1f s, matrix %.1f s", alone_s, whole_s)
            ratios.append(_LIMIT * alone_s / whole_s)
        size = predictor.input_spec.size_px
    what = (
        f"{_LIMIT:g} x forward passes / laundering matrix: {len(photos)} images x "
        f"{len(chosen)} versions, MobileNetV2 at {size} px, encoding included"
    )
    return [timing.row("launder", ratios, 1.0, what)]
