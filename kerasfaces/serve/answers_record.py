"""What a table of answers was made by, in a hidden file beside it.

A table that is there is not replaced by one of other options, of another detector or of
other pictures: the call is refused. The same call finds its table finished.
"""

import csv
import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, read_json, write_json
from kerasfaces.core.texts import quoted

Outcome = tuple[
    Counter[str], tuple[str, str] | None
]  # verdicts; a file without, and why
_SHOWN = 3  # differences in a message


def write(table: Path, identity: Json, **complete: object) -> None:
    """Record what a table is made by; of a complete one `files`, `counts`, `first_reason`."""
    made_by = {"made_by": identity, "digest": configs.digest(identity)}
    write_json(_file(table), made_by | complete)


def finished(
    table: Path, identity: Json, files: Sequence[Path], digest: str
) -> Outcome | None:
    """Return what a complete table comes to; None where it is to be written.

    Raises:
        InputError: The table there was made by something else, or of other files.
    """
    answered = _paths(table)
    if not answered:
        return None
    content: object = read_json(_file(table)) if _file(table).is_file() else None
    advice = "give the table another name, or delete it"
    if not isinstance(content, dict) or not isinstance(content.get("made_by"), dict):
        raise InputError(
            f"{table} is there already, and nothing beside it says by which detector and "
            f"options it was made; {advice}."
        )
    if content.get("digest") != configs.digest(identity):
        wanted = json.loads(json.dumps(identity))  # tuples become lists
        changed = configs.diff(content["made_by"], wanted)
        more = " ..." if len(changed) > _SHOWN else ""
        raise InputError(
            f"{table} is there already, made otherwise ({'; '.join(changed[:_SHOWN])}{more}); "
            f"{advice}."
        )
    others = answered - {str(file) for file in files}
    if others:
        raise InputError(
            f"{table} is there already and answers {quoted(min(others))}, which is not asked "
            f"for now; {advice}."
        )
    try:
        if content["files"] == digest:
            reason = content["first_reason"]
            return Counter(content["counts"]), (reason and (reason[0], reason[1]))
    except (KeyError, TypeError, IndexError):
        pass  # it was never complete
    return None


def digest_of(files: Sequence[Path]) -> str:
    """Return what changes with any of the files, or their order."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(json.dumps([str(file), stamp(file)]).encode())
    return digest.hexdigest()


def stamp(path: Path) -> list[int]:
    """Return what changes with a file: size and time; nothing where there is none."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return []
    return [status.st_size, status.st_mtime_ns]


def _paths(table: Path) -> set[str]:
    """Return what a table answers; nothing where there is none."""
    if not table.is_file():
        return set()
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
        return {row["path"] for row in csv.DictReader(lines)}


def _file(table: Path) -> Path:
    return table.with_name(f".{table.name}.json")
