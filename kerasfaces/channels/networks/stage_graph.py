"""The channel stage without mask as a torch network: kinds, rounding, choice of channels."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

_LARGEST = 65504.0  # of float16
_SMALLEST = 2.0**-14  # below it float16's steps no longer shrink
_STEPS = 2.0**24
_SPLIT = 2.0**13 + 1  # float32 has 13 bits more than float16


class StageGraph(nn.Module):
    """Pixels `(n, s, s, 3)` float32, 0..255 -> channels as a store holds them, and doubt."""

    def __init__(
        self,
        graphs: Mapping[str, nn.Module],
        stored: Mapping[str, Sequence[str]],
        names: Sequence[str],
        scale: Mapping[str, Sequence[float]] | None,
    ) -> None:
        """Join the kinds.

        Args:
            graphs: Kind -> its graph, each after those it reads.
            stored: Kind -> names of its channels, in the store's order.
            names: Channels to return, in order.
            scale: A uint8 store's, name -> offset and step; None for float16.
        """
        super().__init__()
        self.kinds, self.graphs = list(graphs), nn.ModuleList(graphs.values())
        self.stored = list(stored)
        every = [name for part in stored.values() for name in part]
        self.positions = [every.index(name) for name in names]
        self.scale = None
        if scale is not None:
            offsets, steps = torch.tensor([list(scale[name]) for name in every]).T
            self.scale = offsets.clone(), steps.clone()

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return `(n, s, s, len(names))` float32, and `(n, 1)`: 0, NaN without an array."""
        computed: dict[str, Tensor] = {}
        for kind, graph in zip(self.kinds, self.graphs, strict=True):
            computed[kind] = graph(image, computed)
        values = torch.cat([computed[kind] for kind in self.stored], dim=-1)
        limit = _LARGEST if self.scale is None else torch.finfo(torch.float32).max
        storable = (values.abs() <= limit).flatten(1).all(dim=1)  # NaN is not
        flat = (image == image[:, :1, :1]).flatten(1).all(dim=1)
        usable = storable & ~flat
        doubt = torch.where(usable, 0.0, torch.nan)[:, None]
        if self.scale is None:
            rounded = as_float16(values)
        else:
            offset, step = self.scale
            levels = torch.round((values - offset) / step).clamp(0, 255)
            rounded = offset + step * levels
        return rounded[..., self.positions], doubt


class Pixels(nn.Module):
    """The channel `rgb`: the pixels as they are."""

    def forward(self, image: Tensor, computed: Mapping[str, Tensor]) -> Tensor:
        """Return `image`, `(n, h, w, 3)`."""
        return image


class Ones(nn.Module):
    """The channel `mask` where every pixel is kept."""

    def forward(self, image: Tensor, computed: Mapping[str, Tensor]) -> Tensor:
        """Return ones, `(n, h, w, 1)`."""
        return torch.ones_like(image[..., :1])


def as_float16(values: Tensor) -> Tensor:
    """Round float32 to what float16 holds, half to even, without a cast.

    Runtimes that compute in float32 throughout leave out a cast there and back. A product
    with 2^13 + 1 and two differences leave 11 bits (Dekker, "A floating-point technique for
    extending the available precision", 1971).
    """
    product = values * _SPLIT
    normal = product - (product - values)
    tiny = torch.round(values * _STEPS) / _STEPS
    return torch.where(values.abs() < _SMALLEST, tiny, normal)
