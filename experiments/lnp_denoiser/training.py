"""Train the small denoiser, some steps at a time, so that it can be killed.

Clean pictures enter; a checkpoint and a history grow in a folder, and the same command
continues from them.
"""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.framework import torch_training
from experiments.lnp_denoiser.pictures import Part, Recipe, batches
from kerasfaces.core import config
from kerasfaces.core.rng import integer_seed

_EPS = 1e-6  # mean square error of a quarter grey level: what rounding alone leaves


@dataclass(frozen=True, kw_only=True)
class Plan(torch_training.Schedule):
    """Settings of the training.

    Attributes:
        channels: See `cycleisp.Architecture`.
        groups: See there.
        blocks: See there.
        reduction: See there.
        coarse_share: Share of the first steps whose loss is the root mean square error of
            each pair, led by strong noise; then it is minus the PSNR.
    """

    channels: int = 16
    groups: int = 3
    blocks: int = 2
    reduction: int = 4
    steps: int = 5000
    warmup: int = 50
    coarse_share: float = 0.4


def build(plan: Plan) -> Any:
    """Return the untrained network.

    It begins by changing nothing, and with a first layer that tells fine detail from
    flat colour: noise is a hundredth of the picture, and from random kernels training
    takes thousands of steps to find it.
    """
    import torch

    from kerasfaces.channels.networks import cycleisp

    torch.manual_seed(integer_seed(plan.seed, "denoiser"))
    network = cycleisp.Denoiser(
        cycleisp.Architecture(
            channels=plan.channels,
            groups=plan.groups,
            blocks=plan.blocks,
            reduction=plan.reduction,
        )
    )
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, a=0.25)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    stem = torch.from_numpy(high_pass_stem(plan.channels))
    with torch.no_grad():
        network.head[0].weight[: len(stem)] = stem
        network.tail[0].weight.zero_()
        for group in network.body[: plan.groups]:
            group.body[-1].weight.mul_(0.1)  # residual branches begin small
            for block in group.body[:-1]:
                block.conv1x1.weight.mul_(0.3)
    return network


def high_pass_stem(channels: int) -> npt.NDArray[np.float32]:
    """Return first-layer kernels (at most `channels` ≤ 16, 3, 3, 3).

    Three means, one a colour; then the cosine basis without its constant on luma, and
    its finest members on two colour differences, amplified to the size of the means.
    """
    cosine = np.cos(np.pi * np.outer(np.arange(3), np.arange(3) + 0.5) / 3)
    cosine /= np.linalg.norm(cosine, axis=1, keepdims=True)
    basis = np.einsum("iy,jx->ijyx", cosine, cosine).reshape(9, 3, 3)
    luma, red, blue = np.array([[0.3, 0.6, 0.1], [0.7, -0.6, -0.1], [-0.3, -0.6, 0.9]])
    kernels = [colour[:, None, None] * basis[0] / 3 for colour in np.eye(3)]
    fine = [(luma, i) for i in range(1, 9)]
    fine += [(red, 8), (red, 5), (red, 7), (blue, 8), (blue, 5)]
    kernels += [8 * colour[:, None, None] * basis[i] for colour, i in fine]
    return np.stack(kernels[:channels]).astype(np.float32)


def train(part: Part, recipe: Recipe, plan: Plan, folder: Path, threads: int) -> Any:
    """Train, or continue, and return the network.

    Args:
        part: Pictures to train on.
        recipe: Settings of the pairs.
        plan: Settings of the training.
        folder: Folder of `checkpoint.pt` and `history.json`.
        threads: Threads of torch; one more prepares pairs.

    Raises:
        RunError: The folder's checkpoint is of another recipe or plan.
    """

    def loss(network: Any, pair: Any, step: int) -> tuple[Any, Any]:
        return _loss(network, *pair, coarse=step < plan.coarse_share * plan.steps)

    task = torch_training.Task(
        network=build(plan),
        loss=loss,
        measure="psnr_db",
        batches=lambda steps: _ahead(batches(part, recipe, plan.batch, steps)),
        digest=config.digest(recipe) + config.digest(plan),
    )
    return torch_training.train(task, plan, folder, threads)


def _loss(network: Any, noisy: Any, clean: Any, *, coarse: bool) -> tuple[Any, Any]:
    """Return the loss and the mean PSNR in dB.

    With the PSNR as loss every pair counts alike however strong its noise: faint noise,
    which a squared error would ignore, is what ordinary photos have. But it is slow to
    learn from at first, when any change harms the faintly noisy.
    """
    import torch

    layout = torch.channels_last
    noisy = torch.from_numpy(noisy).contiguous(memory_format=layout)
    clean = torch.from_numpy(clean).contiguous(memory_format=layout)
    square = (network(noisy) - clean).square().mean(dim=(1, 2, 3))
    psnr_db = -10 * torch.log10(square + _EPS).mean()
    return (255 * (square + 1e-7).sqrt().mean() if coarse else -psnr_db), psnr_db


def _ahead(items: Iterator[Any], depth: int = 4) -> Iterator[Any]:
    """Yield items that another thread prepares, at most `depth` ahead."""
    ready: queue.Queue[Any] = queue.Queue(depth)
    end, stop = object(), threading.Event()

    def put(item: Any) -> None:
        while not stop.is_set():
            try:
                ready.put(item, timeout=1)
                return
            except queue.Full:
                continue

    def work() -> None:
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(end)
        except Exception as error:  # noqa: BLE001  (raised again by the reader)
            put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (item := ready.get()) is not end:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
