"""results.json of any experiment -> pieces of a page, in the house's look."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from experiments.framework import results_file
from experiments.framework.failures import is_failure
from experiments.framework.rows import RUN
from kerasfaces.report import markup
from kerasfaces.report.markup import MISSING, Section, tag

_COLUMNS = 5  # metrics that fit side by side
_LONG = 40  # lines above which a table opens on demand


def estimate(ours: Mapping[str, Any] | None, signed: bool = False) -> Markup:
    """Return `ours` of a row: the value, below it the interval, sd over splits and p."""
    if ours is None or ours["value"] is None:
        return tag("span", MISSING, class_="missing")
    value = ours["value"]
    digits = 1 if abs(value) > 1 else 3
    small = []
    if ours.get("low") is not None:
        small.append(markup.interval(ours["low"], ours["high"], digits))
    if ours.get("sd"):
        small.append(f"sd {ours['sd']:.{digits}f}")
    if ours.get("p_value") is not None:
        small.append(f"p {markup.p_text(ours['p_value'])}")
    text = f"{value:+.{digits}f}" if signed else f"{value:,.{digits}f}"
    return tag("span", text.removesuffix(".0"), " ", tag("small", ", ".join(small)))


def tables(results: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[Markup]:
    """Yield every table; a document's number stands in small print under ours.

    Args:
        results: Content of results.json.
        titles: Table -> its heading, in order.
    """
    for name, title in titles.items():
        rows = [row for row in results["rows"] if row["table"] == name]
        if rows:
            caption = f"{name.capitalize()}. {title}"
            table = _table(caption, rows)
            yield markup.details(caption, table) if len(rows) > _LONG else table


def _table(caption: str, rows: Sequence[Mapping[str, Any]]) -> Markup:
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    if len(metrics) > _COLUMNS or len(metrics) == 1:
        header = ["", "", "Ours", "n"]
        lines = [
            [row["row"], row["metric"], _cell(row), row["ours"]["n"] or ""]
            for row in rows
        ]
        return markup.table(caption, header, lines)
    known = {(row["row"], row["metric"]): row for row in rows}
    lines = []
    for name in dict.fromkeys(row["row"] for row in rows):
        line = [known.get((name, metric)) for metric in metrics]
        n = max(row["ours"]["n"] for row in line if row)
        lines.append([name, *map(_cell, line), n or ""])
    return markup.table(caption, ["", *metrics, "n"], lines)


def _cell(row: Mapping[str, Any] | None) -> Markup:
    if row is None:
        return Markup("")
    published = (
        tag("small", f"document: {row['published']:g}")
        if row["published"] is not None
        else Markup("")
    )
    if row["status"] != RUN:
        return tag("span", row["status"], class_="missing") + published
    return estimate(row["ours"], "difference" in row["metric"]) + published


def warnings(results: Mapping[str, Any]) -> list[str]:
    """Return the warnings for the top: what failed, and that it is only plumbing."""
    failed = {
        row["row"]: row["status"]
        for row in results["rows"]
        if is_failure(row["status"])
    }
    quick = [note for note in results["notes"] if note.startswith("--quick")]
    return [*quick, *(f"{name}: {status}" for name, status in failed.items())]


def reports(folder: Path, page_folder: Path) -> Section:
    """Return links to the reports of an experiment's runs.

    Args:
        folder: Folder of the experiment.
        page_folder: Folder of the page.
    """
    links = [
        tag(
            "a",
            str(path.parent.relative_to(folder)),
            href=quote(str(path.relative_to(page_folder))),
        )
        for pattern in ("*/report.html", "*/split-*/report.html")
        for path in sorted(folder.glob(pattern))
    ]
    joined = Markup(" · ").join(links) if links else MISSING
    return Section("Reports of the runs", markup.paragraph(joined, class_="note"))


def circumstances(results: Mapping[str, Any]) -> Section:
    """Return the data, the machine, the hours and the notes."""
    machine = results.get("machine", {})
    budget = machine.get("budget_hours")
    limit = "without a limit" if budget is None else f"of {budget:g} that were given"
    facts = {
        "Images": results["rows"][0]["data"],
        "Splits": f"seeds {', '.join(map(str, results['seeds']))}",
        "Base weights": results_file.describe_weights(results["weights"]),
        "Machine": machine.get("text", MISSING),
        "Hours": f"{results['hours']:.2f}, {limit}",
        "Command": results["command"],
        "Commit": f"{results['commit']}"
        + (", with uncommitted changes" if results["uncommitted_changes"] else ""),
    }
    notes = [tag("li", note) for note in results["notes"]]
    body = markup.table("How it was made", ["", ""], facts.items(), numeric=False)
    listed = tag("ul", *notes, class_="note") if notes else Markup("")
    return Section("Data, machine, notes", body + listed)
