"""Run folders -> rows of the document's tables, each number beside the published one."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from experiments.framework import measured, paired
from experiments.framework.rows import NO_BUDGET, NO_WEIGHTS, RUN, Measured, Row
from experiments.wan2023 import published
from experiments.wan2023.cells import (
    ALL,
    CHOSEN,
    COMPARED,
    CONCAT,
    SCALED,
    THREE,
    UNMASKED,
    Variant,
)
from experiments.wan2023.published import CLASSIFIERS, NAMES, Line
from kerasfaces.run.folder import DetectorRun

Runs = Mapping[tuple[str, Variant | None], Mapping[int, Path]]
TITLES = {
    "table 1": "Validation: classifiers behind Att(AS+PS)+LNP, 1-channel spectra",
    "table 2": "Test: the same detectors",
    "table 3": "Test: compared methods, trained on the same images",
    "table 4": "Test: with and without the face cut out",
    "table 5": "Test: spectra of 3 colours or of 1, concatenated",
    "table 6": "Test: fusion, 1-channel spectra",
    "differences": "Test accuracy, one configuration minus another: chosen is "
    "Att(AS+PS)+LNP, all Att(AS+PS+LNP), concat AS+PS+LNP, scaled the first with a softmax of "
    "means, which the document has not",
}
METHODS = {
    "autogan_spec": "AutoGAN-Spec (19)",
    "dct_cnn": "DCT-CNN (20)",
    "wang2020": "Wang (20)",
    "gragnaniello2021": "Gragnaniello (21)",
    "liu2022": "Liu (22)",
    "ours": "the document's detector",
}
# Name, first and second configuration, and the document's two lines.
ABLATIONS: tuple[tuple[str, Variant, Variant, Line, Line], ...] = (
    ("mask - none", CHOSEN, UNMASKED, published.WITH_SAM, published.WITHOUT_SAM),
    ("1 - 3 spectra", CONCAT, THREE, published.SPECTRA_1, published.SPECTRA_3),
    ("chosen - concat", CHOSEN, CONCAT, published.ATTENTION_SPECTRA, published.CONCAT),
    ("all - concat", ALL, CONCAT, published.ATTENTION_ALL, published.CONCAT),
    (
        "chosen - all",
        CHOSEN,
        ALL,
        published.ATTENTION_SPECTRA,
        published.ATTENTION_ALL,
    ),
    ("scaled - concat", SCALED, CONCAT, {}, {}),
)


def rows(runs: Runs, mask: str) -> list[Row]:
    """Return every row of every table.

    Args:
        runs: Finished runs by method and variant, then by split seed.
        mask: Name of the mask that cut the faces out.
    """
    table_rows = [*_table_1_and_2(runs, mask), *_table_3(runs), *_table_4(runs, mask)]
    for table, label, variant, line in (
        ("table 5", "3-channel", THREE, published.SPECTRA_3),
        ("table 5", "1-channel", CONCAT, published.SPECTRA_1),
        ("table 6", "AS+PS+LNP", CONCAT, published.CONCAT),
        ("table 6", "Att(AS+PS+LNP)", ALL, published.ATTENTION_ALL),
        ("table 6", "Att(AS+PS)+LNP", CHOSEN, published.ATTENTION_SPECTRA),
        ("table 6", "scaled Att(AS+PS)+LNP", SCALED, {}),
    ):
        table_rows += _line(runs, table, label, variant, line)
    return [*table_rows, *_differences(runs)]


def ablation_notes(rows: list[Row], mask: str) -> list[str]:
    """Return what the paired differences say of the document's ablations."""
    notes = []
    for row in rows:
        if row.table != "differences" or row.status != RUN or "split" in row.row:
            continue
        numbers = list(row.ours.values())
        value, low, high = (
            sum(getattr(number, name) for number in numbers) / len(numbers)
            for name in ("value", "low", "high")
        )
        if low <= 0 <= high:
            verdict = "cannot be told from none"
        elif not row.published:
            verdict = "differs"
        elif value * row.published > 0:
            verdict = "has the document's sign"
        else:
            verdict = "is reversed"
        theirs = f", the document's {row.published:+.4f}" if row.published else ""
        notes.append(
            f"{row.row}: {value:+.3f} [{low:+.3f}, {high:+.3f}] over {len(numbers)} "
            f"split{'s' if len(numbers) > 1 else ''}{theirs}: the difference {verdict}."
        )
    notes.append(
        f"Masks are made by {mask}."
        + ("" if mask == "sam" else " The document's are SAM's.")
    )
    return notes


def _table_1_and_2(runs: Runs, mask: str) -> Iterator[Row]:
    for table, split, line in (
        ("table 1", "val", published.TABLE_1),
        ("table 2", "test", published.TABLE_2),
    ):
        for classifier in CLASSIFIERS:
            folders = runs.get((classifier, CHOSEN), {})
            name = f"{NAMES[classifier]}, {mask}"
            yield _row(table, name, "accuracy", folders, line[classifier], split)
            yield _row(table, name, "auc", folders, None, split)
            yield _hours(table, name, folders, published.HOURS[classifier], split)


def _table_3(runs: Runs) -> Iterator[Row]:
    for method in (*COMPARED, "ours"):
        key = (CLASSIFIERS[0], CHOSEN) if method == "ours" else (method, None)
        folders = runs.get(key, {})
        name = METHODS[method]
        yield _row("table 3", name, "accuracy", folders, published.TABLE_3[method])
        yield _row("table 3", name, "auc", folders, None)
        yield _hours("table 3", name, folders, None)


def _table_4(runs: Runs, mask: str) -> Iterator[Row]:
    yield from _line(runs, "table 4", "without", UNMASKED, published.WITHOUT_SAM)
    if mask == "sam":
        yield from _line(runs, "table 4", "with SAM", CHOSEN, published.WITH_SAM)
        return
    for classifier in CLASSIFIERS:
        yield Row(
            table="table 4",
            row=f"with SAM, {NAMES[classifier]}",
            metric="accuracy",
            published=published.WITH_SAM[classifier],
            status=NO_WEIGHTS,
        )
    yield from _line(runs, "table 4", f"with {mask}", CHOSEN, {})


def _line(
    runs: Runs, table: str, label: str, variant: Variant, line: Line
) -> Iterator[Row]:
    for classifier in CLASSIFIERS:
        name = f"{label}, {NAMES[classifier]}"
        folders = runs.get((classifier, variant), {})
        yield _row(table, name, "accuracy", folders, line.get(classifier))


def _differences(runs: Runs) -> Iterator[Row]:
    for label, first, second, above, below in ABLATIONS:
        for classifier in CLASSIFIERS:
            a = runs.get((classifier, first), {})
            b = runs.get((classifier, second), {})
            seeds = [seed for seed in a if seed in b]
            name = f"{label}, {NAMES[classifier]}"
            theirs = round(above[classifier] - below[classifier], 6) if above else None
            ours = {
                seed: paired.accuracy_difference(a[seed], b[seed]) for seed in seeds
            }
            yield _beside("differences", name, "accuracy", ours, theirs)
            if len(ours) > 1:
                for seed, one in ours.items():
                    split = f"{name}, split {seed}"
                    yield _beside("differences", split, "accuracy", {seed: one}, None)


def _row(
    table: str,
    name: str,
    metric: str,
    folders: Mapping[int, Path],
    theirs: float | None,
    split: str = "test",
) -> Row:
    ours = measured.entries(folders, metric, split)
    return _beside(table, name, metric, ours, theirs, split)


def _hours(
    table: str,
    name: str,
    folders: Mapping[int, Path],
    theirs: float | None,
    split: str = "test",
) -> Row:
    """Return the hours of training alone; channels come in front of it."""
    ours = {}
    for seed, folder in folders.items():
        seconds = float(DetectorRun(folder).training["train_seconds"])
        n = measured.entry(folder, "accuracy", split).n
        ours[seed] = Measured(value=seconds / 3600, n=n)
    return _beside(table, name, "hours", ours, theirs, split)


def _beside(
    table: str,
    name: str,
    metric: str,
    ours: Mapping[int, Measured],
    theirs: float | None,
    split: str = "test",
) -> Row:
    return Row(
        table=table,
        row=name,
        metric=metric,
        split=split,
        ours=ours,
        published=theirs,
        status=RUN if ours else NO_BUDGET,
    )
