"""Grad-CAM of one image against the network's own forward pass.

Both by Keras on TensorFlow, one image at a time, MobileNetV2 at 224 px, alone and with four
taps behind mean and deviation: `predict_on_batch` of the whole model, and
`methods.gradcam.explain` with the learnt head, everything compiled before.
"""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.framework import timing

LIMIT = 2.0  # forward passes
TAPS = tuple(f"block_{number}_expand_relu" for number in (6, 9, 11, 13))


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the rows."""
    rows: list[dict[str, Any]] = timing.call(partial(_rows, 3 if quick else 30))
    return rows


def _rows(repeats: int) -> list[dict[str, Any]]:
    return [
        _row("gradcam", (), "mean", repeats),
        _row("gradcam_taps", TAPS, "mean_std", repeats),
    ]


def _row(
    name: str, taps: tuple[str, ...], pooling: Any, repeats: int
) -> dict[str, Any]:
    import numpy as np

    from kerasfaces.explain.contract import Options
    from kerasfaces.explain.methods import gradcam
    from kerasfaces.explain.network import Network
    from kerasfaces.explain.subjects import Subject
    from kerasfaces.images import InputSpec
    from kerasfaces.models.config import HeadConfig, ModelConfig
    from kerasfaces.models.zoo import mobilenetv2
    from kerasfaces.run.network import TrainedNetwork

    config = ModelConfig(
        size_px=224, taps=taps, pooling=pooling, head=HeadConfig(units=(8,))
    )
    spec = InputSpec(size_px=224)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.keras"
        mobilenetv2.ARCHITECTURE.build(config).save(file)
        trained = TrainedNetwork(Path(folder), file, config, None, False, spec)
        network = Network(trained, 0, 0)
    subject = Subject(
        name=name,
        kind="mobilenetv2",
        spec=spec,
        n_heads=1,
        logits=network.logits,
        network=network,
    )
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8)
    plain = image[None].astype(np.float32)

    def forward() -> Any:
        return network.model.predict_on_batch(plain)

    def explained() -> Any:
        return gradcam.explain(subject, image, Options(signed=True))

    for warm in (forward, explained, forward, explained):
        warm()
    ratios = [
        LIMIT * timing.elapsed_s(forward) / timing.elapsed_s(explained)
        for _ in range(repeats)
    ]
    what = f"{LIMIT:g} forward passes / Grad-CAM of one image, {pooling} of "
    what += f"{len(taps)} taps" if taps else "the last layer"
    return timing.row(name, ratios, 1.0, what)
