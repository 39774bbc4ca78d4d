"""Pictures -> the training images that are most like them to a detector.

Likeness is nearness in the head's final layer: what the detector goes by, not who is shown.
Two photos of one person can be far apart, and two strangers by one camera near.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import Json
from kerasfaces.run import image_counts
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.training_features import TrainingFeatures
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.pictures import Named

COUNT = 5  # neighbours of a picture
COLUMNS = (
    "image",
    "rank",
    "path",
    "sha256",
    "label",
    "source",
    "distance",
    "percentile",
    "reason",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Neighbour:
    """A training image near a picture.

    Attributes:
        label: `real` or `fake`.
        source: Where it came from; empty where that is unknown.
        distance: In the head's final layer.
        percentile: Share of validation images that lie nearer to their own nearest
            training image, in per cent.
        sha256: Of its file; empty where hashes were taken out, as of published runs.
        file: Where it lies; None where it is not on this machine.
    """

    label: str
    source: str
    distance: float
    percentile: float
    sha256: str = ""
    file: Path | None = None

    @property
    def name(self) -> str:
        """Its path, or its hash, or that it has neither."""
        return name_of(self.sha256, self.file)


def name_of(sha256: str, file: Path | None) -> str:
    """Return a training image's path, or its hash, or that it has neither."""
    if file is not None:
        return str(file)
    return f"sha256 {sha256[:12]}…" if sha256 else "(published unnamed)"


class TrainingImages:
    """The training images of a run, to be searched; `features` say where they lie."""

    def __init__(self, run: DetectorRun) -> None:
        """Read a run's training features; InputError where it has none, RunError if damaged."""
        self._run = run
        self.features = required(run)
        self._files: dict[str, Path] | None = None

    def near(
        self, embeddings: NDArray[np.floating], count: int = COUNT
    ) -> list[list[Neighbour]]:
        """Return the nearest training images of final layers `(n, width)`, nearest first.

        Raises:
            InputError: `count` is less than 1, or the layer is another network's.
        """
        if count < 1:
            raise InputError(f"`count`: expected at least 1, got {count}.")
        if embeddings.shape[1:] != (self.features.width,):
            raise InputError(
                f"{self._run.path}: its network gives {embeddings.shape[-1]} numbers and its "
                f"training features are of {self.features.width}: they are of another "
                "training; train the run again."
            )
        vectors = self.features.project(embeddings)
        positions, distances = self.features.nearest(vectors, count)
        percentiles = self.features.percentile(distances)
        return [
            [self._one(*each) for each in zip(*row, strict=True)]
            for row in zip(positions, distances, percentiles, strict=True)
        ]

    def _one(self, position: int, distance: float, percentile: float) -> Neighbour:
        features = self.features
        digest = ""
        if len(features.hashes):
            digest = features.hashes[position].tobytes().hex()
        return Neighbour(
            label="fake" if features.fake[position] else "real",
            source=features.sources[features.source[position]],
            distance=float(distance),
            percentile=float(percentile),
            sha256=digest,
            file=self.files.get(digest),
        )

    @property
    def files(self) -> dict[str, Path]:
        """The run's training images that lie on this machine, by SHA-256."""
        if self._files is None:
            self._files = _files(self._run) if len(self.features.hashes) else {}
        return self._files

    @property
    def labels(self) -> dict[str, str]:
        """`real` or `fake` of the training images, by SHA-256; empty of published runs."""
        if not len(self.features.hashes):
            return {}
        return {
            digest.tobytes().hex(): "fake" if fake else "real"
            for digest, fake in zip(
                self.features.hashes, self.features.fake, strict=True
            )
        }


def required(run: DetectorRun) -> TrainingFeatures:
    """Return a run's training features.

    Raises:
        InputError: It has none; the message says why.
    """
    features = run.training_features
    if features is not None:
        return features
    why = "an older version trained it, or they were left out when it was published"
    if run.baseline is not None:
        why = f"{run.baseline.model.name} is no network"
    elif run.input_spec.get("channel_recipe") is not None:
        why = "it judges channels, and only runs on pixels keep them"
    raise InputError(
        f"{run.path} keeps no training features ({why}), so that nothing can be compared "
        "with its training images; train a network on pixels with this version."
    )


class Search:
    """A detector and its training images."""

    def __init__(self, run: DetectorRun, engine: str = "auto") -> None:
        """Open a run; see `required` and `ExportedDetector.open`."""
        self.images = TrainingImages(run)
        self._detector = ExportedDetector.open(run.path, engine=engine)
        require_embeddings(self._detector)

    def near(
        self, sources: Sequence[Named], count: int = COUNT
    ) -> list[tuple[list[Neighbour], str]]:
        """Return each picture's nearest training images, or why there are none."""
        results = []
        for named in sources:
            try:
                image = named.image()
                if why := self._detector.refusal(image.size):
                    raise ImageError(why)
                near = nearest_to(image, self._detector, self.images, count)
                results.append((near, ""))
            except ImageError as error:
                results.append(([], str(error)))
        return results


def nearest_to(
    image: Image.Image,
    detector: ExportedDetector,
    among: TrainingImages,
    count: int = COUNT,
) -> list[Neighbour]:
    """Return the training images nearest to an upright sRGB picture.

    Raises:
        ImageError: It is no picture.
    """
    _, embedding = detector.outputs(detector.prepare(image)[None])
    if embedding is None or not np.isfinite(embedding).all():
        raise ImageError("the detector gives no finite final layer")
    return among.near(embedding, count)[0]


def require_embeddings(detector: ExportedDetector) -> None:
    """Refuse a detector whose export lacks the final layer.

    Raises:
        InputError: It lacks it.
    """
    if not detector.embeds:
        raise InputError(
            f"{detector.folder}: its export does not give the final layer; export it again "
            "with this version (kerasfaces export RUN --format onnx)."
        )


def row(name: str, rank: int, neighbour: Neighbour) -> Json:
    """Return a neighbour as a row of a table."""
    return {
        "image": name,
        "rank": rank,
        "path": "" if neighbour.file is None else str(neighbour.file),
        "sha256": neighbour.sha256,
        "label": neighbour.label,
        "source": neighbour.source,
        "distance": neighbour.distance,
        "percentile": neighbour.percentile,
        "reason": "",
    }


def _files(run: DetectorRun) -> dict[str, Path]:
    """Return the training images of a run's manifest that are here, by SHA-256."""
    from kerasfaces.dataset import file_facts

    if not run.manifest_file.is_file():
        return {}
    paths = image_counts.paths_of(run.manifest_file, "train")
    files = [path for path in paths if path.is_file()]
    keys, _ = file_facts.keys_of(files)
    return {key: file for key, file in zip(keys, files, strict=True) if key}
