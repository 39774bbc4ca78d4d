"""Attribution tables: one row per image, and what each set of real images is called."""

from pathlib import Path
from typing import TypedDict

import numpy as np
import pandas as pd

from kerasfaces.attribute import openset
from kerasfaces.attribute.classes import REAL
from kerasfaces.attribute.heads import Answers
from kerasfaces.core.files import atomic_path


class RealSource(TypedDict):
    """Real test images of one source: how many, and how many were called what."""

    source: str
    n: int
    called: dict[str, int]


def table(
    rows: pd.DataFrame, reasons: list[str], answers: Answers, split: str | None = None
) -> pd.DataFrame:
    """Return attribution_<split>.csv: one row per manifest row.

    Args:
        rows: All rows of the manifest.
        reasons: Why a row has no answer; empty where it has.
        answers: Of the head with all classes, on the readable rows.
        split: Which rows; None is all.
    """
    readable = np.array([not reason for reason in reasons], dtype=bool)
    everything = np.ones(len(answers.logits), dtype=bool)
    shares = openset.probabilities(answers.logits)
    answered = pd.DataFrame(
        {
            "called": answers.called(everything),
            "closest": openset.closest(answers.logits, answers.names),
            "unknown_score": answers.score,
            **{f"p_{name}": shares[:, k] for k, name in enumerate(answers.names)},
        },
        index=np.flatnonzero(readable),
    )
    frame = rows[["path", "label", "source", "split"]].reset_index(drop=True)
    frame = frame.join(answered).fillna({"called": "", "closest": ""})
    frame["reason"] = reasons
    if split is not None:
        frame = frame[frame["split"] == split]
    return frame.reset_index(drop=True)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table atomically; file names need not be UTF-8."""
    with atomic_path(path) as temporary:
        frame.to_csv(
            temporary,
            index=False,
            lineterminator="\n",
            encoding="utf-8",
            errors="surrogateescape",
        )


def real_sources(rows: pd.DataFrame, answers: Answers) -> list[RealSource]:
    """Return what each set of real test images is called, counts by name."""
    real = answers.known & (rows["label"] == REAL).to_numpy()
    called = pd.Series(answers.called(real), dtype=object)
    sources = rows["source"][real].astype(str).to_numpy()
    return [
        {
            "source": str(source),
            "n": len(names),
            "called": {
                str(k): int(v) for k, v in names.value_counts(sort=False).items()
            },
        }
        for source, names in called.groupby(sources)
    ]
