"""Does a verdict survive what happens to pictures on their way? Six launderings say.

A picture larger than `LARGEST_PX` is reduced to that first, as websites do.
"""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import ImageError
from kerasfaces.core.files import Json
from kerasfaces.images import launderings

LARGEST_PX = 1600  # longer side of what is laundered
VERSION = 1  # raise whenever what is tried changes
TRIALS = (
    ("JPEG 80", "jpeg", 80.0),
    ("JPEG 60", "jpeg", 60.0),
    ("WebP 70", "webp", 70.0),
    ("half the size", "resize", 0.5),
    ("a screenshot", "screenshot", 0.81),
    ("a slight crop", "crop", 0.95),
)


@dataclasses.dataclass
class Trials:
    """Names of a picture's laundered versions, and of those that do not exist, with why."""

    names: list[str] = dataclasses.field(default_factory=list)
    skipped: dict[str, str] = dataclasses.field(default_factory=dict)

    def result(
        self, verdict: str, verdicts: Sequence[str], logits: NDArray[np.float64]
    ) -> Json:
        """Return what the versions say, in JSON types, given their verdicts and logits `(n,)`.

        A version flips the verdict where it is real and was fake, or the reverse; one that
        becomes `unsure` does not.
        """
        flipped = [
            name
            for name, other in zip(self.names, verdicts, strict=True)
            if {verdict, other} == {"real", "fake"}
        ]
        return {
            "n": len(self.names),
            "n_same": sum(other == verdict for other in verdicts),
            "flipped": flipped,
            "versions": [
                {"name": name, "verdict": other, "logit": float(logit)}
                for name, other, logit in zip(self.names, verdicts, logits, strict=True)
            ],
            "skipped": self.skipped,
        }


def versions(
    image: Image.Image, key: str, too_little: Callable[[tuple[int, int]], str]
) -> tuple[Trials, list[Image.Image]]:
    """Return the laundered versions of an upright sRGB picture of any size, and their names.

    `key`, e.g. the file's SHA-256, decides where the crop is; a version whose size
    `too_little` gives a reason for is skipped.
    """
    longer = max(image.size)
    if longer > LARGEST_PX:
        width, height = (
            max(1, round(side * LARGEST_PX / longer)) for side in image.size
        )
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    pixels, trials, images = np.asarray(image), Trials(), []
    for name, laundering, strength in TRIALS:
        try:
            changed = launderings.get(laundering).apply(pixels, strength, key)
            if why := too_little((changed.shape[1], changed.shape[0])):
                raise ImageError(why)
        except ImageError as error:
            trials.skipped[name] = str(error)
            continue
        trials.names.append(name)
        images.append(Image.fromarray(changed))
    return trials, images
