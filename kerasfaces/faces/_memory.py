"""Faces of earlier images, by the hash of the pixels, in one SQLite file.

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
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)
        self._execute("PRAGMA synchronous = OFF")
        self._execute(
            "CREATE TABLE IF NOT EXISTS faces (key TEXT PRIMARY KEY, faces TEXT)"
        )

    def get(self, key: str) -> list[list[float]] | None:
        """Return an image's faces, None if it was never looked at."""
        rows = self._execute("SELECT faces FROM faces WHERE key = ?", key)
        try:
            faces: list[list[float]] | None = json.loads(rows[0][0]) if rows else None
        except json.JSONDecodeError as error:
            self._give_up(error)
            return None
        return faces

    def put(self, key: str, faces: list[list[float]]) -> None:
        """Remember an image's faces."""
        values = key, json.dumps(faces)
        self._execute("INSERT OR REPLACE INTO faces VALUES (?, ?)", *values)

    def close(self) -> None:
        """Close the file."""
        if self._base is not None:
            self._base.close()
            self._base = None

    def _execute(self, query: str, *values: str) -> list[tuple[str]]:
        """Return the rows of a query; none once the file has failed."""
        try:
            return self._base.execute(query, values).fetchall() if self._base else []
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _give_up(self, error: Exception) -> None:
        logger.warning("faces are not remembered: %s: %s", self._path, error)
        self.close()
