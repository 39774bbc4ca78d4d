"""The channels `rgb` and `mask` as torch networks, for an exported graph."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class Pixels(nn.Module):
    """The pixels as they are."""

    def forward(self, image: Tensor, computed: Mapping[str, Tensor]) -> Tensor:
        """Return `image`, `(n, h, w, 3)`."""
        return image


class Ones(nn.Module):
    """The mask that keeps every pixel."""

    def forward(self, image: Tensor, computed: Mapping[str, Tensor]) -> Tensor:
        """Return ones, `(n, h, w, 1)`."""
        return torch.ones_like(image[..., :1])
