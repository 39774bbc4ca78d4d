"""results.json of `systems` -> its sections: table, pictures, what was not run, the data."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from experiments.framework import blocks
from experiments.framework.rows import RUN
from experiments.systems.cost import METRICS
from experiments.systems.scatter import Point, picture
from kerasfaces.core.files import write_text
from kerasfaces.evaluate import names
from kerasfaces.evaluate.names import HEADLINES
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import MISSING, Section, number, tag

QUALITY, DIFFERENCES, COST, RANDOM = "test", "differences", "cost", "random weights"
OURS = "ours"
_SHOWN = (
    "Training, s",
    "Parameters",
    "of these trained",
    "ms per image",
    "× reference",
    "MB",
)
_PICTURES = (
    ("ms per image", "milliseconds per image", "Quality against time per image", ""),
    (
        "training seconds",
        "seconds of training",
        "Quality against training time",
        " Features that were in the cache cost nothing here: the notes name them.",
    ),
)


def write(folder: Path, results: Mapping[str, Any]) -> Path:
    """Write `folder/index.html`.

    Args:
        folder: The experiment's.
        results: Content of its results.json.
    """
    parts = [*sections(results), ("runs", blocks.reports(folder, folder))]
    text = pages.page(
        "All systems",
        "kerasfaces experiment",
        blocks.warnings(results),
        [*parts, ("made", blocks.circumstances(results))],
        pages.measured_on("test"),
    )
    path = folder / "index.html"
    write_text(path, text)
    return path


def sections(results: Mapping[str, Any]) -> list[tuple[str, Section]]:
    """Return the table, the pictures and what was not run."""
    table = _Table(results["rows"])
    parts = [("systems", _systems(table, results))]
    pictures = _pictures(table)
    if pictures is not None:
        parts.append(("cost", pictures))
    if table.not_run:
        parts.append(("not-run", _not_run(table)))
    return parts


class _Table:
    """Rows by table, line and metric."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._rows = {
            (row["table"], row["row"], row["metric"]): row
            for row in rows
            if row["status"] == RUN
        }
        lines = dict.fromkeys(r["row"] for r in rows if r["table"] == QUALITY)
        ran = [name for name in lines if self.ours(QUALITY, name, "auc")]
        self.ran = sorted(ran, key=lambda name: -self.value(QUALITY, name, "auc"))
        self.not_run = {
            row["row"]: row["status"]
            for row in rows
            if row["table"] == QUALITY and row["status"] != RUN
        }
        self.random = {r["row"]: r for r in rows if r["table"] == RANDOM}

    def ours(self, table: str, name: str, metric: str) -> Mapping[str, Any] | None:
        row = self._rows.get((table, name, metric))
        return row["ours"] if row else None

    def value(self, table: str, name: str, metric: str) -> float:
        ours = self.ours(table, name, metric)
        if ours is None or ours["value"] is None:
            return math.nan
        return float(ours["value"])


def _systems(table: _Table, results: Mapping[str, Any]) -> Section:
    header = [
        "Detector",
        *(names.TITLES[metric] for metric in HEADLINES),
        "AUC − reference",
    ]
    lines = [_line(table, name) for name in table.ran]
    aucs = [table.ours(QUALITY, name, "auc") for name in table.ran]
    n = max((auc["n"] for auc in aucs if auc), default=0)
    seeds = results["seeds"]
    means = f" Means over {len(seeds)} splits." if len(seeds) > 1 else ""
    lead = (
        f"{results['rows'][0]['data']}. Each is tested on the same {n} images.{means}"
    )
    note = (
        "Small print: 95 % intervals. The reference is kabber2023's MobileNetV2; differences "
        "are paired on the same images, p corrected by Holm."
    )
    caption = "Ordered by AUC; thresholds were frozen on validation"
    return Section(
        "All systems",
        markup.paragraph(lead, class_="lead")
        + markup.table(caption, header, lines)
        + markup.paragraph(note, class_="note"),
    )


def _line(table: _Table, name: str) -> list[object]:
    quality = [blocks.estimate(table.ours(QUALITY, name, m)) for m in HEADLINES]
    minus = table.ours(DIFFERENCES, name, "auc difference")
    return [name, *quality, blocks.estimate(minus, signed=True)]


def _cost_line(table: _Table, name: str) -> list[object]:
    return [name, *(_cost(m, table.value(COST, name, m)) for m in METRICS)]


def _cost(metric: str, value: float) -> str:
    if not math.isfinite(value):
        return MISSING
    if "parameters" in metric:
        return _count(value)
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def _count(value: float) -> str:
    """Return a count as a reader takes it in: 25.6 M, 49.2 k."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f}"


def _pictures(table: _Table) -> Section | None:
    figures = [
        tag(
            "figure",
            picture(
                points, label, "AUC, 95 % interval", f"{title}, {len(points)} detectors"
            ),
            tag("figcaption", f"{title}. Up and to the left is better.{more}"),
            class_="scroll wide",
        )
        for metric, label, title, more in _PICTURES
        if (points := list(_points(table, metric)))
    ]
    if not figures:
        return None
    note = (
        "× reference: time per image over that of kabber2023's MobileNetV2, whose batches were "
        "timed in turn with the detector's: on a machine with other work it says more than "
        "the milliseconds. How all was measured: with the notes, at the end."
    )
    lines = [_cost_line(table, name) for name in table.ran]
    costs = markup.table("What each costs", ["Detector", *_SHOWN], lines)
    return Section(
        "Quality against cost",
        Markup("").join(figures) + costs + markup.paragraph(note, class_="note"),
    )


def _points(table: _Table, metric: str) -> Iterator[Point]:
    for name in table.ran:
        auc, x = table.ours(QUALITY, name, "auc"), table.value(COST, name, metric)
        if auc is None or auc["value"] is None or math.isnan(x) or x <= 0:
            continue
        low, high = (
            auc["value"] if auc[k] is None else auc[k] for k in ("low", "high")
        )
        kind = "fake" if name == OURS else "real"
        short = name.partition(" (")[0] if _unique(table, name) else name
        yield Point(short, x, auc["value"], low, high, kind)


def _unique(table: _Table, name: str) -> bool:
    short = name.partition(" (")[0]
    return sum(each.partition(" (")[0] == short for each in table.ran) == 1


def _not_run(table: _Table) -> Section:
    header = ["Detector", "Why"]
    rows = [[name, why] for name, why in table.not_run.items()]
    if table.random:
        header.append("Built small, with random weights")
        rows = [[*row, _passed(table.random.get(row[0]))] for row in rows]
    note = (
        "No weights: the document starts from pretrained ones, which could not be had here. "
        "A network from random weights is another detector and has a line of its own name. "
        "Budget: the same command with more hours continues."
    )
    return Section(
        "What was not run",
        markup.paragraph(note)
        + markup.table("Detectors without a number", header, rows, numeric=False),
    )


def _passed(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return MISSING
    if row["status"] != RUN:
        return str(row["status"])
    ours = row["ours"]
    return f"passed: one step on {ours['n']} images, loss {number(ours['value'])}"
