"""Channel `rgb`: the masked pixels themselves, sRGB, 0..255."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from kerasfaces.channels.contract import Arrays, Channel, ChannelSpec, Images

if TYPE_CHECKING:
    from torch import nn

NAMES = ("red", "green", "blue")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The pixels have no options."""


class Rgb:
    """The pixels as floats; float16 holds them exactly."""

    def __init__(self) -> None:
        self.spec = ChannelSpec(
            names=NAMES, ranges={name: (0.0, 255.0) for name in NAMES}
        )

    def compute(self, images: Images, computed: Mapping[str, Arrays]) -> Arrays:
        """Return `images` as `(n, h, w, 3)` float32."""
        return images.astype(np.float32)


def build(options: Options) -> Channel:
    """Return the channel."""
    return Rgb()


def graph(options: Options, size_px: int) -> "nn.Module":
    """Return the channel as a part of an exported graph."""
    from kerasfaces.channels.networks.stage_graph import Pixels

    return Pixels()
