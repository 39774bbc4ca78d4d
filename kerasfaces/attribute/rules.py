"""Heads' answers -> the rule by which each calls an image unknown.

A head's rule is the one that notices new generators best on validation: every generator it
knows is left out in its turn. What the head itself has never seen was not seen by those heads
either, so that no row of it has a say in the rule it meets, as the unknown or as a class.
With nothing to choose by the rule is `doubt`.
"""

import dataclasses
from collections.abc import Mapping

import pandas as pd

from kerasfaces.attribute import classes as class_rules
from kerasfaces.attribute import openset
from kerasfaces.attribute.classes import NO_CLASS, Classes
from kerasfaces.attribute.heads import Answers
from kerasfaces.metrics import auc


def chosen(
    rows: pd.DataFrame,
    answers: Mapping[tuple[str, ...], Answers],
    classes: Classes,
) -> list[Answers]:
    """Return the head with all classes and those without one generator, each with its rule.

    Args:
        rows: Readable rows.
        answers: Of every head; see `heads.train_all`.
        classes: The classes.
    """
    return [
        dataclasses.replace(each, rule=_best(rows, answers, classes, left_out))
        for left_out, each in answers.items()
        if len(left_out) < 2
    ]


def _best(
    rows: pd.DataFrame,
    answers: Mapping[tuple[str, ...], Answers],
    classes: Classes,
    left_out: tuple[str, ...],
) -> str:
    known = [name for name in classes.generators if name not in left_out]
    measured = []
    for name in known:
        without = tuple(n for n in classes.generators if n == name or n in left_out)
        if without in answers:
            measured.append(_quality(rows, answers[without], classes, name))
    quality = [each for each in measured if each]
    mean = {
        rule: sum(each[rule] for each in quality) / max(1, len(quality))
        for rule in openset.RULES
    }
    return max(openset.RULES, key=lambda rule: mean[rule])


def _quality(
    rows: pd.DataFrame, answers: Answers, classes: Classes, generator: str
) -> dict[str, float]:
    """Return rule -> AUROC of a generator's validation rows against the known ones."""
    val = (rows["split"] == "val").to_numpy()
    new = val & class_rules.without(rows, generator, answers.left_out)
    known = val & (classes.only(answers.names).of(rows) != NO_CLASS)
    if not new.any():
        return {}
    measured = new | known
    return {
        rule: auc(new[measured], score[measured])
        for rule, score in answers.scores.items()
    }
