"""An answer to a picture, as lines on a terminal or in a stream of JSON."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kerasfaces.core.texts import plain

if TYPE_CHECKING:
    from kerasfaces.serve.answer import Answer

_INDENT = 13


def as_json(answer: "Answer") -> str:
    """Return the answer as a line: first `path`, `verdict`, `score`, `logit`, `reason`."""
    values = answer.to_dict()
    verdict, reason = values.pop("verdict"), values.pop("reason")
    first = {
        "path": values.pop("name"),
        "verdict": None if verdict == "unreadable" else verdict,
        "score": values.pop("score"),
        "logit": values.pop("logit"),
        "reason": reason or None,
    }
    return json.dumps(first | values)


def as_text(answer: "Answer", *, alone: bool) -> Iterator[str]:
    """Yield the answer as a line, and all else below it where it is the only one."""
    path = plain(answer.name)
    if answer.verdict == "unreadable":
        yield f"{'-':<9}  {'-':>6}  {'-':>8}  {path}: {answer.reason}"
    else:
        numbers = f"{answer.score:6.4f}  {answer.logit:8.3f}"
        yield f"{answer.verdict:<9}  {numbers}  {path}"
    if alone:
        from kerasfaces.serve import wording

        yield from (
            f"{heading:<{_INDENT}}{sentence}"
            for heading, sentence in wording.lines(answer)
        )
