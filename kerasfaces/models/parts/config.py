"""What a model is: everything needed to build it again from JSON, weights apart."""

import dataclasses
from typing import Literal

from kerasfaces.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """The trained part on top of the base.

    Attributes:
        units: Widths of the hidden ReLU layers; empty is logistic regression.
        dropout: Dropped fraction after each hidden layer, 0..1 (after the input if none).
        l2: Weight penalty of every dense kernel.
        standardize: Scale each feature to zero mean and unit variance on training data.
    """

    units: tuple[int, ...] = ()
    dropout: float = 0.0
    l2: float = 0.0
    standardize: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        if any(width < 1 for width in self.units):
            raise InputError(
                f"head.units: expected widths of at least 1, got {self.units}."
            )
        if not 0 <= self.dropout < 1:
            raise InputError(
                f"head.dropout: expected 0 <= dropout < 1, got {self.dropout}."
            )
        if self.l2 < 0:
            raise InputError(f"head.l2: expected at least 0, got {self.l2}.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """One detector's architecture.

    Attributes:
        name: File in `kerasfaces/models`.
        size_px: Side of the square input.
        taps: Base layers that feed the head; empty is the base's last layer.
        pooling: `mean`, or `mean_std` (mean and standard deviation over each map).
        scales: Sides the base sees, as multiples of `size_px`; features are concatenated.
        alpha: Width multiplier (MobileNetV2); None is read from the weights, else 1.
        head: The trained part.
    """

    name: str = "mobilenetv2"
    size_px: int = 256
    taps: tuple[str, ...] = ()
    pooling: Literal["mean", "mean_std"] = "mean"
    scales: tuple[float, ...] = (1.0,)
    alpha: float | None = None
    head: HeadConfig = dataclasses.field(default_factory=HeadConfig)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 32 <= self.size_px <= 4096:
            raise InputError(f"model.size_px: expected 32..4096, got {self.size_px}.")
        if not self.scales or any(scale <= 0 for scale in self.scales):
            raise InputError(
                f"model.scales: expected positive numbers, got {self.scales}."
            )
        if min(self.scales) * self.size_px < 32:
            raise InputError(
                f"model.scales: the base needs at least 32 px, got {min(self.scales)} x "
                f"{self.size_px}."
            )
