"""Other people's texts in our sentences: short enough to read, safe on a terminal.

A value out of somebody's file or command is quoted by `quoted`: at most 80 characters,
one line, no control character. Only the path of a file that the user named is shown
whole, by `plain`, so that it can be found.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

LIMIT = 80  # characters of a quoted value, quotes and dots included
_DOTS = "..."


def quoted(value: object, limit: int = LIMIT) -> str:
    r"""Return a value as `repr` shows it, at most `limit` characters on one line.

    The middle is left out: the beginning says what it is, the end names the file.

    Args:
        value: A text, bytes or any other object.
        limit: Characters, quotes included.

    Example:
        >>> quoted("two\nlines")
        "'two\\nlines'"
        >>> len(quoted("x" * 1000))
        80
    """
    if not isinstance(value, str):
        return shortened(repr(value[:limit] if isinstance(value, bytes) else value))
    text = str(value)
    if len(text) <= limit and len(shown := repr(text)) <= limit:
        return shown
    room = limit - 2 - len(_DOTS)
    head = _fitting(text[:limit], room * 3 // 5)
    tail = _fitting(text[: -limit - 1 : -1], room - room * 3 // 5)
    return f"'{''.join(head)}{_DOTS}{''.join(reversed(tail))}'"


def listed(values: Sequence[str], n_shown: int = 12) -> str:
    """Return the first names separated by commas, each printable and short."""
    shown = ", ".join(shortened(plain(each)) for each in values[:n_shown])
    more = f", ... ({len(values)} in all)" if len(values) > n_shown else ""
    return shown + more


def shortened(text: str, limit: int = LIMIT) -> str:
    """Return the text without its middle where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    head = (limit - len(_DOTS)) * 3 // 5
    return text[:head] + _DOTS + text[head + len(_DOTS) - limit :]


def near_hint(name: object, known: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the known name that is near; empty without one."""
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f" Did you mean {quoted(near[0])}?" if near else ""


def plain(text: object) -> str:
    """Return one line of text that can be shown, control characters made visible."""
    return "".join(map(_visible, str(text)))


def safe(message: object) -> str:
    """Return a message for a terminal: as `plain`, but its own lines stay lines."""
    return "\n".join(map(plain, str(message).split("\n")))


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] != "C" and category not in ("Zl", "Zp"):
        return character
    return character.encode("unicode_escape", "backslashreplace").decode()


def _fitting(text: str, room: int) -> list[str]:
    """Return the escaped characters from the start on that fit into `room`."""
    fitting: list[str] = []
    for character in text:
        escaped = "\\'" if character == "'" else repr(character)[1:-1]
        room -= len(escaped)
        if room < 0:
            break
        fitting.append(escaped)
    return fitting
