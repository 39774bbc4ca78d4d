"""The training images nearest to a picture, as a part of its evidence report."""

from pathlib import Path

from markupsafe import Markup

from kerasfaces import images
from kerasfaces.core.errors import ImageError, KerasfacesError
from kerasfaces.report import markup
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.similar import (
    Neighbour,
    TrainingImages,
    nearest_to,
    require_embeddings,
)

TITLE = "Nearest training images"
_SIDE_PX = 96
_MEANING = (
    "Nearest in the layer by which the detector decides: what it goes by, not who is shown. "
    "`Validation nearer` is the share of validation images that are nearer to their own nearest "
    "training image."
)


def without(reason: str = "Not looked up.") -> Section:
    """Return the section that says why no training images are shown."""
    return Section(TITLE, markup.paragraph(reason))


class Among:
    """A run's training images, looked up where they are known."""

    def __init__(self, run: DetectorRun, detector: ExportedDetector) -> None:
        """Read what the run keeps; why nothing can be compared is told on each page."""
        self._detector, self._reason = detector, ""
        try:
            self._images = TrainingImages(run)
            require_embeddings(detector)
        except KerasfacesError as error:
            self._reason = str(error)

    def near(self, file: Path) -> Section:
        """Return the nearest training images of a picture, or why they are not known."""
        if self._reason:
            return without(self._reason)
        try:
            near = nearest_to(images.load(file), self._detector, self._images)
        except ImageError as error:
            return without(f"Not known: {error}.")
        header = ["", "Label", "Source", "Distance", "Validation nearer", "Image"]
        rows = [
            (
                _thumbnail(each),
                each.label,
                each.source,
                f"{each.distance:.2f}",
                f"{each.percentile:.0f} %",
                "/".join(each.file.parts[-2:]) if each.file else each.name,
            )
            for each in near
        ]
        caption = "Training images, the nearest first"
        table = markup.table(caption, header, rows, numeric=False)
        return Section(TITLE, markup.paragraph(_MEANING) + table)


def _thumbnail(each: Neighbour) -> Markup:
    if each.file is None:
        return Markup("")
    try:
        small = images.load(each.file)
    except ImageError:
        return Markup("")
    small.thumbnail((_SIDE_PX, _SIDE_PX))
    return inline(small, f"training image, {each.label}", small.width)
