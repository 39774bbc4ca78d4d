"""An answer, what may belong to it, and what it asks of a detector."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.files import Json
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.serve.face_policy import FaceAnswer, Policy

Verdict = Literal["real", "fake", "unsure", "unreadable"]
Pixels = NDArray[np.uint8]


class Detecting(Protocol):
    """A detector that is asked for answers; `serve.exported` has one."""

    @property
    def name(self) -> str:
        """The run's name."""

    @property
    def version(self) -> str:
        """What tells this detector from others of that name."""

    @property
    def engine(self) -> str:
        """What computes: openvino, onnxruntime or keras."""

    @property
    def operating_point(self) -> OperatingPoint:
        """Calibrator, threshold and abstain band."""

    def prepare(self, image: Image.Image) -> Pixels:
        """Return an upright sRGB picture as the network sees it, `(h, w, 3)` uint8."""

    def logits(self, pixels: Pixels) -> NDArray[np.float64]:
        """Return logits `(n,)` of prepared pictures `(n, h, w, 3)`."""

    def decide(self, logits: NDArray[np.float64]) -> list[str]:
        """Return `real`, `fake` or `unsure` for each of the logits `(n,)`."""


def facts_of(detector: Detecting) -> dict[str, str]:
    """Return what an answer says of its detector."""
    return {name: getattr(detector, name) for name in ("name", "version", "engine")}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """What belongs to an answer.

    Attributes:
        faces: What is judged: the whole picture, its largest face, or each face.
        find_faces: Look for faces although the whole picture is judged.
        stability: Judge laundered versions, too; a verdict that flips is `unsure`.
        provenance: Read what the file says of its origin.
        warnings: Compare the picture with what training saw.
        trust: Certificates (PEM) of signers that count as trusted; None trusts nobody.
    """

    faces: Policy = "image"
    find_faces: bool = True
    stability: bool = True
    provenance: bool = True
    warnings: bool = True
    trust: str | None = None

    @classmethod
    def quick(cls, faces: Policy = "image") -> "Options":
        """Return the options of a verdict alone."""
        return cls(
            faces=faces,
            find_faces=False,
            stability=False,
            provenance=False,
            warnings=False,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """Everything that is said of one picture.

    Attributes:
        name: The file's path, or `<image 0>` by its position.
        sha256: Of the file; empty where the picture is no file.
        width_px: Of the upright picture; None where it cannot be read.
        height_px: Likewise.
        verdict: `unreadable` where there is none.
        score: Probability of fake, 0..1; NaN where there is none.
        logit: The network's answer, larger for fake; NaN where there is none.
        reason: Why there is no verdict; empty where there is one.
        doubt: Why the verdict is `unsure`; empty where it is not.
        judged: What the score is of, in words.
        provenance: What the file says of its origin; None where nobody looked.
        faces: Those found, largest first; None where nobody looked.
        warnings: Sentences that say what lessens trust in the verdict.
        stability: Verdicts of laundered versions; None where not tried.
        error_rates: How often the rule that made the verdict errs; see `error_rates`.
        detector: Name, version and engine of the detector.
    """

    name: str
    sha256: str = ""
    width_px: int | None = None
    height_px: int | None = None
    verdict: Verdict = "unreadable"
    score: float = np.nan
    logit: float = np.nan
    reason: str = ""
    doubt: str = ""
    judged: str = ""
    provenance: Json | None = None
    faces: tuple[FaceAnswer, ...] | None = None
    warnings: tuple[str, ...] = ()
    stability: Json | None = None
    error_rates: Json | None = None
    detector: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> Json:
        """Return JSON types; a number that is not there is None."""
        value = dict(vars(self))
        for name in ("score", "logit"):
            value[name] = float(value[name]) if np.isfinite(value[name]) else None
        if self.faces is not None:
            value["faces"] = [face.to_dict() for face in self.faces]
        return value | {
            "warnings": list(self.warnings),
            "detector": dict(self.detector),
        }
