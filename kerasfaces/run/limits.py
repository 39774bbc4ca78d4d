"""Which pictures a finished run is too small for, as its folder says."""

import functools
import logging
from pathlib import Path

from kerasfaces.core import config as configs
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json
from kerasfaces.images.limits import Limits

logger = logging.getLogger(__name__)
FILE = "input_spec.json"
KEY = "limits"


def of_run(folder: Path) -> Limits | None:
    """Return a run's limits; None where it has none, which is said.

    Raises:
        MissingFileError: There is no input_spec.json.
        RunError: It is damaged.
        InputError: Its limits are.
    """
    spec = read_json(folder / FILE)
    if not isinstance(spec, dict):
        raise RunError(f"{folder / FILE} holds no object; restore it, or train again.")
    if spec.get(KEY) is None:
        _say_none(folder)
        return None
    return configs.from_dict(Limits, spec[KEY], f"{folder / FILE}.{KEY}")


@functools.cache
def _say_none(folder: Path) -> None:
    """Say once per process that pictures of any size are judged."""
    logger.warning(
        "%s does not say how large its training images were: pictures of any size get a "
        "verdict, those of a few pixels too. Train it again to have a limit.",
        folder,
    )
