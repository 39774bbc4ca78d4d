"""Train the small autoencoder, some steps at a time, so that it can be killed.

Crops enter; a checkpoint and a history grow in a folder, and the same command continues
from them. The network has the layers of the TAESD family at less width, so that the package
reads its file as it reads theirs (`kerasfaces/generate/networks/taesd.py`).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.autoencoder.portraits import Photos, Recipe, batches
from experiments.framework import torch_training
from kerasfaces.core import config
from kerasfaces.core.rng import integer_seed


@dataclass(frozen=True, kw_only=True)
class Plan(torch_training.Schedule):
    """Settings of the training.

    Attributes:
        widths: Channels at full size, half and a quarter.
        blocks: Number of blocks at half and a quarter of the size.
        latent: Channels of the latent, at a quarter of the size.
        edges: Weight of the loss of differences between neighbours, which keeps detail.
    """

    widths: tuple[int, ...] = (16, 32, 64)
    blocks: tuple[int, ...] = (1, 3)
    latent: int = 8
    edges: float = 0.5


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

    def loss(network: Any, pixels: Any, step: int) -> tuple[Any, Any]:
        del step  # every step has the same loss
        value = grey_levels_off(network, pixels, plan.edges)
        return value, value

    task = torch_training.Task(
        network=build(plan),
        loss=loss,
        measure="loss",
        batches=lambda steps: batches(photos, recipe, plan.batch, steps),
        digest=config.digest(recipe) + config.digest(plan),
    )
    return torch_training.train(task, plan, folder, threads)


def grey_levels_off(network: Any, pixels: Any, edges: float) -> Any:
    """Return the mean absolute error of round trips, and of their edges, in grey levels.

    Args:
        network: See `build`.
        pixels: uint8 array (n, h, w, 3).
        edges: See `Plan`.
    """
    import torch

    target = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    target = target.contiguous(memory_format=torch.channels_last)
    error = network["decoder"](network["encoder"](target)) - target
    neighbours = error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()
    return 255 * (error.abs().mean() + edges * neighbours)
