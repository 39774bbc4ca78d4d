"""A run folder -> the numbers of the document's tables.

Everything is measured on the test split at the threshold frozen on validation.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments.framework.measured import class_report
from experiments.framework.rows import Measured
from experiments.kabber2023 import published
from kerasfaces.evaluate import groups
from kerasfaces.metrics import Confusion, confusion, rate
from kerasfaces.run import predictions
from kerasfaces.run.folder import ScoredRun

PER_GROUP = 200  # the document's sample of each facial attribute


class Measures:
    """A finished run's test split.

    Attributes:
        frame: Its predictions.
        point: Its operating point.
        entry: Its metrics.json, test split, all rows.
    """

    def __init__(self, folder: Path) -> None:
        """Read the run folder."""
        run = ScoredRun(folder)
        self.frame, self.point = run.predictions("test"), run.operating_point
        self.entry = run.measured("test")

    def confusion(self) -> Confusion:
        """Count the four outcomes."""
        rows = predictions.readable(self.frame)
        return confusion(rows["label"], rows["score"], self.point.threshold)


def cell(run: Measures, wanted: published.Cell) -> Measured:
    """Return our number in a cell of tables 5, 7, 8 or the text."""
    if wanted.table == "table 8":
        return _count(run.confusion(), wanted.row, wanted.metric)
    if wanted.table == "table 5" and wanted.row != "fake":
        return class_report(run.confusion(), wanted.row, wanted.metric)
    if wanted.metric == "support":
        n_fake = run.confusion().n_fake
        return Measured(value=float(n_fake), n=n_fake)
    return Measured.of(run.entry[wanted.metric], run.entry["n"])


def group(run: Measures, wanted: published.Group) -> tuple[str, Measured] | None:
    """Return the metric that these rows allow for a facial category, and its number.

    Accuracy where both classes carry the label; the false-alarm rate where reals alone
    do, the miss rate where fakes alone do; None where no test image does.
    """
    frame = labelled(run.frame, wanted)
    sampled = groups.sample(frame, wanted.column, run.point, PER_GROUP, seed=0)
    if wanted.row not in sampled:
        return None
    sample = sampled[wanted.row]
    right = Measured.of(sample["accuracy"], sample["n"])
    if sample["n_real"] and sample["n_fake"]:
        return "accuracy", right
    name = "miss_rate" if sample["n_fake"] else "false_alarm_rate"
    wrong = Measured(
        value=1 - right.value, low=1 - right.high, high=1 - right.low, n=right.n
    )
    return name, wrong


def labelled(frame: pd.DataFrame, wanted: published.Group) -> pd.DataFrame:
    """Return the rows with the category's labels renamed as the document's line."""
    cells = frame.get(wanted.column, pd.Series("", index=frame.index))
    known = cells.str.lower().isin(wanted.values)
    return frame.assign(**{wanted.column: np.where(known, wanted.row, "")})


def _count(c: Confusion, row: str, called: str) -> Measured:
    """Return a cell of the confusion matrix; its interval is its share's, in images."""
    n = c.n_real if row == "real" else c.n_fake
    counts = {
        ("real", "called real"): c.passes,
        ("real", "called fake"): c.alarms,
        ("fake", "called real"): c.misses,
        ("fake", "called fake"): c.hits,
    }
    share = rate(counts[row, called], n)
    return Measured(value=share.value * n, low=share.low * n, high=share.high * n, n=n)
