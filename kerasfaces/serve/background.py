"""What a run's folder knows that an answer needs beside the network."""

import dataclasses
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.files import Json
from kerasfaces.images.limits import Limits
from kerasfaces.run import training_images
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.training_features import TrainingFeatures
from kerasfaces.serve import error_rates
from kerasfaces.serve.contract import Detecting

if TYPE_CHECKING:
    from kerasfaces.serve.answer import Options

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Background:
    """What is known of a run; empty where nothing is.

    Attributes:
        limits: What a picture must have to get a verdict.
        seen: What its training images look like; see `run.training_images`.
        features: Where they lie in the head's final layer; None where that is not known.
        detector: What is asked for answers.
    """

    limits: Limits | None = None
    seen: Json = dataclasses.field(default_factory=dict)
    features: TrainingFeatures | None = None
    detector: Detecting | None = None
    _rates: dict[str, Json] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, detector: Detecting) -> "Background":
        """Read what the folder of a detector knows; one without a folder knows nothing."""
        folder = getattr(detector, "folder", None)
        run = None if folder is None else DetectorRun(folder)
        return cls(
            limits=getattr(detector, "limits", None),
            seen={} if run is None else run.training_images,
            features=None if run is None else _features(run, detector),
            detector=detector,
        )

    def too_little(self, size: tuple[int, int]) -> str:
        """Return why a picture of this width and height gets no verdict, or nothing."""
        return self.limits.reason(size) if self.limits else ""

    def cautions(
        self, data: bytes | None, prepared: Sequence[NDArray[np.uint8]]
    ) -> tuple[str, ...]:
        """Return what lessens trust in a verdict on this file and its prepared regions."""
        sentences = training_images.compressed(self.seen, data) if data else []
        for pixels in prepared:
            sentences += training_images.unlike(self.seen, pixels)
        return tuple(dict.fromkeys(sentences))

    def distances(self, embeddings: NDArray[np.float32] | None) -> tuple[str, ...]:
        """Return which regions, of final layers `(n, width)`, lie far from the training images."""
        if self.features is None or embeddings is None:
            return ()
        every = [self.features.caution(each) for each in embeddings]
        return tuple(dict.fromkeys(filter(None, every)))

    def error_rates(self, options: "Options") -> Json | None:
        """Return how often the rule of some options errs; None where there is no run."""
        folder = getattr(self.detector, "folder", None)
        if self.detector is None or folder is None:
            return None
        rule = error_rates.in_words(options)
        if rule not in self._rates:
            run = DetectorRun(folder)
            self._rates[rule] = error_rates.known(run, self.detector, options)
        return self._rates[rule]


def _features(run: DetectorRun, detector: Detecting) -> TrainingFeatures | None:
    """Return a run's training features where its detector can be compared with them."""
    features = run.training_features
    if features is None:
        return None
    if not getattr(detector, "embeds", False):
        logger.info(
            "%s: this engine does not give the final layer, so that no answer says how far a "
            "picture is from the training images; export the run again (kerasfaces export)",
            run.path,
        )
        return None
    return features
