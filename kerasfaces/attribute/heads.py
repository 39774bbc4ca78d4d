"""A head with all classes, one without each generator, one without every two.

Every head's file is written when it is trained, so that a killed command continues. A head
calls an image unknown by the rule that notices new generators best on validation: every
generator it knows is left out in its turn. What the head itself has never seen was not seen
by those heads either, so that no row of it has a say in the rule it meets, as the unknown or
as a class. With nothing to choose by the rule is `doubt`.
"""

import dataclasses
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from kerasfaces.attribute import classes as class_rules
from kerasfaces.attribute import head as head_rules
from kerasfaces.attribute import openset
from kerasfaces.attribute.classes import NO_CLASS, UNKNOWN, Classes
from kerasfaces.attribute.head import Features, Head
from kerasfaces.attribute.openset import OpenSet
from kerasfaces.core.progress import progress
from kerasfaces.metrics import auc
from kerasfaces.metrics.inputs import Bools, Floats

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False)
class Answers:
    """A head's outputs on all readable rows."""

    left_out: tuple[str, ...]  # the generators it has never seen: none, one or two
    names: tuple[str, ...]  # its classes
    logits: Floats  # `(n, classes)` float64
    scores: dict[str, Floats]  # rule -> `(n,)` float64, how unknown the rows look by it
    points: dict[str, OpenSet]  # rule -> its rejection, calibrated on validation
    rule: str  # the rule in use
    known: Bools  # `(n,)`, test rows of its classes
    unknown: Bools  # `(n,)`, rows of the one generator left out that it has not met

    @property
    def score(self) -> Floats:
        """How unknown the rows look by the rule in use, `(n,)`."""
        return self.scores[self.rule]

    @property
    def point(self) -> OpenSet:
        """The rejection in use."""
        return self.points[self.rule]

    @property
    def measured(self) -> Bools:
        """Known and unknown rows together, `(n,)`."""
        return self.known | self.unknown

    def true(self, rows: pd.DataFrame) -> list[str]:
        """Return the class of measured rows, `unknown` for the generator left out."""
        return [
            UNKNOWN if name not in self.names else name
            for name in class_rules.truth(rows)
        ]

    def called(self, rows: Bools) -> list[str]:
        """Return what some of the readable rows are called, `unknown` included."""
        return self.point.call(self.logits[rows], self.score[rows], self.names)


def plan(classes: Classes) -> list[tuple[str, ...]]:
    """Return what each head leaves out: nothing, each generator, every two of them.

    Something to tell real images from must be left.
    """
    return [
        left_out
        for count in (0, 1, 2)
        if count < len(classes.generators)
        for left_out in itertools.combinations(classes.generators, count)
    ]


def train_all(
    rows: pd.DataFrame,
    read: Callable[[], Features],
    classes: Classes,
    file_of: Callable[[int], Path],
    l2: float,
    reject: float,
) -> list[Answers]:
    """Train every head of `plan` that is not in the folder yet.

    Args:
        rows: Readable rows, RangeIndex.
        read: Returns their features `(n, d)`.
        classes: The classes.
        file_of: Number of a head -> its file.
        l2: See `head.fit`.
        reject: See `openset.calibrate`.

    Returns:
        The head with all classes and those without one generator, each with its rule.
    """
    features = read()
    answers: dict[tuple[str, ...], Answers] = {}
    heads = plan(classes)
    with progress(len(heads), "heads", "head") as add:
        for number, left_out in enumerate(heads):
            answers[left_out] = _answers(
                rows, features, classes, left_out, file_of(number), l2, reject
            )
            add(1)
    return [
        dataclasses.replace(each, rule=_best_rule(rows, answers, classes, left_out))
        for left_out, each in answers.items()
        if len(left_out) < 2
    ]


def _answers(
    rows: pd.DataFrame,
    features: Features,
    classes: Classes,
    left_out: tuple[str, ...],
    path: Path,
    l2: float,
    reject: float,
) -> Answers:
    names = tuple(name for name in classes.names if name not in left_out)
    number = classes.only(names).of(rows)
    split = rows["split"].to_numpy()
    train, val, test = (
        (number != NO_CLASS) & (split == part) for part in class_rules.SPLITS
    )
    head = Head.load(path) if path.exists() else None
    if head is None or head.names != names:  # images were lost since: other classes
        logger.info(
            "training on %d images of %d classes%s",
            train.sum(),
            len(names),
            f", without {' and '.join(left_out)}" if left_out else "",
        )
        head = head_rules.fit(features[train], number[train], names, l2)
        head.save(path)
    logits, distances = head(features)
    points = {
        rule: openset.calibrate(logits[val], distances[val], number[val], reject, rule)
        for rule in openset.RULES
    }
    unknown = np.zeros(len(rows), dtype=bool)
    if len(left_out) == 1:
        unknown = class_rules.without(rows, *left_out)
    scores = {rule: point.score(logits, distances) for rule, point in points.items()}
    return Answers(left_out, names, logits, scores, points, "doubt", test, unknown)


def _best_rule(
    rows: pd.DataFrame,
    answers: Mapping[tuple[str, ...], Answers],
    classes: Classes,
    left_out: Sequence[str],
) -> str:
    """Return the rule of the largest mean AUROC over the generators a head knows."""
    aurocs = []
    for name in classes.generators:
        both = tuple(n for n in classes.generators if n == name or n in left_out)
        if name not in left_out and both in answers:
            aurocs.append(_aurocs(rows, answers[both], classes, name))
    mean = {rule: sum(each[rule] for each in aurocs if each) for rule in openset.RULES}
    return max(openset.RULES, key=lambda rule: mean[rule])


def _aurocs(
    rows: pd.DataFrame, answers: Answers, classes: Classes, generator: str
) -> dict[str, float]:
    """Return rule -> AUROC of a generator's validation rows against the known ones."""
    val = (rows["split"] == "val").to_numpy()
    new = val & class_rules.without(rows, generator, answers.left_out)
    known = val & (classes.only(answers.names).of(rows) != NO_CLASS)
    if not new.any():
        return {}
    shown = new | known
    return {
        rule: auc(new[shown], score[shown]) for rule, score in answers.scores.items()
    }
