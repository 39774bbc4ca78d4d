"""Train the small autoencoder, some steps at a time, so that it can be killed.

Crops enter; a checkpoint and a history grow in a folder, and the same command continues
from them. The network has the layers of the TAESD family at less width, so that the package
reads its file as it reads theirs (`kerasfaces/generate/networks/taesd.py`).
"""

import logging
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.autoencoder.portraits import Photos, Recipe, batches
from kerasfaces.core import config, folders
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import atomic_path, read_json, write_json
from kerasfaces.core.progress import progress
from kerasfaces.core.rng import integer_seed

logger = logging.getLogger("kerasfaces.experiments")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of the training.

    Attributes:
        widths: Channels at full size, half and a quarter.
        blocks: Number of blocks at half and a quarter of the size.
        latent: Channels of the latent, at a quarter of the size.
        edges: Weight of the loss of differences between neighbours, which keeps detail.
        steps: Number of batches.
        batch: Crops in each.
        learning_rate: Peak of Adam's learning rate; it rises for `warmup` steps and falls
            to 0 along a cosine.
        warmup: Steps of the rise.
        save_every: Steps between checkpoints.
        seed: Seed of the initial weights.
    """

    widths: tuple[int, ...] = (16, 32, 64)
    blocks: tuple[int, ...] = (1, 3)
    latent: int = 8
    edges: float = 0.5
    steps: int = 4000
    batch: int = 8
    learning_rate: float = 2e-3
    warmup: int = 100
    save_every: int = 250
    seed: int = 0


def build(plan: Plan) -> Any:
    """Return the untrained network: 0..1 -> latent -> 0..1, both `(n, c, h, w)`."""
    import torch

    from kerasfaces.generate.networks.taesd import Block, Clamp

    torch.manual_seed(integer_seed(plan.seed, "autoencoder"))

    def convolution(into: int, out: int, stride: int = 1, bias: bool = True) -> Any:
        return torch.nn.Conv2d(into, out, 3, stride, padding=1, bias=bias)

    first, last = plan.widths[0], plan.widths[-1]
    encoder, decoder = [convolution(3, first)], [convolution(first, 3)]
    for n_blocks, above, width in zip(
        plan.blocks, plan.widths, plan.widths[1:], strict=False
    ):
        blocks = [[Block(width, pooled=False) for _ in range(n_blocks)] for _ in "ab"]
        encoder += [convolution(above, width, 2, bias=False), *blocks[0]]
        double = torch.nn.Upsample(scale_factor=2, mode="nearest")
        narrow = convolution(width, above, bias=False)
        decoder = [*blocks[1], double, narrow, Block(above, pooled=False), *decoder]
    encoder.append(convolution(last, plan.latent))
    decoder = [Clamp(), convolution(plan.latent, last), torch.nn.ReLU(), *decoder]
    network = torch.nn.ModuleDict(
        {
            "encoder": torch.nn.Sequential(*encoder),
            "decoder": torch.nn.Sequential(*decoder),
        }
    )
    _initialise(network)
    return network


def _initialise(network: Any) -> None:
    """Draw kernels that keep the size of what passes, and a first picture of mid-grey."""
    import torch

    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            module.weight.data.mul_(0.7)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    for module in network.modules():
        if hasattr(module, "pool"):  # a block: its branch begins small
            module.conv[-1].weight.data.mul_(0.2)
    last = network["decoder"][-1]
    last.weight.data.mul_(0.3)
    last.bias.data.fill_(0.45)


def train(
    photos: Photos, recipe: Recipe, plan: Plan, folder: Path, threads: int
) -> Any:
    """Train, or continue, and return the network.

    Args:
        photos: Training pictures, decoded.
        recipe: Settings of the crops.
        plan: Settings of the training.
        folder: Folder of `checkpoint.pt` and `history.json`.
        threads: Threads of torch.

    Raises:
        RunError: The folder's checkpoint is of another recipe or plan.
    """
    import torch

    torch.set_num_threads(threads)
    folder.mkdir(parents=True, exist_ok=True)
    with folders.lock(folder, "training folder"):
        network, optimizer, first, history = _resume(recipe, plan, folder)
        started, losses = time.monotonic(), []
        steps = range(first, plan.steps)
        with progress(len(steps), "Training", "step") as advance:
            crops = batches(photos, recipe, plan.batch, steps)
            for step, pixels in zip(steps, crops, strict=True):
                losses.append(_step(network, optimizer, plan, step, pixels))
                advance(1)
                if (step + 1) % plan.save_every == 0 or step + 1 == plan.steps:
                    seconds = time.monotonic() - started
                    loss = sum(losses) / len(losses)
                    history.append({"step": step + 1, "loss": loss, "seconds": seconds})
                    write_json(folder / "history.json", history)
                    state = {
                        "step": step + 1,
                        "digest": config.digest(recipe) + config.digest(plan),
                        "network": network.state_dict(),
                        "optimizer": optimizer.state_dict(),
                    }
                    with atomic_path(folder / "checkpoint.pt") as temporary:
                        torch.save(state, temporary)
                    logger.info("%s", history[-1])
                    started, losses = time.monotonic(), []
    return network.eval()


def _step(network: Any, optimizer: Any, plan: Plan, step: int, pixels: Any) -> float:
    """Make one step and return the loss in grey levels."""
    import torch

    rise = min(1.0, (step + 1) / plan.warmup)
    fall = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
    optimizer.param_groups[0]["lr"] = plan.learning_rate * rise * fall
    target = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    target = target.contiguous(memory_format=torch.channels_last)
    optimizer.zero_grad()
    error = network["decoder"](network["encoder"](target)) - target
    edges = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    loss = 255 * (error.abs().mean() + plan.edges * edges)
    loss.backward()
    optimizer.step()
    return float(loss.detach())


def _resume(recipe: Recipe, plan: Plan, folder: Path) -> tuple[Any, Any, int, Any]:
    import torch

    network = build(plan).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), plan.learning_rate)
    path = folder / "checkpoint.pt"
    if not path.exists():
        return network, optimizer, 0, []
    saved = torch.load(path, weights_only=True)
    if saved["digest"] != config.digest(recipe) + config.digest(plan):
        raise RunError(
            f"{path} belongs to another recipe or plan than this command's; train into "
            "another folder, or delete it."
        )
    network.load_state_dict(saved["network"])
    optimizer.load_state_dict(saved["optimizer"])
    history = read_json(folder / "history.json")
    earlier = [row for row in history if row["step"] <= saved["step"]]
    return network, optimizer, saved["step"], earlier
