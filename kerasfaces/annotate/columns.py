"""What annotators said -> columns of a manifest.

For each attribute x: `attr_x`, the value, empty where nobody is sure;
`annotated_x_confidence` and `annotated_x_raw` of the first annotator that is sure;
`annotated_x_by`: an annotator's name, `stated` (the manifest said so before) or `hand` (a
correction), or why it stays empty. Of these only `attr_x` is an attribute. Annotators that are sure of different values leave it empty.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from kerasfaces.annotate.answers import Answers
from kerasfaces.annotate.contract import Answer, Attribute, decide, split
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted
from kerasfaces.manifest.table import column

STATED, HAND = "stated", "hand"
UNSURE, DISAGREE, NO_WORD = "not sure", "annotators disagree", "no word for it"


@dataclasses.dataclass(frozen=True)
class Judged:
    """One attribute as its annotators see it, per row.

    Attributes:
        attribute: The attribute as the first annotator declares it.
        by: Names of the annotators, the first first.
        answers: Annotator -> per row its answer, or None.
        reasons: Per row, why the first has no answer; empty where it has one.
        thresholds: Annotator -> confidence from which it counts.
    """

    attribute: Attribute
    by: tuple[str, ...]
    answers: Mapping[str, Sequence[Answer | None]]
    reasons: Sequence[str]
    thresholds: Mapping[str, float]

    def is_answered(self, at: int) -> bool:
        """Tell whether any annotator looked at the face of a row."""
        return any(answers[at] is not None for answers in self.answers.values())


def judged(
    attributes: Mapping[str, Sequence[Attribute]],
    answers: Answers,
    thresholds: Mapping[str, float],
) -> dict[str, Judged]:
    """Return every attribute's answers.

    Args:
        attributes: Annotator -> what it tells, in the order in which annotators count.
        answers: What each annotator answered, row by row.
        thresholds: Attribute -> confidence that a user wants instead of the annotators'.
    """
    by_attribute: dict[str, dict[str, Attribute]] = {}
    for name, own in attributes.items():
        for attribute in own:
            by_attribute.setdefault(attribute.name, {})[name] = attribute
    rows: dict[str, Judged] = {}
    for each, by_annotator in by_attribute.items():
        first = next(iter(by_annotator))
        rows[each] = Judged(
            by_annotator[first],
            tuple(by_annotator),
            {
                name: _answers(attributes[name], attribute, answers.numbers[name])
                for name, attribute in by_annotator.items()
            },
            answers.reasons[first],
            {
                name: thresholds.get(each, attribute.min_confidence)
                for name, attribute in by_annotator.items()
            },
        )
    return rows


def _answers(
    own: Sequence[Attribute], attribute: Attribute, numbers: Sequence[object]
) -> list[Answer | None]:
    at = list(own).index(attribute)
    return [
        None if each is None else decide(attribute, split(tuple(own), each)[at])  # type: ignore[arg-type]
        for each in numbers
    ]


def annotated(one: Judged) -> list[tuple[str, str, str, str]]:
    """Return per row value, confidence, by and raw class, as texts.

    Confidence and raw class are those of the first annotator that is sure, else of the first
    that answered.
    """
    cells = []
    for at, reason in enumerate(one.reasons):
        answers = {
            name: answer
            for name in one.by
            if (answer := one.answers[name][at]) is not None
        }
        if not answers:
            cells.append(("", "", reason, ""))
            continue
        sure = {
            name: answer
            for name, answer in answers.items()
            if answer.confidence >= one.thresholds[name]
        }
        shown = next(iter((sure or answers).values()))
        value, why = _agreed(sure, one.attribute)
        cells.append((value, f"{shown.confidence:.3f}", why, shown.raw))
    return cells


def _agreed(sure: Mapping[str, Answer], attribute: Attribute) -> tuple[str, str]:
    """Return the value of those who are sure and their names, or nothing and why."""
    if not sure:
        return "", UNSURE
    if attribute.numbers:
        name = next(iter(sure))
        return sure[name].value, name
    values = {answer.value for answer in sure.values()}
    if len(values) > 1:
        return "", DISAGREE
    (value,) = values
    return value, " and ".join(sure) if value else NO_WORD


def stated(rows: pd.DataFrame, name: str) -> list[str]:
    """Return per row the value that somebody stated of an attribute; else empty.

    What an annotator wrote into a manifest earlier is nobody's statement.
    """
    pairs = zip(
        column(rows, f"attr_{name}"), column(rows, f"annotated_{name}_by"), strict=True
    )
    return [value if who in ("", STATED, HAND) else "" for value, who in pairs]


def joined(
    rows: pd.DataFrame, everything: Mapping[str, Judged], corrections: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows with every attribute's columns.

    A correction wins over what the rows state, and that over an annotator.

    Args:
        rows: Rows of a manifest, one per image.
        everything: Attribute -> its answers.
        corrections: Columns `attr_x`, one row per row; empty cells correct nothing.

    Raises:
        InputError: A correction is no value of its attribute.
    """
    names = dict.fromkeys(everything)
    names |= dict.fromkeys(each.removeprefix("attr_") for each in corrections.columns)
    cells: dict[str, list[str]] = {}
    for name in names:
        one = everything.get(name)
        given = annotated(one) if one else [("", "", "", "")] * len(rows)
        before, by = stated(rows, name), column(rows, f"annotated_{name}_by")
        hand = column(corrections, f"attr_{name}")
        if one:
            _check(hand, one.attribute)
        lines = []
        every = zip(given, before, by, hand, strict=True)
        for (value, confidence, why, raw), old, who, own in every:
            if own or old:
                why = HAND if own or who == HAND else STATED
                value, confidence = own or old, ""
            lines.append((value, confidence, why, raw))
        kinds = ("confidence", "by", "raw")
        heads = (f"attr_{name}", *(f"annotated_{name}_{each}" for each in kinds))
        columns = zip(*lines, strict=True) if lines else ([],) * len(heads)
        cells |= {head: list(texts) for head, texts in zip(heads, columns, strict=True)}
    return with_texts(rows, cells)


def with_texts(rows: pd.DataFrame, cells: Mapping[str, list[str]]) -> pd.DataFrame:
    """Return the rows with other columns of texts."""
    own = {name: pd.Series(texts, rows.index, str) for name, texts in cells.items()}
    return rows.assign(**own)


def _check(values: Sequence[str], attribute: Attribute) -> None:
    is_value = _is_number if attribute.numbers else attribute.classes.__contains__
    known = "a number" if attribute.numbers else f"one of {listed(attribute.classes)}"
    wrong = [value for value in values if value and not is_value(value)]
    if wrong:
        raise InputError(
            f"corrections: {quoted(wrong[0])} is no value of {attribute.column}; expected "
            f"{known}, or nothing to leave the annotator's."
        )


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < 150
    except ValueError:
        return False
