"""What a baseline's run is; the fields are named as a model's run names them."""

import dataclasses
from typing import Literal

from kerasfaces.core.errors import InputError
from kerasfaces.faces.policy import FaceInput
from kerasfaces.images import MAX_SIZE_PX, MIN_SIZE_PX, InputSpec

COLOURS = ("red", "green", "blue")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineModel:
    """What is to be fitted; each baseline adds its own settings.

    Attributes:
        name: File in `kerasfaces/baselines/zoo`.
        size_px: Side of the square images.
    """

    name: str
    size_px: int = 128

    def __post_init__(self) -> None:
        """Check the range."""
        if not MIN_SIZE_PX <= self.size_px <= MAX_SIZE_PX:
            raise InputError(
                f"model.size_px: expected {MIN_SIZE_PX}..{MAX_SIZE_PX}, got "
                f"{self.size_px}."
            )

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Return the input's channels: colours."""
        return COLOURS

    @property
    def is_rgb(self) -> bool:
        """Tell that no channel store is needed."""
        return True


@dataclasses.dataclass(frozen=True, kw_only=True)
class BaselineConfig(FaceInput):
    """A run; each baseline's class gives `model` its type.

    Attributes:
        model: What is to be fitted.
        seed: Of the order in which an iterative fit sees images; not of splits.
        class_weights: Weigh both classes alike whatever their counts.
        crop: Central `square`, or `none` (stretch).
        filter: Resampling filter.
        false_alarm_rate: Rate to set the threshold for; None maximises balanced accuracy.
    """

    model: BaselineModel
    seed: int = 0
    class_weights: bool = True
    crop: Literal["square", "none"] = "square"
    filter: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"
    false_alarm_rate: float | None = None

    def __post_init__(self) -> None:
        """Check the ranges."""
        _ = self.face_crop
        if not 0 <= self.seed < 2**32:
            raise InputError(f"seed: expected 0..{2**32 - 1}, got {self.seed}.")
        if self.false_alarm_rate is not None and not 0 < self.false_alarm_rate < 1:
            raise InputError(
                f"false_alarm_rate: expected between 0 and 1, got {self.false_alarm_rate}."
            )

    @property
    def input_spec(self) -> InputSpec:
        """Return what stands between a file and the pixels."""
        return InputSpec(
            size_px=self.model.size_px,
            crop=self.crop,
            filter=self.filter,
            **self.face_fields,
        )
