"""The channel `spectrum` as a torch network that other runtimes can carry.

What `channels/kinds/spectrum.py` computes by an FFT, here by products with the matrices of
the transform, whose rows are in centred order: real(F) = C f C' - S f S', imaginary(F) =
-(C f S' + S f C'). ONNX has no complex numbers, no atan2 and no log1p.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn


def _matrices(side: int, scale: float) -> tuple[Tensor, Tensor]:
    """Return cosines and sines `(side, side)`, rows by centred frequency, scaled."""
    frequencies = np.arange(side) - side // 2
    turns = np.outer(frequencies, np.arange(side)) % side / side  # exact phases
    both = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
    cosines, sines = (
        torch.from_numpy((scale * part).astype(np.float32)) for part in both
    )
    return cosines, sines


class SpectrumGraph(nn.Module):
    """Noise or pixels `(n, side, side, 3)` -> amplitude planes first, then phase planes."""

    cosines: Tensor
    sines: Tensor
    complex: Tensor

    def __init__(
        self,
        side: int,
        *,
        of: str,
        amplitude: str,
        weights: tuple[float, ...] | None,
        zero: float,
        log_unit: float,
    ) -> None:
        """Prepare the matrices of square planes.

        Args:
            side: Their side.
            of: `lnp` or `rgb`: what is transformed.
            amplitude: `log`, `raw` or `liu2022`.
            weights: Of the three colours, which become one plane; None keeps them.
            zero: Share of the largest amplitude up to which a coefficient is zero.
            log_unit: Grey levels that count as one step of the logarithm.
        """
        super().__init__()
        self.of, self.amplitude, self.weights = of, amplitude, weights
        self.zero, self.log_unit = zero, log_unit
        cosines, sines = _matrices(side, side**-0.5 if self._liu else 1 / side)
        self.register_buffer("cosines", cosines)
        self.register_buffer("sines", sines)
        # A coefficient that is its own opposite is real: its phase is 0 or pi, never -pi.
        frequencies = torch.arange(side) - side // 2
        own = (2 * frequencies) % side == 0
        self.register_buffer("complex", ~(own[:, None] & own[None, :]))

    @property
    def _liu(self) -> bool:
        return self.amplitude == "liu2022"

    def forward(self, image: Tensor, computed: Mapping[str, Tensor]) -> Tensor:
        """Return `(n, side, side, 2 * colours)` float32."""
        planes = computed["lnp"] if self.of == "lnp" else image
        f = planes.permute(0, 3, 1, 2)
        if self._liu:
            f = f / 255
        across, down = self.cosines.T, self.sines.T
        left, right = self.cosines @ f, self.sines @ f
        real = left @ across - right @ down
        imaginary = torch.where(self.complex, -(left @ down + right @ across), 0.0)
        amplitude = torch.sqrt(real * real + imaginary * imaginary)
        phase = _angle(imaginary, real)
        largest = amplitude.amax(dim=(2, 3), keepdim=True)
        is_zero = amplitude <= self.zero * largest
        amplitude = torch.where(is_zero, 0.0, amplitude)
        phase = torch.where(is_zero, 0.0, phase)
        if self._liu:
            amplitude = (amplitude + 1e-8) ** 0.8
        elif self.amplitude == "log":
            amplitude = torch.log(1 + amplitude / self.log_unit)
        parts = torch.stack([amplitude, phase], dim=1)  # n, 2, colours, h, w
        if self.weights is not None:
            weighted = parts * torch.tensor(self.weights).reshape(1, 1, -1, 1, 1)
            parts = weighted.sum(dim=2, keepdim=True)
        return parts.flatten(1, 2).permute(0, 2, 3, 1)


def _angle(imaginary: Tensor, real: Tensor) -> Tensor:
    """Return atan2, +pi where the imaginary part is zero and the real one below."""
    angle = torch.atan(imaginary / torch.where(real == 0, 1e-30, real))
    turn = torch.where(imaginary < 0, -torch.pi, torch.pi)
    return torch.where(real < 0, angle + turn, angle)
