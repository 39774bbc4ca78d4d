"""Grad-CAM of one picture for its page, with what says whether to believe it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.explain import picture, trust_section
from kerasfaces.explain.contract import Settings
from kerasfaces.explain.selection import Selection
from kerasfaces.report import markup
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.reference import Reference

TITLE = "Where the score comes from"
_LIMITS = (
    "A map says which places moved this detector's logit; not where a picture was altered, and "
    "not that the verdict is right."
)


def without(reason: str) -> Section:
    """Return the section that says why there is no map."""
    return Section(TITLE, markup.paragraph(f"No map: {reason}"))


def of(run: DetectorRun, file: Path) -> Section:
    """Return the map of a picture; why there is none where Keras or the method cannot."""
    if not Reference.is_here(run):
        return without("Keras is not installed here, which makes it.")
    from kerasfaces.explain.run import explain

    with tempfile.TemporaryDirectory(prefix="kerasfaces-") as folder:
        chosen, settings = Selection(files=[file]), Settings(method="gradcam")
        try:
            table = explain(run.path, chosen, Path(folder), settings)
        except KerasfacesError as error:
            return without(str(error))
        drawn = next(Path(folder).rglob("*.png"))
        with Image.open(drawn) as overlay:
            return drawn_as(overlay.convert("RGB"), dict(table.iloc[0]))


def drawn_as(overlay: Image.Image, row: Mapping[Any, Any]) -> Section:
    """Return a map over its picture, given the map's row of explanations.csv."""
    figure = markup.figure(
        inline(overlay, "map over the picture", picture.SIDE_PX),
        f"Grad-CAM of what the network sees: orange speaks for fake, blue for real. {_LIMITS}",
    )
    return Section(TITLE, markup.paragraph(trust_section.line(row)) + figure)
