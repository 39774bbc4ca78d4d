"""What a detector of fakes is shown of a picture: all of it, or a face."""

import dataclasses
from typing import Literal

from PIL import Image

from kerasfaces.core.files import Json
from kerasfaces.faces import crops
from kerasfaces.faces.crops import FaceCrop


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceInput:
    """Fields of configurations and of a run's input specification.

    Attributes:
        faces: `none` shows whole pictures; `largest` cuts the largest face out of each;
            `cut` says that files are such crops already, as `crop_faces` wrote them, and
            that other pictures have to be cut likewise.
        face_margin: Room on each side of a face's box, in units of its longer side, 0..4.
        face_align: Whether the picture is turned so that both eyes are level.
        face_size_px: Side of a crop in pixels; 0 leaves it as large as it is cut.
    """

    faces: Literal["none", "largest", "cut"] = "none"
    face_margin: float = 0.3
    face_align: bool = False
    face_size_px: int = 0

    @property
    def face_crop(self) -> FaceCrop | None:
        """How faces are cut out; None for whole pictures.

        Raises:
            InputError: A number out of range.
        """
        if self.faces == "none":
            return None
        return FaceCrop(
            margin=self.face_margin, align=self.face_align, size_px=self.face_size_px
        )

    @property
    def face_fields(self) -> Json:
        """These fields alone, for another dataclass that has them."""
        fields = dataclasses.fields(FaceInput)
        return {field.name: getattr(self, field.name) for field in fields}

    def shown(self, image: Image.Image) -> Image.Image:
        """Return what is shown of a picture: its largest face where the policy says so.

        Raises:
            ImageError: It has no face.
            MissingExtraError: No runtime for the detector of faces is installed.
        """
        if self.faces != "largest" or self.face_crop is None:
            return image
        return crops.cut(image, crops.largest(image), self.face_crop)


def fields_of(crop: FaceCrop) -> Json:
    """Return the fields of `FaceInput` for files that were cut so already."""
    own = {"margin": crop.margin, "align": crop.align, "size_px": crop.size_px}
    return {"faces": "cut", **{f"face_{name}": value for name, value in own.items()}}
