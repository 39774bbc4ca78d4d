"""Grad-CAM of one picture for its page, with what says whether to believe it."""

import dataclasses
import tempfile
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.core.files import Json
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


@dataclasses.dataclass(frozen=True)
class EvidenceMap:
    """A map, or why there is none.

    Attributes:
        overlay: The map over its picture.
        row: What `explain` measured of it; see `explanations.csv`.
        reason: Why there is no map.
    """

    overlay: Image.Image | None = None
    row: Json = dataclasses.field(default_factory=dict)
    reason: str = ""

    @property
    def trust(self) -> str:
        """In words, whether the map can be believed."""
        return trust_section.line(self.row)

    def section(self) -> Section:
        """Return it as a part of a page."""
        if self.overlay is None:
            return Section(TITLE, markup.paragraph(f"No map: {self.reason}"))
        body: Markup = markup.figure(
            inline(self.overlay, "map over the picture", picture.SIDE_PX),
            f"Grad-CAM of what the network sees: orange speaks for fake, blue for real. {_LIMITS}",
        )
        return Section(TITLE, markup.paragraph(self.trust) + body)


def map_of(run: DetectorRun, file: Path) -> EvidenceMap:
    """Return the map of a picture; why there is none where Keras or the method cannot."""
    if not Reference.is_here(run):
        return EvidenceMap(reason="Keras is not installed here, which makes it.")
    from kerasfaces.explain.run import explain

    with tempfile.TemporaryDirectory(prefix="kerasfaces-") as folder:
        try:
            table = explain(
                run.path,
                Selection(files=[file]),
                Path(folder),
                Settings(method="gradcam"),
            )
        except KerasfacesError as error:
            return EvidenceMap(reason=str(error))
        row = {str(key): value for key, value in table.iloc[0].items()}
        drawn = next(Path(folder).rglob("*.png"))
        with Image.open(drawn) as overlay:
            return EvidenceMap(overlay=overlay.convert("RGB"), row=row)
