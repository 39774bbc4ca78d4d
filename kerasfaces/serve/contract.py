"""What an answer asks of a detector."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.run.operating_point import OperatingPoint

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
