"""Which pictures a finished run is too small for, as its folder says."""

import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.core import config as configs
from kerasfaces.images.limits import Limits

if TYPE_CHECKING:
    from kerasfaces.run.folder import DetectorRun

logger = logging.getLogger(__name__)
KEY = "limits"


def of_run(run: "DetectorRun") -> Limits | None:
    """Return a run's limits; None where it has none, which is said.

    Raises:
        MissingFileError: There is no input specification.
        RunError: It is damaged.
        InputError: Its limits are.
    """
    limits = run.input_spec.get(KEY)
    if limits is None:
        _warn(run.path)
        return None
    return configs.from_dict(Limits, limits, f"{run.path}/input_spec.json.{KEY}")


@functools.cache
def _warn(folder: Path) -> None:
    """Say once per process that pictures of any size are judged."""
    logger.warning(
        "%s does not say how large its training images were: pictures of any size get a "
        "verdict, those of a few pixels too. Train it again to have a limit.",
        folder,
    )
