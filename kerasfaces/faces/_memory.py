"""Faces found earlier, by the hash of the pixels, in one SQLite file.

It is a cache: without it (a full or read-only disk, a damaged file) everything still
works, only more slowly, and a warning says so once.
"""

import json
import logging
import sqlite3
from pathlib import Path

logger = logging.getLogger(__name__)
_WAIT_S = 30.0  # for another process that is writing


class Memory:
    """A table from key to a list of faces."""

    def __init__(self, path: Path) -> None:
        """Open the file, made if need be."""
        self._path = path
        self._base: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # The stage prepares chunks in a thread of its own, one at a time.
            self._base = sqlite3.connect(
                path, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
            self._base.execute("PRAGMA synchronous = OFF")
            self._base.execute(
                "CREATE TABLE IF NOT EXISTS faces (key TEXT PRIMARY KEY, faces TEXT)"
            )
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def get(self, key: str) -> list[list[float]] | None:
        """Return what was found, None if the image was never looked at."""
        if self._base is None:
            return None
        try:
            row = self._base.execute(
                "SELECT faces FROM faces WHERE key = ?", (key,)
            ).fetchone()
            faces: list[list[float]] | None = json.loads(row[0]) if row else None
        except (sqlite3.Error, json.JSONDecodeError) as error:
            self._give_up(error)
            return None
        return faces

    def put(self, key: str, faces: list[list[float]]) -> None:
        """Remember what was found."""
        if self._base is None:
            return
        try:
            self._base.execute(
                "INSERT OR REPLACE INTO faces VALUES (?, ?)", (key, json.dumps(faces))
            )
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        """Close the file."""
        if self._base is not None:
            self._base.close()
            self._base = None

    def _give_up(self, error: Exception) -> None:
        logger.warning("faces are not remembered: %s: %s", self._path, error)
        self.close()
