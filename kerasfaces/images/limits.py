"""Which pictures are too little to judge: limits from what training saw."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Self

import numpy as np

SMALLEST_PX = 8  # below this shorter side no picture is judged, whatever training saw
NO_VERDICT = "to judge: "  # in the reason of every picture that is beyond the limits
_WIDEST = 3.0  # times as long as wide: judged, however square the training images are
_TAIL_PCT = 5  # share of training images left out at either end: they may be accidents
_MARGIN = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """What a picture must have to get a verdict."""

    short_side_px: int  # at least
    aspect: float  # ratio of longer to shorter side, at most

    @classmethod
    def of(cls, sizes: Sequence[tuple[int, int]], size_px: int) -> Self:
        """Return the limits that training images set, given their widths and heights in px.

        The least shorter side is half of the training images' 5th percentile, which counts
        as no more than what the model sees of it (`size_px`), and at least `SMALLEST_PX`:
        a smaller picture would be enlarged more than twice as much as those learnt from.
        The largest aspect is twice their 95th percentile, and at least 3. Training images
        below `SMALLEST_PX` do not count, unless all are.
        """
        sides = np.sort(np.array(sizes, dtype=np.int64), axis=1)
        if (usable := sides[:, 0] >= SMALLEST_PX).any():
            sides = sides[usable]
        short = np.percentile(sides[:, 0], _TAIL_PCT, method="lower")
        aspects = sides[:, 1] / sides[:, 0]
        aspect = np.percentile(aspects, 100 - _TAIL_PCT, method="higher")
        least = math.ceil(min(int(short), size_px) / _MARGIN)
        return cls(
            short_side_px=max(SMALLEST_PX, least),
            aspect=max(_WIDEST, round(_MARGIN * float(aspect), 3)),
        )

    def reason(self, size: tuple[int, int]) -> str:
        """Return why a picture of this size gets no verdict; empty where it does."""
        width, height = size
        short, long = sorted(size)
        if short < self.short_side_px:
            return (
                f"too small {NO_VERDICT}{width}x{height} px, the shorter side must be at least "
                f"{self.short_side_px} px for this detector"
            )
        if long > self.aspect * short:
            return (
                f"too narrow {NO_VERDICT}{width}x{height} px, the longer side must be at most "
                f"{self.aspect:g} times the shorter for this detector"
            )
        return ""
