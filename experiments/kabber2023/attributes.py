"""A manifest with attributes -> table 2, and how good those who annotated it are."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.rows import NO_LABELS, RUN, Measured, Row
from experiments.kabber2023 import published
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed
from kerasfaces.evaluate import annotators
from kerasfaces.manifest import Manifest, attribute_choice
from kerasfaces.manifest.ratios import KABBER2023
from kerasfaces.metrics import rate

TITLES = {
    "table 2": "Shares of the facial categories among the real images",
    "annotators": "Annotators' own accuracy; the document's on a few hundred labels by hand",
}
CHOSEN = 300  # reals that `manifest balance --preset kabber2023` is asked for


def shares(manifest: Manifest, seed: int) -> tuple[list[Row], list[str]]:
    """Return table 2: shares of the labelled reals, and of those chosen by its ratios.

    Args:
        manifest: The images.
        seed: Under which the numbers stand; they are of no split.
    """
    reals = manifest.take(manifest.rows["label"] == "real")
    chosen, notes = reals.rows.iloc[:0], []
    try:
        choice = attribute_choice.choose(reals, KABBER2023, CHOSEN)
        chosen, notes = choice.manifest.rows, list(choice.notes)
    except InputError as error:
        notes = [f"Nothing was chosen by table 2's ratios: {error}"]
    rows = []
    for group in published.GROUPS:
        for metric, part in (("share", reals.rows), ("share when chosen", chosen)):
            number = _share(part, group)
            rows.append(
                Row(
                    table="table 2",
                    row=group.row,
                    metric=metric,
                    split="all",
                    ours={seed: number} if number else {},
                    published=group.ratio if metric != "share" else None,
                    status=RUN if number else NO_LABELS,
                )
            )
    notes = [f"Choosing {CHOSEN} reals: {note}" for note in notes]
    return rows, [*notes, *_without_a_class(manifest)]


def annotated(folder: Path, seed: int) -> list[Row]:
    """Return how often each annotator of the manifest was right, beside the document's."""
    labels, _ = annotators.read(folder)
    rows = []
    for column, theirs in published.ANNOTATORS.items():
        errors = annotators.errors_of(labels.get(column))
        ours = {}
        if errors:
            right = int(np.trace(errors.confusions[0]))
            ours[seed] = Measured.of(rate(right, errors.n).to_dict(), errors.n)
        rows.append(
            Row(
                table="annotators",
                row=column.removeprefix("attr_"),
                metric="accuracy",
                split="all",
                ours=ours,
                published=theirs,
                status=RUN if ours else NO_LABELS,
            )
        )
    return rows


def _without_a_class(manifest: Manifest) -> list[str]:
    """Say of which categories nobody is, because the annotator has no class for them."""
    labels, _ = annotators.read(manifest.folder)
    notes = []
    for group in published.GROUPS:
        entry = labels.get(group.column, {})
        classes = entry.get("classes", [])
        if group.column not in manifest.rows or not classes:
            continue
        there = {*classes, *manifest.rows[group.column].str.lower()}
        if not there & set(group.values):
            notes.append(
                f"{group.row} has no numbers: {entry['annotator']}, who labelled the images, "
                f"knows {listed(classes)} alone."
            )
    return notes


def _share(rows: pd.DataFrame, group: published.Group) -> Measured | None:
    """Return a group's share of the rows that have the attribute; None where nobody is in it.

    Whoever labelled the rows may have no word for a group: that is no share of nothing.
    """
    if group.column not in rows:
        return None
    known = rows[group.column][rows[group.column] != ""].str.lower()
    if known.empty:
        return None
    count = int(known.isin(group.values).sum())
    if not count:
        return None
    return Measured.of(rate(count, len(known)).to_dict(), len(known))
