"""CycleISP's RGB denoising network: a noisy picture enters, its denoised form leaves.

Zamir et al., "CycleISP: Real Image Restoration via Improved Data Synthesis", CVPR 2020
(arXiv 2003.07761), section 3.3 and figure 5. With K3 a 3 × 3 convolution and RRG a
recursive residual group:

    M0 = K3(I),  M1 = RRG(... RRG(M0)),  M2 = K3(M1),  denoised = I + M2,

so the learned noise pattern (wan2023, equations 1 to 4) is LNP = I - denoised = -M2.

Which variant is which:

- published: 64 channels, 4 groups, **8** dual-attention blocks a group; what the files
  `sidd_rgb.pth` and `dnd_rgb.pth` of github.com/swz30/CycleISP hold;
- wan2023: says **2** blocks a group, otherwise the same; no such file was published;
- ours (`channels/weights`): 2 blocks a group, fewer channels and groups.

The published code puts one more K3 and an activation between M1 and the last K3, and
all its activations share one set of slopes. Names and shapes here are those of its
files, so they load strictly.
"""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kerasfaces.channels.networks import state_dicts
from kerasfaces.core.errors import InputError

_SLOPES = re.compile(r"body\.\d+\.body\.\d+\.body\.1\.weight$")
_BLOCK = re.compile(r"body\.(\d+)\.body\.(\d+)\.conv1x1\.weight$")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """The numbers that make a variant.

    Attributes:
        channels: Feature channels.
        groups: Recursive residual groups.
        blocks: Dual-attention blocks in each.
        reduction: Channel attention squeezes to `channels // reduction`.
    """

    channels: int = 64
    groups: int = 4
    blocks: int = 8
    reduction: int = 16


PUBLISHED = Architecture()


class SpatialAttention(nn.Module):
    """Weighs every place by the strongest and the mean feature around it."""

    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential()
        self.spatial.add_module("conv", nn.Conv2d(2, 1, 3, padding=1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        """Return the `(n, c, h, w)` features, weighted by place."""
        strongest = features.amax(dim=1, keepdim=True)
        mean = features.mean(dim=1, keepdim=True)
        places = self.spatial(torch.cat([strongest, mean], dim=1))
        return features * torch.sigmoid(places)


class ChannelAttention(nn.Module):
    """Weighs every channel by the channels' means over the picture."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.conv_du = nn.Sequential(
            nn.Conv2d(channels, hidden, 1),
            nn.ReLU(),
            nn.Conv2d(hidden, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Return the `(n, c, h, w)` features, weighted by channel."""
        weights: Tensor = self.conv_du(features.mean(dim=(2, 3), keepdim=True))
        return features * weights


class DualAttentionBlock(nn.Module):
    """Two convolutions, both attentions side by side, a 1 × 1 to join them; residual."""

    def __init__(self, channels: int, hidden: int, activation: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(_k3(channels), activation, _k3(channels))
        self.SA = SpatialAttention()
        self.CA = ChannelAttention(channels, hidden)
        self.conv1x1 = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return `(n, c, h, w)` features."""
        inner = self.body(features)
        both = torch.cat([self.SA(inner), self.CA(inner)], dim=1)
        joined: Tensor = self.conv1x1(both)
        return joined + features


class ResidualGroup(nn.Module):
    """Recursive residual group: blocks and a convolution, around them a shortcut."""

    def __init__(
        self, architecture: Architecture, hidden: int, activation: nn.Module
    ) -> None:
        super().__init__()
        channels = architecture.channels
        blocks = [
            DualAttentionBlock(channels, hidden, activation)
            for _ in range(architecture.blocks)
        ]
        self.body = nn.Sequential(*blocks, _k3(channels))

    def forward(self, features: Tensor) -> Tensor:
        """Return `(n, c, h, w)` features."""
        inner: Tensor = self.body(features)
        return inner + features


class Denoiser(nn.Module):
    """The network; `lnp` is what channels ask for.

    Attributes:
        architecture: Which variant.
    """

    def __init__(self, architecture: Architecture = PUBLISHED) -> None:
        super().__init__()
        self.architecture = architecture
        channels = architecture.channels
        hidden = max(1, channels // architecture.reduction)
        slopes = nn.PReLU(channels)  # one for all, as published
        groups = [
            ResidualGroup(architecture, hidden, slopes)
            for _ in range(architecture.groups)
        ]
        self.head = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1))
        self.body = nn.Sequential(*groups, _k3(channels), slopes)
        self.tail = nn.Sequential(nn.Conv2d(channels, 3, 3, padding=1))

    def lnp(self, noisy: Tensor) -> Tensor:
        """Return noisy - denoised = -M2 of RGB in [0, 1], `(n, 3, h, w)` float32."""
        m2: Tensor = self.tail(self.body(self.head(noisy)))
        return -m2

    def forward(self, noisy: Tensor) -> Tensor:
        """Return the denoised picture: `(n, 3, h, w)` float32, near [0, 1]."""
        return noisy - self.lnp(noisy)


def architecture_of(state: Mapping[str, Tensor]) -> Architecture:
    """Read the variant off a state dict's names and shapes.

    Raises:
        InputError: It is no state dict of this network.
    """
    blocks = [match for name in state if (match := _BLOCK.match(name))]
    head, squeeze = "head.0.weight", "body.0.body.0.CA.conv_du.0.weight"
    if not blocks or head not in state or squeeze not in state:
        some = ", ".join(list(state)[:3]) or "nothing"
        raise InputError(
            "this is no CycleISP RGB denoiser: expected head.0.weight and "
            f"body.0.body.0.conv1x1.weight among the names, got {some}"
        )
    channels = state[head].shape[0]
    return Architecture(
        channels=channels,
        groups=1 + max(int(match[1]) for match in blocks),
        blocks=1 + max(int(match[2]) for match in blocks),
        reduction=channels // max(1, state[squeeze].shape[0]),
    )


def from_state(
    state: Mapping[str, Any], where: str, blocks: int | None = None
) -> Denoiser:
    """Build the network that a state dict was saved from, and load it strictly.

    Args:
        state: Names to tensors; may be wrapped in `state_dict`, and names may begin
            with `module.`, as the published files' do.
        where: The file, for messages.
        blocks: Blocks per group the user expects; None takes what the file has.

    Raises:
        InputError: Another network, another variant, or a part is missing.
    """
    inner = state.get("state_dict", state)
    tensors = {
        str(name).removeprefix("module."): value
        for name, value in (inner.items() if isinstance(inner, Mapping) else ())
        if isinstance(value, Tensor)
    }
    try:
        variant = architecture_of(tensors)
    except InputError as error:
        raise InputError(f"{where}: {error}.") from None
    if blocks is not None and variant.blocks != blocks:
        raise InputError(
            f"{where} has {variant.blocks} blocks per group, expected {blocks}; "
            f"set lnp.blocks={variant.blocks}."
        )
    network = Denoiser(variant)
    expected = network.state_dict()
    faults = state_dicts.faults(tensors, expected)
    slopes = [*filter(_SLOPES.match, expected), f"body.{variant.groups + 1}.weight"]
    if not faults and any(
        not torch.equal(tensors[name], tensors[slopes[0]]) for name in slopes
    ):
        faults = ["its activations' slopes differ between blocks"]
    if faults:
        raise InputError(
            f"{where} does not fit a denoiser of {variant.channels} channels, "
            f"{variant.groups} groups and {variant.blocks} blocks ({len(expected)} tensors "
            f"expected, {len(tensors)} found): {state_dicts.first(faults, 3)}; "
            "download the file again, or pass one saved from this network."
        )
    network.load_state_dict(tensors, strict=True)
    return network.eval()


def load_checkpoint(path: Path, blocks: int | None = None) -> Denoiser:
    """Load a torch file of the published network (see `from_state`).

    Raises:
        MissingFileError: There is no such file.
        InputError: The file is damaged, or of another network or variant.
    """
    return from_state(state_dicts.read(path), str(path), blocks)


def _k3(channels: int) -> nn.Conv2d:
    return nn.Conv2d(channels, channels, 3, padding=1)
