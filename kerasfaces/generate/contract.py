"""What a file in `kinds/` defines.

- `Options`: a frozen keyword-only dataclass, the kind's own settings.
- `name(options)`: the generator's name, which becomes the fakes' `source`.
- `build(options)`: a `Generator`; heavy imports happen here.
- `ALIGNED = False` where a fake is not its photo pixel by pixel.
- `PAIRED = False` where a fake does not even show what the photo shows: its row has neither
  pair nor identity nor attributes.
- `UNCLAIMED`: names of settings with which a run may be continued at other values.

A generator may have more: `use_folder(folder)`, called before all else; `train(files)`, called
once in the first process; `before(n)` and `after()`, which say what it costs.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import InputError

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Generator(Protocol):
    """Makes a fake of a real picture.

    Attributes:
        stride_px: Sides of pictures must be multiples of it.
        recipe: What decides its pixels, by JSON types: hashes of weights, the engine.
    """

    stride_px: int
    recipe: dict[str, object]

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return the fake of a real picture.

        Args:
            real: `(h, w, 3)` uint8 sRGB.
            random: For everything that is drawn; the same state gives the same fake.

        Returns:
            `(h, w, 3)` float32 sRGB, 0 to 255 where the generator stays in range.
        """


def check_ranges(
    settings: object,
    limits: Mapping[str, tuple[float, float]],
    prefix: str = "options.",
) -> None:
    """Refuse a setting that is not within its limits.

    Raises:
        InputError: The message names the first one, after `prefix`.
    """
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise InputError(
                f"{prefix}{name}: expected {low:,} to {high:,}, got {value}."
            )
