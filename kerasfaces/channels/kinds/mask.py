"""Channel `mask`: which pixels were kept, 1 = face, 0 = background.

The stage makes the mask before any channel and hands it over with the images.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from kerasfaces.channels.contract import Arrays, Channel, ChannelSpec, Images

if TYPE_CHECKING:
    from torch import nn

NAMES = ("mask",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The channel has no options; the mask itself has (`channels/masks`)."""


class MaskChannel:
    """The stage's own mask, passed on."""

    def __init__(self) -> None:
        self.spec = ChannelSpec(names=NAMES, ranges={"mask": (0.0, 1.0)})

    def compute(self, images: Images, computed: Mapping[str, Arrays]) -> Arrays:
        """Return `computed["mask"]`, `(n, h, w, 1)` float32."""
        return computed["mask"]


def build(options: Options) -> Channel:
    """Return the channel."""
    return MaskChannel()


def graph(options: Options, size_px: int) -> "nn.Module":
    """Return the channel as a part of an exported graph: all pixels are kept there."""
    from kerasfaces.channels.networks.stage_graph import Ones

    return Ones()
