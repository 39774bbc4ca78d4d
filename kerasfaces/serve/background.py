"""What a run's folder knows that an answer needs beside the network."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.files import Json
from kerasfaces.images.limits import Limits
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import error_rates
from kerasfaces.serve.contract import Detecting

if TYPE_CHECKING:
    from kerasfaces.serve.answer import Options


@dataclasses.dataclass(frozen=True, kw_only=True)
class Background:
    """Limits, what training saw, and error rates; each is empty where nothing is known."""

    limits: Limits | None = None
    rates: Json | None = None

    @classmethod
    def of(cls, detector: Detecting, options: "Options") -> "Background":
        """Read what the folder of a detector knows; one without a folder knows nothing.

        Raises:
            RunError: A file is damaged.
        """
        folder = getattr(detector, "folder", None)
        limits = getattr(detector, "limits", None)
        if folder is None:
            return cls(limits=limits)
        run = DetectorRun(folder)
        return cls(limits=limits, rates=error_rates.known(run, detector, options))

    def too_little(self, size: tuple[int, int]) -> str:
        """Return why a picture of this width and height gets no verdict, or nothing."""
        return self.limits.reason(size) if self.limits else ""

    def cautions(
        self, data: bytes | None, prepared: Sequence[NDArray[np.uint8]]
    ) -> tuple[str, ...]:
        """Return what lessens trust in a verdict on this file and its prepared regions."""
        return ()
