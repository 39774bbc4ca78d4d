"""Grad-CAM of one picture for its page, with what says whether to believe it."""

import csv
import dataclasses
import tempfile
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.core.files import Json
from kerasfaces.explain import checks, picture
from kerasfaces.explain.contract import Settings
from kerasfaces.explain.selection import Selection
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, number
from kerasfaces.run.folder import DetectorRun, Explanation
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
        """In one sentence, whether the map can be believed."""
        correlation = float(self.row["sanity_correlation"] or "nan")
        beaten, gain = (
            int(self.row["random_orders_beaten"]),
            float(self.row["deletion_gain"]),
        )
        text = (
            f"Blurring what it marks moves the logit more than {beaten} of {checks.ORDERS} random "
            f"orders (gain {gain:+.2f} logits); rank correlation with the map of a re-drawn head "
            f"{number(correlation, 2)} (0: it depends on what was learnt, 1: it shows the picture "
            "alone)."
        )
        doubtful = beaten < checks.ORDERS or checks.is_flagged(correlation)
        return ("Do not rely on this map. " if doubtful else "") + text

    def section(self) -> Section:
        """Return it as a part of a page."""
        if self.overlay is None:
            return Section(TITLE, markup.paragraph(f"No map: {self.reason}"))
        body: Markup = markup.figure(
            picture.inline(self.overlay, "map over the picture"),
            f"Grad-CAM of the whole picture: orange speaks for fake, blue for real. {_LIMITS}",
        )
        return Section(TITLE, markup.paragraph(self.trust) + body)


def map_of(run: DetectorRun, file: Path) -> EvidenceMap:
    """Return the map of a picture; why there is none where Keras or the method cannot."""
    if not Reference.is_here(run):
        return EvidenceMap(reason="Keras is not installed here, which makes it.")
    from kerasfaces.explain.run import explain

    with tempfile.TemporaryDirectory(prefix="kerasfaces-") as folder:
        try:
            explain(
                run.path,
                Selection(files=[file]),
                Path(folder),
                Settings(method="gradcam"),
            )
        except KerasfacesError as error:
            return EvidenceMap(reason=str(error))
        explanation = Explanation(Path(folder))
        with explanation.table_file.open(encoding="utf-8", newline="") as table:
            row = next(iter(csv.DictReader(table)))
        drawn = next(Path(folder).rglob("*.png"))
        with Image.open(drawn) as overlay:
            return EvidenceMap(overlay=overlay.convert("RGB"), row=row)
