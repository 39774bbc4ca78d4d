"""Failures: a status in a table, the whole traceback in a file beside the runs."""

import logging
import re
import traceback
from pathlib import Path

from experiments.framework.rows import FAILED
from kerasfaces.core.files import write_text

logger = logging.getLogger("kerasfaces.experiments")
_LONGEST = 60  # letters of a reason that fit into a table
_FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/:'\"]+/)+")


def line(reason: str) -> str:
    """Return a reason on one line, without this machine's folders: results travel."""
    return " ".join(_FOLDERS.sub("", reason).split())


def status(error: BaseException | str) -> str:
    """Return a row's status: as much of the reason as a table has room for."""
    why = line(str(error)) or type(error).__name__
    cut = why if len(why) <= _LONGEST else why[: _LONGEST - 3] + "..."
    return FAILED + cut


def write(folder: Path, label: str, error: BaseException) -> str:
    """Write the traceback to `folder/failures/<label>.txt`; return the status.

    Args:
        folder: Folder of the experiment, or of all.
        label: Name of the part that broke.
        error: The reason.
    """
    path = folder / "failures" / f"{label}.txt"
    write_text(path, "".join(traceback.format_exception(error)))
    why = status(error)
    logger.error("%s %s (the whole traceback: %s); the rest goes on", label, why, path)
    return why


def is_failure(text: str) -> bool:
    """Tell whether a row's status is that of something broken."""
    return text.startswith(FAILED)
