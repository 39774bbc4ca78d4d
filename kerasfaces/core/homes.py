"""Where the user's home folder and kerasfaces' cache are."""

import os
from pathlib import Path

from kerasfaces.core.errors import InputError


def home() -> Path:
    """Return the user's home folder.

    Raises:
        InputError: There is none (no HOME, and an account without an entry).
    """
    try:
        return Path.home()
    except (RuntimeError, KeyError) as error:
        raise InputError(
            "This account has no home folder (HOME is not set); set KERASFACES_CACHE to a "
            "folder for the cache, and HOME or KERAS_HOME where weights are downloaded."
        ) from error


def cache_root() -> Path:
    """Return `$KERASFACES_CACHE`, by default the system's place, e.g. `~/.cache/kerasfaces`.

    Raises:
        InputError: It is not set and there is no home folder.
    """
    if folder := os.environ.get("KERASFACES_CACHE"):
        return Path(folder)
    home()  # platformdirs would go on without one
    import platformdirs

    return platformdirs.user_cache_path("kerasfaces", appauthor=False)


def keras_home() -> Path:
    """Return `$KERAS_HOME`, default `~/.keras`: Keras keeps downloads there.

    Raises:
        InputError: It is not set and there is no home folder.
    """
    folder = os.environ.get("KERAS_HOME")
    return Path(folder) if folder else home() / ".keras"


def keras_file() -> Path | None:
    """Return Keras' file of settings; None where there is no home folder."""
    try:
        return keras_home() / "keras.json"
    except InputError:
        return None
