"""What the package logs, on stderr: for commands and for the processes they start."""

import logging

from kerasfaces.core.texts import safe

logger = logging.getLogger("kerasfaces")


class _Printable(logging.Formatter):
    """Makes control characters visible: names out of files reach a terminal here."""

    def format(self, record: logging.LogRecord) -> str:
        return safe(super().format(record))


def log_to_stderr() -> None:
    """Show what the package logs on stderr; every process calls it for itself."""
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(_Printable("%(levelname)s: %(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
