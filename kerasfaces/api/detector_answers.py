"""What a `Detector` says of images: verdicts, probabilities, logits."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.api.detector_training import TrainedDetector
from kerasfaces.api.inputs import Images, as_sources
from kerasfaces.core.progress import progress

if TYPE_CHECKING:
    from kerasfaces.serve.exported import ExportedDetector


class AnsweringDetector(TrainedDetector):
    """The methods of `Detector` that judge images."""

    def predict(
        self,
        images: Images,
        *,
        faces: Literal["image", "largest", "each"] = "image",
        stability: bool = True,
        provenance: bool = True,
        quick: bool = False,
        engine: str = "keras",
    ) -> pd.DataFrame:
        """Return the whole answer to each image, as `kerasfaces predict --csv` does.

        Args:
            images: A path, a folder, a PIL image or a uint8 array `(h, w, 3)` in sRGB, or
                several of them.
            faces: What is judged: the whole picture, its largest face, or each face, of
                which one fake makes the picture fake.
            stability: Judge six laundered versions, too; a verdict that flips is `unsure`.
            provenance: Read what a file says of its origin.
            quick: The verdict alone: neither of these, and no faces are looked for.
            engine: `keras`, or the run's export (made on first use): `onnxruntime`,
                `openvino`, or `auto`, the first that can be had.

        Returns:
            One row per image: `path` (or `<image 0>`), `verdict` (`real`, `fake`, `unsure`
            inside the band that validation found unsure or where laundering flips it, ""
            where there is none), `score` (calibrated probability of fake), `logit`,
            `reason` where there is no verdict, and the other columns of
            `kerasfaces.serve.answers_file`.

        Raises:
            InputError: Something is no image, or the detector is not trained.
        """
        from kerasfaces.serve import answers_file
        from kerasfaces.serve.answer import Options, answer_all

        options = Options.quick(faces)
        if not quick:
            options = Options(faces=faces, stability=stability, provenance=provenance)
        sources = as_sources(images)
        with progress(len(sources), "scoring") as advance:
            rows = []
            for answer in answer_all(sources, self._engine(engine), options):
                rows.append(answers_file.row(answer))
                advance(1)
        table = pd.DataFrame(rows, columns=list(answers_file.COLUMNS), dtype=object)
        numbers = ("score", "logit")
        return table.astype(dict.fromkeys(numbers, np.float64))

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Return `(n, 2)` probabilities of real and fake; NaN where unreadable.

        Args:
            images: See `predict`.
        """
        scores = self.predict(images, quick=True)["score"].to_numpy(dtype=np.float64)
        return np.stack([1 - scores, scores], axis=1)

    def decision_function(self, images: Images) -> NDArray[np.float64]:
        """Return `(n,)` logits, larger for fake; NaN where unreadable.

        Args:
            images: See `predict`.
        """
        return self.predict(images, quick=True)["logit"].to_numpy(dtype=np.float64)

    def _engine(self, name: str) -> ExportedDetector:
        """Return what computes, loaded once."""
        from kerasfaces.serve.exported import ExportedDetector

        if name not in self._engines:
            self._engines[name] = ExportedDetector.open(self.folder, engine=name)
        return self._engines[name]

    @cached_property
    def _engines(self) -> dict[str, ExportedDetector]:
        """What computes, by name, as far as it was asked for."""
        return {}
