"""A table's labels -> real or fake, by their words, by what the user says, or both."""

import logging
import re

from kerasfaces import tables
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.manifest.table import LABELS
from kerasfaces.tables.columns import lines_text

logger = logging.getLogger(__name__)
_NAME = re.compile(r"label|class|target")  # how the name of such a column begins


def of_words(table: tables.Table) -> list[str]:
    """Return the columns named like labels whose cells are all real or fake."""
    names = [name for name in table.header if _NAME.match(name.lower())]
    return [name for name in names if set(_words(table, name)) <= set(LABELS)]


def read(
    table: tables.Table, column: str, real_is: str = "", *, chosen: bool = False
) -> list[str]:
    """Return real or fake for every row.

    Other values than these words mean what `real_is` says, else what a second column says
    in words (`label` 1 beside `label_str` real). Where the user has `chosen` the column and
    it has words, no other one contradicts it.

    Raises:
        InputError: A value means neither, or a column of words contradicts.
    """
    words = _words(table, column)
    are_labels = set(words) <= set(LABELS)
    decided = chosen and not real_is and are_labels
    others = [] if decided else [name for name in of_words(table) if name != column]
    beside = others[0] if others else ""
    by_words = _words(table, beside) if beside else []
    if real_is:
        labels = _numbered(table, words, _word(real_is))
    elif are_labels:
        labels = words
    elif by_words:
        _explain(table, column, beside, words, by_words)
        return by_words
    else:
        raise InputError(_unknown_label(table, table.column(column), words))
    against = [i for i, word in enumerate(by_words) if word != labels[i]]
    if against:
        i = against[0]
        column_of = f"say which column holds: `columns={{'label': {column!r}}}`"
        raise InputError(
            f"{table.path}, line {table.lines[i]}: {quoted(beside)} says {by_words[i]}, "
            f"{quoted(column)} says {labels[i]} ({len(against):,} of {len(by_words):,} rows "
            f"contradict); correct the table, or {'`real_is`' if real_is else column_of}."
        )
    return labels


def _numbered(table: tables.Table, words: list[str], real: str) -> list[str]:
    """Return real where a row has that value, fake where it has the other."""
    values = sorted(set(words))
    if real not in words or len(values) > 2 or "" in words:
        raise InputError(
            f"{table.path}: labels are {', '.join(map(quoted, values[:6]))}; expected "
            f"{quoted(real)} for real and one other value for fake."
        )
    return ["real" if word == real else "fake" for word in words]


def _explain(
    table: tables.Table, column: str, beside: str, words: list[str], by_words: list[str]
) -> None:
    """Say which value stands for which class; refuse one that stands for both."""
    meaning = dict(zip(words, by_words, strict=True))
    for i, word in enumerate(words):
        if meaning[word] != by_words[i]:
            raise InputError(
                f"{table.path}, line {table.lines[i]}: {quoted(column)} is {quoted(word)} beside "
                f"{quoted(beside)} both real and fake; correct the table, or say which column "
                f"holds: `columns={{'label': {beside!r}}}`."
            )
    logger.warning(
        "%s: in column %s %s, as column %s says in words.",
        table.path,
        quoted(column),
        " and ".join(f"{quoted(a)} means {b}" for a, b in list(meaning.items())[:6]),
        quoted(beside),
    )


def _unknown_label(table: tables.Table, cells: list[str], words: list[str]) -> str:
    bad = [i for i, word in enumerate(words) if word not in LABELS]
    others = sorted({cells[i].strip() for i in bad})
    labels = set(words) & set(LABELS)
    what = (
        f"{table.path}, {lines_text([table.lines[i] for i in bad])}: label "
        f"{quoted(cells[bad[0]])}; expected real or fake."
    )
    if len(labels) > 1 or len(labels) + len(others) != 2:
        return f"{what} Correct these rows."
    real = "real" if "real" in labels else others[-1]
    return f"{what} Say which value means real, e.g. `real_is={quoted(real)}`."


def _words(table: tables.Table, name: str) -> list[str]:
    return [_word(cell) for cell in table.column(name)]


def _word(cell: str) -> str:
    return cell.strip().lower().removesuffix(".0")
