"""What stands between an upright picture and the array that a model sees."""

import dataclasses
from typing import Any, Literal

import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.faces import blazeface
from kerasfaces.faces.policy import FaceInput
from kerasfaces.images import crops

LOADER_VERSION = 3  # raise whenever the pixels made from a file change


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputSpec(FaceInput):
    """Everything that stands between a file and the array a model sees.

    Attributes:
        size_px: Side of the square output.
        crop: `square` cuts the central square first; `none` stretches.
        filter: Pillow's antialiased resampling filter.
        crops: Number of squares that are cut at the picture's own resolution, instead of
            the whole resized (`crops.squares`); 0 is the whole.
    """

    size_px: int = 256
    crop: Literal["square", "none"] = "square"
    filter: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"
    crops: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Return the shape of an array: height, width, colours."""
        return max(1, self.crops) * self.size_px, self.size_px, 3

    def recipe(self) -> dict[str, Any]:
        """Return what decides the pixels, versions included: the cache is named by it."""
        versions: dict[str, Any] = {"loader": LOADER_VERSION, "pillow": PIL.__version__}
        fields = dataclasses.asdict(self)
        if not self.crops:
            del fields["crops"]  # what was cached before there were any stays known
        if self.faces == "largest":
            versions["face_detector"] = blazeface.recipe()
        else:  # likewise; and crops that were cut before are files as others
            fields = {key: fields[key] for key in fields if key not in self.face_fields}
        return {**fields, **versions}


def other_pillow(made_by: Any) -> str:
    """Return in a sentence that the Pillow here is no release of a recipe's series.

    Args:
        made_by: What `InputSpec.recipe` returned when a detector was trained; one that
            names no Pillow is of unknown age, and nothing is said.
    """
    match made_by:
        case {"pillow": str(trained)} if trained:
            series = trained.partition(".")[0]
            if series != PIL.__version__.partition(".")[0]:
                return (
                    f"trained on pictures that Pillow {trained} resized, and Pillow "
                    f"{PIL.__version__} here may make other pixels of the same file; "
                    f"pip install 'pillow=={series}.*' gives the scores that were measured"
                )
    return ""


def to_array(image: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    """Cut and, unless `spec.crops`, resize to `spec.shape` uint8, sRGB.

    Raises:
        ImageError: A face is to be cut out, and there is none.
        MissingExtraError: Likewise, and no runtime finds faces.
    """
    image = spec.shown(image)
    if spec.crops:
        return crops.squares(np.asarray(image), spec.size_px, spec.crops)
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    if spec.crop == "square":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = (left, top, left + side, top + side)
    size = (spec.size_px, spec.size_px)
    method = Image.Resampling[spec.filter.upper()]
    resized = image.resize(size, method, box=box)
    return np.asarray(resized, dtype=np.uint8)
