"""Keras' own logits of prepared pixels: what an export is measured by."""

import importlib.util
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core import numerics
from kerasfaces.core.errors import MissingExtraError
from kerasfaces.core.imports import import_keras
from kerasfaces.run.folder import DetectorRun

if TYPE_CHECKING:
    from kerasfaces.run.predictor import Predictor


class Reference:
    """A run as evaluation asks it; Keras is imported by the first question."""

    def __init__(self, run: DetectorRun) -> None:
        """Name the run; nothing is loaded."""
        self._run = run
        self._predictor: Predictor | None = None
        self._lock = threading.Lock()

    @staticmethod
    def _missing() -> list[str]:
        """Return which of Keras and its backend are not installed."""
        modules = ("keras", numerics.backend())
        return [name for name in modules if importlib.util.find_spec(name) is None]

    @staticmethod
    def is_here(run: DetectorRun) -> bool:
        """Tell whether Keras, its backend and the trained network are on this machine."""
        return bool(run.learnt_files) and not Reference._missing()

    @staticmethod
    def require(run: DetectorRun) -> None:
        """Refuse to compute a run where Keras or its backend is not installed."""
        missing = Reference._missing()
        if missing:
            raise MissingExtraError(
                f"{run.path} is computed by Keras, and {' and '.join(missing)} cannot be "
                f"imported here; run: pip install {' '.join(missing)}"
            )

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the logits `(n,)` of pixels `(n, *input_spec.shape)` uint8, n at least 1.

        A run on channels has them made of lossless files in a temporary folder.
        """
        return self.outputs(pixels)[0]

    def outputs(
        self, pixels: NDArray[np.uint8], *, embed: bool = False
    ) -> tuple[NDArray[np.float64], NDArray[np.float32] | None]:
        """Return `logits`, and on request the head's final layer `(n, width)`.

        Of a run on channels, and of a baseline, the second is None.
        """
        with self._lock:
            if self._predictor is None:
                import_keras()
                from kerasfaces.run.predictor import Predictor

                self._predictor = Predictor(self._run)
            if self._run.input_spec.get("channel_recipe") is None:
                if embed and self._run.baseline is None:
                    return self._predictor.array_outputs(pixels)
                return self._predictor.array_logits(pixels), None
            with tempfile.TemporaryDirectory() as folder:
                files = [Path(folder) / f"{n}.png" for n in range(len(pixels))]
                for file, picture in zip(files, pixels, strict=True):
                    Image.fromarray(picture).save(file, compress_level=1)
                return self._predictor.logits(files)[0], None
