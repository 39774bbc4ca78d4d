"""Tables of annotators' accuracy, for people and for the package."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.annotators.measuring import RUN
from kerasfaces.annotate import measure
from kerasfaces.core.files import Json, read_json, write_json

TABLE = Path(__file__).with_name("table.csv")


def as_markdown(table: pd.DataFrame) -> str:
    """Return the table as Markdown, one line per annotator, source and stated value."""
    lines = [
        "| annotator | column | source | stated | n | answered | right of the answered (95 %) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.to_dict("records"):
        if row["status"] != RUN:
            value = row["status"]
        elif "error_years" in row and pd.notna(row["error_years"]):
            value = f"{row['error_years']:.1f} years off ({row['low']:.1f} to {row['high']:.1f})"
        elif pd.notna(row["accuracy"]):
            value = f"{row['accuracy']:.3f} ({row['low']:.3f} to {row['high']:.3f})"
        else:
            value = "nobody answered"
        source = f"{row['source'] or '–'}{', its training data' * row['trained_on']}"
        cells = (row["by"], row["attribute"], source, row["stated"], f"{row['n']:,}")
        lines.append(f"| {' | '.join(cells)} | {row['answered']:,} | {value} |")
    return "\n".join(lines)


def heads(note: Json) -> str:
    """Return one line per head that was trained."""
    return "\n".join(
        f"{name}: right on {each['cross_validated_accuracy']:.3f} in cross-validation "
        f"(C={each['strength']:g}); {note['saw']}"
        for name, each in note["heads"].items()
    )


def record(
    table: pd.DataFrame,
    entries: Sequence[Json],
    target: Path = TABLE,
    measured: Path = measure.MEASURED,
) -> None:
    """Copy the table beside this file and the confusion matrices into the package.

    What other annotators than the table's have there stays.
    """
    names = set(table["by"])
    if target.exists():
        before = pd.read_csv(target, keep_default_na=False, dtype=str)
        table = pd.concat([before[~before["by"].isin(names)], table.astype(object)])
    if measured.exists():
        old = read_json(measured)["attributes"]
        entries = [
            *(each for each in old if not names & set(each["by"])),
            *entries,
        ]
    table.to_csv(target, index=False)
    write_json(measured, {"attributes": entries})
