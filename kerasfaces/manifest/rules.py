"""What a single row may hold, and what is wrong with rows."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.tables.columns import lines_text

LABELS = ("real", "fake")
SPLITS = ("train", "val", "test")


def require_splits(split_names: Mapping[str, str]) -> None:
    """Refuse a mapping of split names to anything but ours.

    Raises:
        InputError: With the first name that is no split.
    """
    wrong = sorted(set(split_names.values()) - set(SPLITS))
    if wrong:
        raise InputError(
            f"`split_names`: {quoted(wrong[0])} is none of {', '.join(SPLITS)}."
        )


@dataclasses.dataclass(frozen=True)
class Finding:
    """Something wrong with one row.

    Attributes:
        kind: Short name of the rule that was broken, e.g. `duplicate path`.
        line: Line number in the manifest (1 = header) where the row starts.
        path: The row's path as written.
        detail: Expected and actual value.
    """

    kind: str
    line: int
    path: str
    detail: str


@dataclasses.dataclass(frozen=True)
class _Rule:
    kind: str
    column: str
    valid: Callable[[str], object]
    expected: str


_IS_COUNT = re.compile(r"([1-9][0-9]*)?").fullmatch
_IS_HEX = re.compile(r"([0-9a-f]{64})?").fullmatch
_RULES = (
    _Rule(
        "missing path",
        "path",
        lambda text: text.strip() and "\0" not in text,
        "the image's file name",
    ),
    _Rule("unknown label", "label", LABELS.__contains__, "real or fake"),
    _Rule("missing source", "source", str.strip, "a name"),
    _Rule("unknown split", "split", ("", *SPLITS).__contains__, "train, val or test"),
    _Rule("bad width_px", "width_px", _IS_COUNT, "a whole number"),
    _Rule("bad height_px", "height_px", _IS_COUNT, "a whole number"),
    _Rule("bad sha256", "sha256", _IS_HEX, "64 lower-case hex digits"),
    _Rule("bad phash", "phash", _IS_HEX, "64 lower-case hex digits"),
)


def row_findings(
    rows: pd.DataFrame, absolute_paths: Sequence[str], lines: Sequence[int]
) -> list[Finding]:
    """Return what is wrong with single rows, and repeated paths.

    Args:
        rows: A manifest's table of text.
        absolute_paths: Each row's path in absolute form, for comparison.
        lines: Each row's line number.
    """
    paths = rows["path"].tolist()
    findings = [
        Finding(
            rule.kind,
            lines[i],
            paths[i],
            f"expected {rule.expected}, got {quoted(value)}.",
        )
        for rule in _RULES
        if rule.column in rows
        for i, value in enumerate(rows[rule.column].tolist())
        if not rule.valid(value)
    ]
    first: dict[str, int] = {}
    for i, full in enumerate(absolute_paths):
        if paths[i] and first.setdefault(full, i) != i:
            detail = f"{quoted(paths[i])} is already in line {lines[first[full]]}."
            findings.append(Finding("duplicate path", lines[i], paths[i], detail))
    return findings


def summary(findings: Sequence[Finding]) -> str:
    """Return the first kind of finding as one sentence with its lines and the count."""
    kind, detail = findings[0].kind, findings[0].detail
    lines = [finding.line for finding in findings if finding.kind == kind]
    text = f"{kind} in {lines_text(lines)}: {detail}"
    rest = len(findings) - len(lines)
    if rest:
        text += f" {rest} more of other kinds; kerasfaces manifest check lists all."
    return text
