"""Noise patterns per second: the shipped denoiser, and CycleISP's size against torch.

Both at 256 px, on all cores, in one run. "As published" is the network computed
operation by operation as the authors' code does, in plain torch with its default memory
layout, in batches of 16 as their scripts do; ours runs image by image. Weights are
random there, for time does not depend on them, but scaled so that the pattern has the
size of real ones, for differences do.
"""

import functools
import logging
import statistics
from typing import Any

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

SIZE_PX = 256
TARGET_PER_S = 10.0
PUBLISHED_BATCH = 16
LNP_SD = 5.0  # grey levels, of the random networks' patterns


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows: the shipped one's rate, CycleISP's gain, bfloat16's error."""
    repeats = 2 if quick else 5
    rows = [_shipped(4 if quick else 20, repeats)]
    batch = 2 if quick else PUBLISHED_BATCH
    rows.append(_cycleisp(2, 3, batch, "cycleisp_2_blocks"))
    if not quick:
        rows.append(_cycleisp(8, 1, batch, "cycleisp_8_blocks"))
    rows += _bfloat16()
    return rows


def _shipped(count: int, repeats: int) -> dict[str, Any]:
    from kerasfaces.channels.kinds import lnp

    channel, images = lnp.build(lnp.Options()), _images(count)
    channel.compute(images[:1], {})
    work = functools.partial(channel.compute, images, {})
    rates = [count / timing.elapsed_s(work) / TARGET_PER_S for _ in range(repeats)]
    what = f"images/s / {TARGET_PER_S:g}, shipped weights at {SIZE_PX} px, "
    return timing.row("lnp_shipped", rates, 1.0, what + channel.runner.name)


def _cycleisp(blocks: int, repeats: int, count: int, name: str) -> dict[str, Any]:
    import numpy as np
    import torch

    from kerasfaces.channels.networks.engine import Runner

    network, images = _random_network(blocks), _images(count)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float().contiguous() / 255
    with torch.no_grad():
        expected = 255 * _as_published(network.denoiser, batch[:1])
        plain_s = [
            timing.elapsed_s(functools.partial(_as_published, network.denoiser, batch))
            / count
            for _ in range(repeats)
        ]
        operations = timing.flop(
            functools.partial(_as_published, network.denoiser, batch[:1])
        )
    # Only now: the runner changes the network's memory layout.
    runner = Runner(network)
    worst = np.abs(runner(images[:1])[0] - expected[0].permute(1, 2, 0).numpy()).max()
    ours_s = [
        timing.elapsed_s(functools.partial(runner, images)) / count
        for _ in range(repeats)
    ]
    logger.info("%s: plain %s s, ours %s s an image", name, plain_s, ours_s)
    ratios = [plain / ours for plain, ours in zip(plain_s, ours_s, strict=True)]
    what = (
        f"64 channels, 4 groups, {blocks} blocks: torch as published, batches of "
        f"{count} / {runner.name}, "
        f"f32, differs by {worst:.1e} grey levels at most; "
        f"{timing.share_of_peak(operations, statistics.median(ours_s))}"
    )
    return timing.row(name, ratios, 2.5, what)


def _bfloat16() -> list[dict[str, Any]]:
    """Return how far bfloat16 moves the pattern: no target, a fact to choose by."""
    import numpy as np

    from kerasfaces.channels.kinds import lnp

    images = _images(4)
    exact = lnp.build(lnp.Options(engine="torch")).compute(images, {})
    coarse = lnp.build(lnp.Options(precision="bf16")).compute(images, {})
    errors = np.abs(coarse - exact)
    share = float(np.sqrt(np.mean(errors**2)) / exact.std())
    what = (
        f"grey levels: bfloat16's largest error on the shipped LNP (mean "
        f"{errors.mean():.2f}; {share:.0%} of the pattern's sd {exact.std():.2f})"
    )
    row = timing.row("lnp_bf16_error", [float(errors.max())], 0.0, what)
    logger.info("%s %.2f %s", row["name"], row["ratio"], what)
    return [row]


def _as_published(denoiser: Any, noisy: Any) -> Any:
    """Compute the pattern operation by operation as the authors' code does."""
    import torch

    def block(layers: Any, x: Any) -> Any:
        inner = layers.body(x)
        pooled = torch.cat(
            (torch.max(inner, 1)[0].unsqueeze(1), torch.mean(inner, 1).unsqueeze(1)), 1
        )
        places = inner * torch.sigmoid(layers.SA.spatial(pooled))
        means = torch.nn.functional.adaptive_avg_pool2d(inner, 1)
        both = torch.cat([places, inner * layers.CA.conv_du(means)], dim=1)
        joined = layers.conv1x1(both)
        joined += x
        return joined

    x = denoiser.head(noisy)
    for group in denoiser.body[: denoiser.architecture.groups]:
        inner = x
        for layers in group.body[:-1]:
            inner = block(layers, inner)
        inner = group.body[-1](inner)
        inner += x
        x = inner
    for layer in denoiser.body[denoiser.architecture.groups :]:
        x = layer(x)
    return -denoiser.tail(x)


def _random_network(blocks: int) -> Any:
    import torch

    from kerasfaces.channels.kinds.lnp import NoisePattern
    from kerasfaces.channels.networks import cycleisp

    torch.manual_seed(0)
    denoiser = cycleisp.Denoiser(cycleisp.Architecture(blocks=blocks)).eval()
    sample = torch.from_numpy(_images(1)[:, :64, :64]).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        scale = LNP_SD / (255 * float(denoiser.lnp(sample).std()))
        denoiser.tail[0].weight.mul_(scale)
        denoiser.tail[0].bias.mul_(scale)
    return NoisePattern(denoiser).eval()


def _images(count: int) -> Any:
    """Return (count, s, s, 3) uint8: smooth colour with noise of some grey levels."""
    import numpy as np

    from kerasfaces.core.rng import generator

    rng = generator(0, "benchmark", "lnp")
    down, across = np.mgrid[0:SIZE_PX, 0:SIZE_PX][..., np.newaxis] / SIZE_PX
    phase = rng.uniform(0, 6, (count, 1, 1, 3))
    smooth = 128 + 90 * np.sin(5 * down + phase) * np.cos(4 * across + 2 * phase)
    noisy = smooth + rng.normal(0, 4, (count, SIZE_PX, SIZE_PX, 3))
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)
