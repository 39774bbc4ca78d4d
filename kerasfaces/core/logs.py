"""What the package logs, on stderr: for commands and for the processes they start."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from kerasfaces.core.texts import safe

logger = logging.getLogger("kerasfaces")
Record = tuple[str, int, str]  # logger's name, level, message


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
    if not _shown():
        handler = logging.StreamHandler()
        handler.setFormatter(_Printable(spell))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class _Keeper(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    def emit(self, record: logging.LogRecord) -> None:
        if _shown():  # the task sees to it by itself
            return
        self.records.append((record.name, record.levelno, record.getMessage()))


def _shown() -> bool:
    return any(not isinstance(each, _Keeper) for each in logger.handlers)


@contextmanager
def kept() -> Iterator[list[Record]]:
    """Collect what the package logs in a process that shows nothing itself."""
    keeper = _Keeper()
    logger.addHandler(keeper)
    try:
        yield keeper.records
    finally:
        logger.removeHandler(keeper)


def log_again(records: Sequence[Record]) -> None:
    """Log what `kept` collected in another process."""
    for name, level, message in records:
        logging.getLogger(name).log(level, "%s", message)
