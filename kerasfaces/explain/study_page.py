"""Findings -> the folder of a method that draws no heat map: page, table, pictures, arrays."""

import pandas as pd
from markupsafe import Markup

from kerasfaces.core import arrays, registry
from kerasfaces.core.files import atomic_path, write_text
from kerasfaces.explain.study import Findings
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section, tag
from kerasfaces.run.folder import Explanation

_SHOWN_PX = 900
_LISTED = 50
FIGURES = "figures"
_LIMITS = (
    "What is shown is this detector on these images. It does not say that a verdict is right, "
    "nor what other detectors or generators do."
)


def write(
    explanation: Explanation, name: str, method: str, note: str, findings: Findings
) -> pd.DataFrame:
    """Write figures, arrays, explanations.csv and, last, explain.html.

    The caller holds the folder's lock; `note` says how the images were chosen, and may be
    empty. Of the returned rows `attrs["trust"]` says whether what was found can be trusted.
    """
    folder = explanation.path / FIGURES
    folder.mkdir(exist_ok=True)
    for figure in findings.figures:
        with atomic_path(folder / f"{figure.name}.png") as path:
            figure.image.save(path)
    if findings.arrays:
        arrays.write(explanation.path / "arrays.npz", dict(findings.arrays))
    frame = pd.DataFrame(list(findings.rows) or None, columns=_columns(findings))
    frame.attrs["trust"] = verdict(findings)
    write_text(explanation.table_file, frame.to_csv(index=False, lineterminator="\n"))
    explanation.write_report(_page(name, method, note, findings))
    return frame


def _columns(findings: Findings) -> list[str]:
    """Return the columns in the order in which rows have them, the reason last."""
    names = {key: None for row in findings.rows for key in row} or {"path": None}
    return [*(name for name in names if name != "reason"), "reason"]


def verdict(findings: Findings) -> str:
    """Say in a sentence whether findings can be trusted."""
    failed = [each.sentence for each in findings.checks if not each.passed]
    if failed:
        return f"Do not trust these {findings.things}: {' '.join(failed)}"
    return f"These {findings.things} pass each of their checks."


def _page(name: str, method: str, note: str, findings: Findings) -> str:
    summary = registry.summary("kerasfaces.explain.methods", method)
    texts = [f"{method}: {summary}", note, *findings.notes, _LIMITS]
    what = Markup("").join(markup.paragraph(text) for text in texts if text)
    checks = markup.table(
        "Checks of what is shown",
        ["Measured", "Passed"],
        [[each.sentence, "yes" if each.passed else "no"] for each in findings.checks],
        numeric=False,
    )
    shown = Markup("").join(
        tag(
            "figure",
            inline(figure.image, figure.caption, min(_SHOWN_PX, figure.image.width)),
            tag("figcaption", figure.caption),
            class_="wide",
        )
        for figure in findings.figures
    )
    tables = Markup("").join(
        markup.table(each.caption, each.header, each.rows) for each in findings.tables
    )
    sections = [
        ("what", Section("What this shows", what)),
        ("believed", Section("Can it be believed?", checks)),
    ]
    if tables:
        sections.append(("numbers", Section("Numbers", tables)))
    if shown:
        sections.append(("pictures", Section("Pictures", shown)))
    bad = [row for row in findings.rows if row["reason"]]
    body = markup.paragraph(f"{len(bad):,} of {len(findings.rows):,} images.")
    if bad:
        rows = [[row["path"], row["reason"]] for row in bad[:_LISTED]]
        body += markup.table(
            f"{len(rows)} of {len(bad):,}", ["Path", "Reason"], rows, numeric=False
        )
    sections.append(("unreadable", Section("Images left out", body)))
    failed = any(not each.passed for each in findings.checks)
    return pages.page(
        f"{name}: {method}",
        "kerasfaces explain",
        [verdict(findings)] if failed else [],
        sections,
        footer=_LIMITS,
    )
