"""Heads with all classes, without each generator, without every two; each is kept when done."""

import dataclasses
import itertools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.attribute import classes as class_rules
from kerasfaces.attribute import distance, openset, softmax
from kerasfaces.attribute.classes import NO_CLASS, REAL, UNKNOWN, Classes
from kerasfaces.attribute.openset import OpenSet
from kerasfaces.attribute.softmax import Features
from kerasfaces.core.files import atomic_path
from kerasfaces.core.progress import progress
from kerasfaces.metrics.inputs import Bools, Floats

logger = logging.getLogger(__name__)
FOLDER = "heads"


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """What a head says of rows.

    Attributes:
        left_out: The generators it has never seen: none, one or two.
        names: Its classes.
        logits: `(n, classes)` float64 of all readable rows.
        scores: Rule -> `(n,)` float64, how unknown they look by it.
        points: Rule -> its rejection, calibrated on validation.
        rule: The one in use; see `rules.chosen`.
        known: `(n,)`, test rows of its classes.
        unknown: `(n,)`, rows of the one generator left out that it has not met.
    """

    left_out: tuple[str, ...]
    names: tuple[str, ...]
    logits: Floats
    scores: dict[str, Floats]
    points: dict[str, OpenSet]
    rule: str
    known: Bools
    unknown: Bools

    @property
    def score(self) -> Floats:
        """How unknown the rows look by the rule in use, `(n,)`."""
        return self.scores[self.rule]

    @property
    def point(self) -> OpenSet:
        """The rejection in use."""
        return self.points[self.rule]

    def true(self, rows: pd.DataFrame) -> list[str]:
        """Return what measured rows are, `unknown` for those of the generator left out."""
        return [
            UNKNOWN if name not in self.names else name
            for name in class_rules.truth(rows)
        ]

    @property
    def measured(self) -> Bools:
        """Known and unknown rows together, `(n,)`."""
        return self.known | self.unknown


def plan(found: Classes) -> list[tuple[str, ...]]:
    """Return what each head leaves out: nothing, each generator, every two of them.

    Something to tell real images from must be left.
    """
    return [
        left_out
        for count in (0, 1, 2)
        if count < len(found.generators)
        for left_out in itertools.combinations(found.generators, count)
    ]


def train_all(
    rows: pd.DataFrame,
    read: Any,
    found: Classes,
    folder: Path,
    l2: float,
    reject: float,
) -> dict[tuple[str, ...], Answers]:
    """Train every head of `plan` that is not in the folder yet; each rejects by doubt.

    Args:
        rows: Readable rows, RangeIndex.
        read: Returns their features `(n, d)`.
        found: The classes.
        folder: The run folder; heads are kept in `heads/`.
        l2: See `softmax.fit`.
        reject: See `openset.calibrate`.

    Returns:
        What was left out -> answers of that head.
    """
    features: Features = read()
    answers = {}
    left_out = plan(found)
    with progress(len(left_out), "heads", "head") as add:
        for number, without in enumerate(left_out):
            path = folder / FOLDER / f"{number:03d}.npz"
            answers[without] = _one(rows, features, found, without, path, l2, reject)
            add(1)
    return answers


def _one(
    rows: pd.DataFrame,
    features: Features,
    found: Classes,
    left_out: Sequence[str],
    path: Path,
    l2: float,
    reject: float,
) -> Answers:
    names = tuple(name for name in found.names if name not in left_out)
    number = found.only(names).of(rows)
    split = rows["split"].to_numpy()
    used = (number != NO_CLASS) & (split == "train")
    head = softmax.Head.load(path) if path.exists() else None
    if head is None or head.names != names:  # images were lost since: other classes
        space_of(path).unlink(missing_ok=True)
        logger.info(
            "training on %d images of %d classes%s",
            used.sum(),
            len(names),
            f", without {' and '.join(left_out)}" if left_out else "",
        )
        head = softmax.fit(features[used], number[used], names, l2)
        head.save(path)
    beside = space_of(path)
    if beside.exists():
        space = distance.Space.load(beside)
    else:
        space = distance.fit(head, features[used], number[used])
        space.save(beside)
    logits, far = head(features), space(head, features)
    val = (number != NO_CLASS) & (split == "val")
    points = {
        rule: openset.calibrate(logits[val], far[val], number[val], reject, rule)
        for rule in openset.RULES
    }
    unknown = np.zeros(len(rows), dtype=bool)
    if len(left_out) == 1:
        unknown = class_rules.without(rows, *left_out)
    return Answers(
        left_out=tuple(left_out),
        names=names,
        logits=logits,
        scores={rule: point.score(logits, far) for rule, point in points.items()},
        points=points,
        rule="doubt",
        known=(number != NO_CLASS) & (split == "test"),
        unknown=unknown,
    )


def space_of(head: Path) -> Path:
    """Return the file beside a head's that says where its classes lie."""
    return head.with_name(f"{head.stem}-space.npz")


def table(
    rows: pd.DataFrame,
    reasons: list[str],
    answers: Answers,
    split: str | None = None,
) -> pd.DataFrame:
    """Return attribution_<split>.csv: one row per manifest row.

    Args:
        rows: All rows of the manifest.
        reasons: Why a row has no answer; empty where it has.
        answers: Of the head with all classes, on the readable rows.
        split: Which rows; None is all.
    """
    readable = np.array([not reason for reason in reasons], dtype=bool)
    chosen = (rows["split"] == (split or rows["split"])).to_numpy()
    kept = ["path", "label", "source", "split"]
    out = rows.loc[chosen, kept].reset_index(drop=True)
    inside = readable[chosen]
    logits = answers.logits[chosen[readable]]
    score = answers.score[chosen[readable]]
    called = answers.point.call(logits, score, answers.names)
    out["called"] = _filled(inside, called, "")
    out["closest"] = _filled(inside, openset.closest(logits, answers.names), "")
    out["unknown_score"] = _filled(inside, score.tolist(), np.nan)
    share = openset.probabilities(logits)
    for index, name in enumerate(answers.names):
        out[f"p_{name}"] = _filled(inside, share[:, index].tolist(), np.nan)
    out["reason"] = [why for why, own in zip(reasons, chosen, strict=True) if own]
    return out


def called_of(answers: Answers, rows: Bools) -> list[str]:
    """Return what some of the readable rows are called, `unknown` included."""
    return answers.point.call(answers.logits[rows], answers.score[rows], answers.names)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a table atomically; file names need not be UTF-8."""
    text = frame.to_csv(index=False, lineterminator="\n")
    with atomic_path(path) as temporary:
        temporary.write_text(
            text, encoding="utf-8", errors="surrogateescape", newline=""
        )


def real_sources(rows: pd.DataFrame, answers: Answers) -> list[dict[str, Any]]:
    """Return what each set of real test images is called, counts by name."""
    measured = answers.known & (rows["label"] == REAL).to_numpy()
    called = called_of(answers, measured)
    counts: dict[str, dict[str, int]] = {}
    for source, name in zip(rows["source"][measured], called, strict=True):
        own = counts.setdefault(str(source), {})
        own[name] = own.get(name, 0) + 1
    return [
        {"source": source, "n": sum(own.values()), "called": own}
        for source, own in sorted(counts.items())
    ]


def _filled(inside: Bools, values: list[Any], empty: Any) -> NDArray[Any]:
    out = np.full(len(inside), empty, dtype=object if empty == "" else np.float64)
    out[inside] = values
    return out
