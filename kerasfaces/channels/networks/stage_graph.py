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
        pairs = None if scale is None else torch.tensor([list(scale[n]) for n in every])
        self.scale = (
            None if pairs is None else (pairs[:, 0].clone(), pairs[:, 1].clone())
        )

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
        return self._rounded(values)[..., self.positions], doubt

    def _rounded(self, values: Tensor) -> Tensor:
        if self.scale is not None:
            offset, step = self.scale
            return offset + step * torch.round((values - offset) / step).clamp(0, 255)
        return as_float16(values)


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
