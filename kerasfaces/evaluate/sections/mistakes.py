"""The surest wrong calls, as pictures."""

from pathlib import Path

import pandas as pd
from markupsafe import Markup

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.core.texts import plain
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section, tag
from kerasfaces.run import predictions

ORDER = 60
_SHOWN = 8  # of each kind
_SPEC = images.InputSpec(size_px=112)


def report(data: ReportInput) -> Section:
    """Return the reals that looked most fake and the fakes that looked most real."""
    rows = predictions.readable(data.frame).sort_values("path", kind="stable")
    called = rows["score"] >= data.point.threshold
    fake = rows["label"] == "fake"
    alarms = rows[called & ~fake].sort_values("score", ascending=False, kind="stable")
    misses = rows[~called & fake].sort_values("score", kind="stable")
    parts = [
        _gallery("Real, called fake", alarms, data.image_root),
        _gallery("Fake, called real", misses, data.image_root),
    ]
    return Section("Worst mistakes", Markup("").join(parts))


def _gallery(title: str, rows: pd.DataFrame, root: Path | None) -> Markup:
    heading = tag("h3", title)
    if rows.empty:
        return heading + markup.paragraph("None.")
    shown = rows.head(_SHOWN)
    cells = [
        tag(
            "figure",
            _thumbnail(Path(str(row.path)), root),
            tag(
                "figcaption",
                tag("b", f"{row.score:.3f}"),
                " ",
                row.source,
                tag("small", _short(Path(str(row.path)).name), title=row.path),
            ),
        )
        for row in shown.itertuples()
    ]
    counted = f"The surest {len(shown)} of {len(rows):,}, with their scores."
    return heading + markup.paragraph(counted) + tag("div", *cells, class_="gallery")


def _thumbnail(path: Path, root: Path | None) -> Markup:
    """Return the picture as a data URI, as the model sees it but smaller."""
    from PIL import Image

    try:
        if root is None and not path.is_absolute():
            raise ImageError("the folder of the images is not known")
        pixels = images.load_array((root or Path()) / path, _SPEC)
    except ImageError as error:
        return tag("span", f"no picture: {error}", class_="nopicture")
    thumbnail = Image.fromarray(pixels)
    return inline(thumbnail, f"thumbnail of {path.name}", _SPEC.size_px)


def _short(name: str, length: int = 34) -> str:
    text = plain(name)
    return text if len(text) <= length else "…" + text[-length + 1 :]
