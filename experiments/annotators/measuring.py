"""Annotators against the labels that sources state: tables, thresholds, confusion matrices.

Half of the pictures (even CRC-32 of the path) choose thresholds, and chose how faces are cut
out; every number that leaves is of the other half. What an annotator was trained on is marked, and in no confusion matrix.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.annotate import answers as asked
from kerasfaces.annotate import columns, measure
from kerasfaces.annotate.columns import Judged
from kerasfaces.annotate.contract import PACKAGE, Attribute, Weights
from kerasfaces.core import registry
from kerasfaces.core.errors import (
    KerasfacesError,
    MissingExtraError,
    MissingFileError,
)
from kerasfaces.core.files import Json, write_json
from kerasfaces.manifest import Manifest, file_facts

THRESHOLDS = tuple(np.round(np.arange(0.3, 1.0, 0.05), 2))
RUN = "run"
WANTED = 0.95  # accuracy of those who are answered
_LEAST_ANSWERED = 0.6  # of all; a threshold that leaves fewer is too dear


def labelled(manifest: Manifest) -> Manifest:
    """Return the rows that state an attribute, with hashes; columns of annotators go."""
    rows = manifest.rows
    named = [name for name in rows if str(name).startswith("attr_")]
    bare = rows.drop(
        columns=[name for name in rows if str(name).startswith("annotated_")]
    )
    stating = Manifest(bare, manifest.folder).take((rows[named] != "").any(axis=1))
    return file_facts.hashed(stating)


def run(
    manifest: Manifest, names: tuple[str, ...], weights: Weights, folder: Path
) -> tuple[pd.DataFrame, list[str], list[Json]]:
    """Measure annotators one by one.

    Args:
        manifest: Rows with stated attributes.
        names: Annotators; those whose weights or packages are missing have a row without numbers,
            whose `status` says so.
        weights: Where they get their weights.
        folder: Gets `table.csv` and `measured.json`.

    Returns:
        The table (`measure.table`), sentences about thresholds and what was left out, and the
        entries of `measured.json`.
    """
    data = labelled(manifest)
    digests = list(data.rows["sha256"])
    chooses = np.array(
        [zlib.crc32(each.encode()) % 2 == 0 for each in data.rows["path"]]
    )
    parts, notes, entries = [], [], []
    for name in names:
        attributes = {name: registry.load(PACKAGE, name).ATTRIBUTES}
        try:
            answers = asked.ask(data.files(), digests, (name,), weights)
        except KerasfacesError as error:
            notes.append(f"{name} was not measured: {error}")
            parts.append(_not_run(name, attributes[name], error))
            continue
        everything = columns.judged(attributes, answers, {})
        for one in everything.values():
            notes += _thresholds(data.rows, one, chooses)
            entries += _entry(data.rows, one, ~chooses)
        test = {each: _rows_of(one, ~chooses) for each, one in everything.items()}
        own = measure.table(data.rows[~chooses].reset_index(drop=True), test)
        parts.append(own.assign(status=RUN))
    table = pd.concat(parts, ignore_index=True)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "table.csv", index=False)
    write_json(folder / "measured.json", {"attributes": entries})
    return table, notes, entries


def _not_run(
    name: str, attributes: Sequence[Attribute], error: KerasfacesError
) -> pd.DataFrame:
    reason = "the note says why"
    if isinstance(error, MissingExtraError):
        reason = "no package"
    elif isinstance(error, MissingFileError):
        reason = "no weights"
    head = {"by": name, "source": "", "trained_on": False, "stated": "all"}
    none = {"n": 0, "answered": 0, "n_no_face": 0, "status": f"not run: {reason}"}
    return pd.DataFrame(
        [{"attribute": each.column, **head, **none} for each in attributes]
    )


def _rows_of(one: Judged, keep: np.ndarray) -> Judged:
    at = np.flatnonzero(keep)
    answers = {
        name: [answers[position] for position in at]
        for name, answers in one.answers.items()
    }
    reasons = [one.reasons[position] for position in at]
    return Judged(one.attribute, one.by, answers, reasons, one.thresholds)


def _unseen(rows: pd.DataFrame, one: Judged) -> np.ndarray:
    seen = np.array(measure.trained_on(rows, one), bool)
    return ~seen & (rows["label"] == "real").to_numpy()


def _thresholds(rows: pd.DataFrame, one: Judged, chooses: np.ndarray) -> list[str]:
    """Say which threshold the choosing half of unseen real photos would take."""
    if one.attribute.numbers:
        return []
    keep = chooses & _unseen(rows, one)
    part, (name,) = _rows_of(one, keep), one.by
    true = [
        measure.meant(text, one.attribute)
        for text in np.array(columns.stated(rows, one.attribute.name), object)[keep]
    ]
    pairs = [
        (answer.confidence, answer.value == value, bool(answer.value))
        for answer, value in zip(part.answers[name], true, strict=True)
        if answer is not None and value
    ]
    lines = []
    for threshold in THRESHOLDS:
        sure = [right for each, right, has in pairs if each >= threshold and has]
        share = len(sure) / max(1, len(pairs))
        lines.append((float(threshold), float(np.mean(sure)) if sure else 0.0, share))
    usable = [line for line in lines if line[2] >= _LEAST_ANSWERED] or lines[:1]
    good = [line for line in usable if line[1] >= WANTED]
    threshold, accuracy, share = (
        good[0] if good else max(usable, key=lambda line: line[1])
    )
    return [
        f"{name}, {one.attribute.column}: the choosing half (n={len(pairs)}) takes "
        f"{threshold:g} (right {accuracy:.3f} of the {share:.2f} answered); in use: "
        f"{one.thresholds[name]:g}"
    ]


def _entry(rows: pd.DataFrame, one: Judged, tests: np.ndarray) -> list[Json]:
    keep = tests & _unseen(rows, one)
    stated = list(np.array(columns.stated(rows, one.attribute.name), object)[keep])
    known = measure.counted(stated, _rows_of(one, keep))
    if known is None or not known["n"]:
        return []
    sources = sorted(
        {
            source
            for source, text in zip(rows["source"][keep], stated, strict=True)
            if measure.meant(text, one.attribute)
        }
    )
    known["measured_on"] = f"photos of {', '.join(sources)} that chose no threshold"
    return [
        {
            "attribute": one.attribute.column,
            "by": list(one.by),
            "min_confidence": dict(one.thresholds),
            "confusion": known,
        }
    ]
