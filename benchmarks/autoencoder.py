"""Aligned fakes per second: autoencoders by OpenVINO, against torch as published.

"As published" is TAESD's layout (64 channels, random weights: time does not depend on them) as
a script on torch runs it: in its default memory layout, a batch at a time, on all cores. Both
sides start from pixels and end at the pair's two files, aligned and encoded alike. Rows of
the shipped autoencoder, a tenth of that work, are facts without a promise: there the
alignment, which is the same on both sides, weighs more.
"""

import copy
import functools
import logging
from collections.abc import Callable
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

SIZE_PX = 512
TARGET = 2.0


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows for both networks: round trips alone, and whole pairs."""
    from kerasfaces.generate.networks import autoencoders

    size = 1 if quick else 2
    rows = _rows("taesd", _taesd, size, 1 if quick else 3, TARGET)
    small = functools.partial(autoencoders.load, autoencoders.SMALL)
    return rows + _rows("small", lambda: small().network, 4 * size, 3, 0.0)


def _rows(
    name: str, network: Callable[[], Any], batch: int, repeats: int, target: float
) -> list[dict[str, Any]]:
    import numpy as np
    import torch

    from kerasfaces.channels.networks.engine import Runner

    pictures = _pictures(batch)
    plain, tensor = network().eval(), torch.from_numpy(pictures)
    # The runner changes the memory layout of its own copy.
    runner = Runner(copy.deepcopy(plain), limit=0.05)

    def published() -> Any:
        with torch.no_grad():
            return plain(tensor).numpy()

    ours = functools.partial(runner, pictures)
    worst = float(np.abs(ours() - published()).max())
    rows = []
    for what, finish in (("round_trips", _nothing), ("aligned_pairs", _write)):

        def seconds(make: Callable[[], Any], finish: Any = finish) -> float:
            return timing.elapsed_s(lambda: finish(pictures, make()))

        ratios = [seconds(published) / seconds(ours) for _ in range(repeats)]
        text = (
            f"{name} at {SIZE_PX} px: torch as published in batches of {batch} / "
            f"{runner.name} picture by picture, differs by {worst:.1e} grey levels at most"
        )
        if finish is _write:
            text += "; alignment and both files included on both sides"
        rows.append(timing.row(f"{what}_{name}", ratios, target, text))
        logger.info("%s %s", rows[-1]["name"], ratios)
    return rows


def _taesd() -> Any:
    """Return a network of TAESD's layout with random weights."""
    import torch
    from torch import nn

    from kerasfaces.generate.networks.taesd import Autoencoder, Block, Clamp

    torch.manual_seed(0)

    def layer(into: int, out: int, stride: int = 1, bias: bool = True) -> Any:
        return nn.Conv2d(into, out, 3, stride, padding=1, bias=bias)

    def blocks(count: int) -> list[Any]:
        return [Block(64, pooled=False) for _ in range(count)]

    encoder, decoder = [layer(3, 64), *blocks(1)], [Clamp(), layer(4, 64), nn.ReLU()]
    for _ in range(3):
        encoder += [layer(64, 64, 2, bias=False), *blocks(3)]
        decoder += [*blocks(3), nn.Upsample(scale_factor=2), layer(64, 64, bias=False)]
    return Autoencoder(
        nn.Sequential(*encoder, layer(64, 4)),
        nn.Sequential(*decoder, *blocks(1), layer(64, 3)),
    )


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
