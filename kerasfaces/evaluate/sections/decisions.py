"""Right and wrong decisions with the maps that `explain` has drawn of them."""

import csv
from pathlib import Path

from markupsafe import Markup
from PIL import Image

from kerasfaces.core.texts import plain
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section, tag
from kerasfaces.run.folder import Explanation

ORDER = 62
_TITLE = "Why: right and wrong decisions"
_WIDTH_PX = 200  # as the style sheet shows them


def report(data: ReportInput) -> Section | None:
    """Return a gallery per method, right decisions first; None where there is none."""
    if not data.decisions:
        return None
    parts = [
        part
        for method, folder in data.decisions.items()
        for part in _of(method, folder)
    ]
    note = markup.paragraph(
        "Drawn at random among right and among wrong decisions, not chosen. A map says which "
        "places moved this detector's logit; not where an image was altered, and not that the "
        "verdict is right. Maps that fail a test say so."
    )
    return Section(_TITLE, note + Markup("").join(parts))


def _of(method: str, folder: Path) -> list[Markup]:
    explanation = Explanation(folder)
    with explanation.table_file.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if not row["reason"]]
    link = tag(
        "a", "all numbers", href=f"decisions/{folder.name}/{explanation.report.name}"
    )
    parts = [markup.paragraph(f"By {method}: ", link, ".")]
    for decision in ("right", "wrong"):
        figures = [
            _figure(row, folder) for row in rows if row.get("decision") == decision
        ]
        parts.append(tag("h3", f"{decision.capitalize()} ({len(figures)})"))
        parts.append(
            tag("div", *figures, class_="explained compact")
            if figures
            else markup.paragraph("None.")
        )
    return parts


def _figure(row: dict[str, str], folder: Path) -> Markup:
    name = Path(row["path"]).name
    lines: list[object] = [
        tag("b", f"{row['label']}, called {row['verdict']}"),
        f" {row['source']}; score {float(row['score']):.3f}",
    ]
    if row.get("do_not_trust"):
        lines.append(tag("small", f"Do not trust this map: {row['do_not_trust']}."))
    lines.append(tag("small", plain(name), title=row["path"]))
    picture = _picture(folder / "images" / f"{row['file']}.png", f"map of {name}")
    return tag("figure", picture, tag("figcaption", *lines))


def _picture(file: Path, description: str) -> Markup:
    try:
        with Image.open(file) as opened:
            whole = opened.convert("RGB")
    except OSError:
        return tag("span", "the map is missing", class_="nopicture")
    return inline(whole, description, _WIDTH_PX)
