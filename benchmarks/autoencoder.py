"""Aligned fakes per second: the shipped autoencoder by OpenVINO, against torch as published.

"As published" is what a script on torch does: a batch of 8 pictures of 512 px through the
network in its default memory layout, on all cores. Both sides start from pixels and end at
the pair's two files, aligned and encoded alike.
"""

import functools
import logging
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

SIZE_PX = 512
BATCH = 8
TARGET = 2.0


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows: round trips alone, and whole pairs."""
    import numpy as np
    import torch

    from kerasfaces.channels.networks.engine import Runner
    from kerasfaces.generate.networks import autoencoders

    pictures, repeats = _pictures(2 if quick else BATCH), 1 if quick else 5
    # Separate copies: the runner changes the memory layout of its own.
    plain, ours = (autoencoders.load(autoencoders.SMALL).network for _ in range(2))
    batch = torch.from_numpy(pictures)

    def published() -> Any:
        with torch.no_grad():
            return plain(batch).numpy()

    runner = Runner(ours, limit=0.05)
    worst = float(np.abs(runner(pictures) - published()).max())
    rows = []
    for name, finish in (("autoencoder", _nothing), ("aligned_pairs", _write)):

        def seconds(make: Any, finish: Any = finish) -> float:
            return timing.elapsed_s(lambda: finish(pictures, make()))

        run_ours = functools.partial(runner, pictures)
        ratios = [seconds(published) / seconds(run_ours) for _ in range(repeats)]
        what = (
            f"shipped autoencoder at {SIZE_PX} px: torch in batches of {len(pictures)} / "
            f"{runner.name} picture by picture, differs by {worst:.1e} grey levels at most"
        )
        if finish is _write:
            what += "; alignment and both files included on both sides"
        rows.append(timing.row(name, ratios, TARGET, what))
        logger.info("%s %.2f", name, rows[-1]["ratio"])
    return rows


def _nothing(pictures: Any, fakes: Any) -> None:
    pass


def _write(pictures: Any, fakes: Any) -> None:
    """Align and encode as `generate` does."""
    from kerasfaces.generate import alignment

    for real, fake in zip(pictures, fakes, strict=True):
        fused = alignment.fuse_frequencies(real, fake, 0.25)
        mixed = alignment.to_pixels(alignment.mix(real, fused, 0.15))
        for each in (real, mixed):
            alignment.encode(each, "jpeg", 85)


def _pictures(count: int) -> Any:
    """Return `(count, s, s, 3)` uint8: smooth colour with noise of some grey levels."""
    import numpy as np

    from kerasfaces.core.rng import generator

    random = generator(0, "benchmark", "autoencoder")
    down, across = np.mgrid[0:SIZE_PX, 0:SIZE_PX][..., np.newaxis] / SIZE_PX
    phase = random.uniform(0, 6, (count, 1, 1, 3))
    smooth = 128 + 90 * np.sin(5 * down + phase) * np.cos(4 * across + 2 * phase)
    noisy = smooth + random.normal(0, 4, (count, SIZE_PX, SIZE_PX, 3))
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)
