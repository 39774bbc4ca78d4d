"""What broke down: named in a table, the whole traceback kept in a file beside the runs."""

import logging
import re
import traceback
from pathlib import Path

from experiments.runner_rows import FAILED
from kerasfaces import runs

logger = logging.getLogger("kerasfaces.experiments")
_LONGEST = 160  # letters of a reason
_FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/:'\"]+/)+")


def status(error: BaseException) -> str:
    """Return the status of what broke: why, in short, without this machine's folders."""
    reason = " ".join(_FOLDERS.sub("", str(error)).split()) or type(error).__name__
    return FAILED + reason[:_LONGEST]


def keep(folder: Path, label: str, error: BaseException) -> str:
    """Write the traceback to `folder/failures/<label>.txt`; return the status.

    Args:
        folder: The experiment's, or that of all.
        label: What broke.
        error: Why.
    """
    path = folder / "failures" / f"{label}.txt"
    runs.write_text(path, "".join(traceback.format_exception(error)))
    why = status(error)
    logger.error("%s %s (the whole traceback: %s); the rest goes on", label, why, path)
    return why


def is_failure(text: str) -> bool:
    """Tell whether a row's status is that of something broken."""
    return text.startswith(FAILED)
