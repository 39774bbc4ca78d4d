"""What of a picture is judged: all of it, its largest face, or each of its faces."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import Json
from kerasfaces.faces.crops import NO_FACE, FaceCrop, cut
from kerasfaces.faces.face import Box, Face, Points
from kerasfaces.faces.policy import FaceInput

Policy = Literal["image", "largest", "each"]
POLICIES: tuple[Policy, ...] = ("image", "largest", "each")
SMALL_PX = 64  # a face below it has too few pixels to show traces
MARGIN = 0.3  # of a face's box, on each side of a crop
VERSION = 2  # raise whenever the regions change


Finder = Callable[[NDArray[np.uint8]], Sequence[Face]]
Look = Callable[[Image.Image], "tuple[tuple[FaceAnswer, ...] | None, tuple[str, ...]]"]


@dataclasses.dataclass(frozen=True)
class FaceAnswer:
    """A face, and what the detector says of it where it was judged by itself.

    Attributes:
        box: Left, top, right and bottom edge, px of the upright picture.
        face_score: How sure the detector of faces is that this is one, 0..1.
        score: Probability of fake, 0..1; None where not judged.
        logit: Likewise.
        verdict: `real`, `fake` or `unsure`; empty where not judged.
        landmarks: See `kerasfaces.faces.Face`; None where the detector has none.
    """

    box: Box
    face_score: float
    score: float | None = None
    logit: float | None = None
    verdict: str = ""
    landmarks: Points | None = None

    @property
    def size_px(self) -> int:
        """The shorter side."""
        left, top, right, bottom = self.box
        return round(min(right - left, bottom - top))

    def to_dict(self) -> Json:
        """Return JSON types."""
        values = dataclasses.asdict(self)
        box = [round(edge, 1) for edge in self.box]
        values |= {"box": box, "size_px": self.size_px}
        if not self.landmarks:
            return values
        points = [[round(x, 1), round(y, 1)] for x, y in self.landmarks]
        return values | {"landmarks": points}


@dataclasses.dataclass(frozen=True)
class Choice:
    """What is judged of a picture."""

    regions: list[Image.Image]
    judged: str
    warnings: tuple[str, ...] = ()

    def large_enough(self, too_little: Callable[[tuple[int, int]], str]) -> "Choice":
        """Return the choice without the faces from the first that is too small on.

        `too_little`: size of a crop -> why it cannot be judged, or nothing.

        Raises:
            ImageError: The largest is too small.
        """
        whys = [too_little(region.size) for region in self.regions]
        n = next((at for at, why in enumerate(whys) if why), len(whys))
        if not n:
            raise ImageError(f"the largest face is {whys[0]}")
        if n == len(whys):
            return self
        left_out = f"{len(whys) - n} of {len(whys)} faces not judged: {whys[n]}"
        return dataclasses.replace(
            self, regions=self.regions[:n], warnings=(*self.warnings, left_out)
        )


def finder(policy: Policy, wanted: bool, find: Finder | None) -> Look:
    """Return what looks for faces; without a detector of faces it says so or finds None."""
    if policy not in POLICIES:
        raise InputError(f"faces: expected {', '.join(POLICIES)}, got {policy!r}.")
    if policy == "image" and not wanted:
        return lambda image: (None, ())
    if find is None:
        from kerasfaces import faces

        find = faces.detect if faces.is_available() else None
    if find is None:
        if policy != "image":
            raise InputError(
                f"`faces={policy!r}` needs ONNX Runtime or OpenVINO, which find the faces; run: pip "
                "install onnxruntime, or judge whole pictures with `faces='image'`."
            )
        return lambda image: (None, ())
    return functools.partial(_look, find)


def _look(
    find: Finder, image: Image.Image
) -> tuple[tuple[FaceAnswer, ...], tuple[str, ...]]:
    faces = [
        FaceAnswer(face.box, face.score, landmarks=face.landmarks)
        for face in find(np.asarray(image))
    ]
    faces.sort(key=lambda face: face.size_px, reverse=True)
    if not faces:
        return (), ("no face was found: the detector learnt faces only",)
    if faces[0].size_px < SMALL_PX:
        return tuple(faces), (
            f"the largest face is {faces[0].size_px} px, below {SMALL_PX} px: too few "
            "pixels to show much",
        )
    return tuple(faces), ()


def of_run(policy: Policy, detector: object) -> Policy:
    """Return what a detector judges: one of face crops is never shown a whole picture."""
    return "largest" if policy == "image" and trained_on(detector) else policy


def trained_on(detector: object) -> FaceCrop | None:
    """Return how a detector's training faces were cut out; None: whole pictures."""
    spec = getattr(detector, "input_spec", None)
    return spec.face_crop if isinstance(spec, FaceInput) else None


def cut_by(detector: object) -> str:
    """Return how a detector's training images were cut: `none`, `largest` or `cut`."""
    spec = getattr(detector, "input_spec", None)
    return spec.faces if isinstance(spec, FaceInput) else "none"


def of_files(detector: object) -> Policy:
    """Return what a run's own predictions judge of a file: crops are judged whole."""
    return "largest" if cut_by(detector) == "largest" else "image"


def choose(
    policy: Policy,
    image: Image.Image,
    faces: Sequence[FaceAnswer] | None,
    trained: FaceCrop | None = None,
) -> Choice:
    """Return the parts of an upright RGB picture that a policy judges; else the whole.

    `faces` are those found, the largest first; they are cut out as those that the detector
    was trained on (`trained_on`).

    Raises:
        ImageError: It was trained on faces, and there is none.
    """
    if policy == "image":
        return Choice([image], "the whole picture")
    if not faces:
        if trained:
            raise ImageError(NO_FACE)
        want = "the whole picture was judged, for want of a face"
        return Choice([image], "the whole picture", (want,))
    chosen = faces[:1] if policy == "largest" else faces
    crops = [cut(image, face, trained or FaceCrop(margin=MARGIN)) for face in chosen]
    if policy == "largest":
        return Choice(crops, "the largest face")
    words = "the one face" if len(crops) == 1 else f"each of {len(crops)} faces"
    return Choice(crops, f"{words}; one fake makes the picture fake")


def combined(verdicts: Sequence[str]) -> Literal["real", "fake", "unsure"]:
    """Return a picture's verdict, given its parts': fake if one is, real if all are."""
    if "fake" in verdicts:
        return "fake"
    return "unsure" if "unsure" in verdicts else "real"


def scored(
    policy: Policy,
    faces: tuple[FaceAnswer, ...] | None,
    logits: NDArray[np.float64],
    scores: NDArray[np.float64],
    verdicts: Sequence[str],
) -> tuple[FaceAnswer, ...] | None:
    """Return the faces, those that were judged with what was said of them."""
    if policy == "image" or not faces:
        return faces
    said = zip(faces, logits.tolist(), scores.tolist(), verdicts, strict=False)
    judged = [
        dataclasses.replace(face, logit=logit, score=score, verdict=verdict)
        for face, logit, score, verdict in said
    ]
    return (*judged, *faces[len(judged) :])
