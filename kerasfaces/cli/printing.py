"""Results as plain tables on stdout."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasfaces.cli.spelling import at_shell
from kerasfaces.core.texts import plain, shortened

if TYPE_CHECKING:
    import pandas as pd

    from kerasfaces.annotate.run import Annotated
    from kerasfaces.manifest import Manifest
    from kerasfaces.manifest.audit import AuditResult
    from kerasfaces.manifest.folders import Reading
    from kerasfaces.manifest.recipe import Recipe
    from kerasfaces.manifest.recipe_rows import SourceCount
    from kerasfaces.manifest.sharpness import SharpnessResult
    from kerasfaces.manifest.split import SplitResult
    from kerasfaces.metrics.intervals import EstimateJson

_TREE_LINES = 40  # folders shown of one tree


def text(line: str) -> None:
    """Print one line; control characters, and what the terminal lacks, are escaped."""
    sys.stdout.write(_printable(line) + "\n")


def advice(line: str) -> None:
    """Print a line of the library, which names options instead of arguments."""
    text(at_shell(line))


def tree(reading: "Reading") -> None:
    """Print how folders were read, and what could have been read otherwise."""
    shown = reading.lines[:_TREE_LINES]
    body = [
        [line.folder, line.label or "left out", line.split, line.source, f"{line.n:,}"]
        for line in shown
    ]
    text(f"{reading.manifest.folder}, as it was read:")
    table(["folder", "label", "split", "source", "images"], body)
    if more := reading.lines[_TREE_LINES:]:
        n = sum(line.n for line in more)
        text(f"  and {len(more):,} more folders with {n:,} images")
    for note in reading.notes:
        advice(f"note: {note}")


def annotated(result: "Annotated") -> None:
    """Print, per attribute, how many rows have which value and by whom."""
    rows, body = result.manifest.rows, []
    if not result.notes["attributes"]:
        n_faces = int((~rows["face_count"].isin(["", "0"])).sum())
        text(
            f"a face in {n_faces:,} of {len(rows):,} images; no attributes were asked for"
        )
    for column, note in result.notes["attributes"].items():
        by = rows[f"annotated_{column.removeprefix('attr_')}_by"]
        by_hand = int(by.isin(["stated", "hand"]).sum())
        filled = rows[column] != ""
        n_values = rows[column][filled].value_counts()
        shown = ", ".join(f"{value} {n:,}" for value, n in n_values.head(6).items())
        empty = f"{int((~filled).sum()):,}"
        body.append([column, note["annotator"], shown, f"{by_hand:,}", empty])
    if body:
        table(["column", "annotator", "values", "stated or by hand", "empty"], body)
    for reason, paths in sorted(result.lost.items(), key=lambda item: -len(item[1])):
        named = ", ".join(shortened(plain(path)) for path in paths[:3])
        more = ", ..." if len(paths) > 3 else ""
        text(f"{len(paths):,} without annotation, {reason}: {named}{more}")


def counts(manifest: "Manifest") -> None:
    """Print rows by label, source and split."""
    from kerasfaces.manifest.table import SPLITS

    rows = manifest.rows
    used = [name for name in (*SPLITS, "") if (rows["split"] == name).any()]

    def numbers(part: "pd.DataFrame") -> list[str]:
        by_split = [int((part["split"] == name).sum()) for name in used]
        return [f"{n:,}" for n in (*by_split, len(part))]

    groups = rows.groupby(["label", "source"], sort=True)
    body = [[*map(str, names), *numbers(part)] for names, part in groups]
    body.append(["all", "", *numbers(rows)])
    table(["label", "source", *(name or "no split" for name in used), "all"], body)


def moved(result: "SplitResult") -> None:
    """Print what each rule of a split did."""
    body = [
        [rule.replace("_", " "), f"{result.n_groups.get(rule, 0):,}", f"{n:,}"]
        for rule, n in result.moved.items()
    ]
    body[-1][1] = ""  # balancing makes no groups
    table(["kept together by", "groups", "rows moved"], body)
    if result.largest_group > 1:
        text(f"largest group: {result.largest_group:,} rows")


def sources(report: "Sequence[SourceCount]") -> None:
    """Print a recipe's sources: wanted, found, taken, and where to get what is missing."""
    body = []
    for each in report:
        source, short = each.source, each.source.want - each.n_chosen
        state = f"{short:,} short" if short > 0 else ""
        state = state if each.n_available else "missing"
        names = [
            source.name,
            source.label,
            f"{source.want:,}" if source.want else "all",
        ]
        numbers = [f"{each.n_available:,}", f"{each.n_chosen:,}"]
        licence = source.licence if each.n_available else source.url
        body.append([*names, *numbers, state, licence])
    header = [
        "source",
        "label",
        "wanted",
        "found",
        "taken",
        "",
        "licence / get it from",
    ]
    table(header, body)


def shares(recipe: "Recipe", manifest: "Manifest") -> None:
    """Print the wanted and the reached share of every attribute value."""
    body = []
    for name in recipe.balance:
        part = manifest.rows[manifest.rows["source"] == name]
        for attribute, wanted in recipe.shares().items():
            if attribute not in part or part.empty:
                continue
            values = part[attribute].map(recipe.spellings()[attribute])
            for value, share in wanted.items():
                reached = f"{(values == value).mean():.2f}"
                body.append([name, attribute, value, f"{share:.2f}", reached])
    if body:
        table(["source", "attribute", "value", "wanted", "reached"], body)


def audit(title: str, result: "AuditResult") -> None:
    """Print an audit's verdict, its facts and what sharpness tells."""
    text(
        f"{title}: {'FLAGGED' if result.flagged else 'passed'}: file facts alone separate real "
        f"from fake with AUC {result.auc:.3f} (95 % {result.low:.3f} to {result.high:.3f}, "
        f"{result.n_real:,} real, {result.n_fake:,} fake, {result.n_unreadable:,} unreadable; "
        "flagged when the lower bound exceeds .60)"
    )
    if result.most_telling_auc > 0.5:
        text(f"most telling: {result.most_telling_fact}")
        facts = [
            [fact, f"{auc:.3f}"] for fact, auc in result.facts.items() if auc > 0.5
        ]
        table(["fact", "AUC alone"], facts)
        values = [
            [str(each["label"]), str(each["value"]), f"{each['count']:,}"]
            for each in result.most_telling_values
        ]
        table(["class", result.most_telling_fact, "images"], values)
    if result.sharpness is not None:
        sharpness(result.sharpness)


def sharpness(result: "SharpnessResult") -> None:
    """Print how well sharpness, noise and compression separate the classes."""
    pairs = ""
    if result.n_pairs:
        pairs = (
            f"; side by side they find the fake of {_limits(result.paired)} of "
            f"{result.n_pairs:,} pairs"
        )
    small = f", {result.n_too_small:,} too small" if result.n_too_small else ""
    text(
        "sharpness, noise and compression separate real from fake "
        f"{'(FLAGGED)' if result.flagged else '(passed)'} with AUC {_limits(result.auc)} "
        f"(n {result.n:,}{small}){pairs}"
    )
    body = [
        [
            each.name,
            _limits(each.auc),
            f"{each.median_real:.3g}",
            f"{each.median_fake:.3g}",
            *([_limits(each.lower_in_fake)] if result.n_pairs else []),
        ]
        for each in result.statistics
    ]
    header = ["statistic", "AUC alone (95 %)", "median real", "median fake"]
    table(header + ["lower in the fake"] * bool(result.n_pairs), body)


def _limits(estimate: "EstimateJson") -> str:
    """Return `.613 (.590 to .636)`, or why there is no number."""
    value, low, high = (estimate[key] for key in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return estimate["method"]
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print aligned columns, numbers to the right."""
    lines = [header, *(list(map(shortened, row)) for row in rows)]
    cells = [list(map(_printable, line)) for line in lines]  # escapes make them wider
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for row in cells:
        line = "  ".join(
            cell.rjust(width) if _numeric(cell) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        text("  " + line.rstrip())


def _printable(line: str) -> str:
    encoding = sys.stdout.encoding or "utf-8"
    return plain(line).encode(encoding, "backslashreplace").decode(encoding)


def _numeric(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").isdigit()
