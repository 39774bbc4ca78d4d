"""What the package logs, on stderr: for commands and for the processes they start."""

import logging
from collections.abc import Callable

from kerasfaces.core.texts import safe

logger = logging.getLogger("kerasfaces")


class _Printable(logging.Formatter):
    """Makes control characters visible: names out of files reach a terminal here."""

    def __init__(self, spell: Callable[[str], str]) -> None:
        super().__init__("%(levelname)s: %(message)s")
        self._spell = spell

    def format(self, record: logging.LogRecord) -> str:
        return safe(self._spell(super().format(record)))


def log_to_stderr(spell: Callable[[str], str] = str) -> None:
    """Show what the package logs on stderr; every process calls it for itself.

    Args:
        spell: Changes each line, such as into the words of the command line.
    """
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Printable(spell))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
