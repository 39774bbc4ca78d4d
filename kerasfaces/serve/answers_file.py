"""Answers -> a table (CSV) that a killed process continues.

While it grows, the table is lines of JSON in a hidden file beside it, written in the groups
that were scored together: what a killed process left behind its last whole group is done
again, by the same groups, so that the numbers are the same. The table itself appears whole.
"""

import contextlib
import csv
import glob
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

from kerasfaces.core import config as configs
from kerasfaces.core import machine
from kerasfaces.core.errors import InputError, LockedError
from kerasfaces.core.files import Json, atomic_path
from kerasfaces.serve import answers_record
from kerasfaces.serve.answer import Answer

FIRST = ("path", "verdict", "score", "logit", "reason")
COLUMNS = (
    *FIRST,
    "doubt",
    "judged",
    "sha256",
    "width_px",
    "height_px",
    "origin",
    "origin_says",
    "n_faces",
    "largest_face_px",
    "n_laundered",
    "n_same_verdict",
    "flipped_by",
    "warnings",
)
_END = "group"  # the key of the line that ends a group


def row(answer: Answer) -> Json:
    """Return an answer as a row with `COLUMNS`; what is not known is None."""
    origin, tried, faces = answer.provenance, answer.stability, answer.faces
    readable = answer.verdict != "unreadable"
    return {
        "path": answer.name,
        "verdict": answer.verdict if readable else "",
        "score": answer.score if readable else None,
        "logit": answer.logit if readable else None,
        "reason": answer.reason,
        "doubt": answer.doubt,
        "judged": answer.judged,
        "sha256": answer.sha256,
        "width_px": answer.width_px,
        "height_px": answer.height_px,
        "origin": None if origin is None else origin["finding"],
        "origin_says": None
        if origin is None
        else "; ".join(each["sentence"] for each in origin["evidence"]),
        "n_faces": None if faces is None else len(faces),
        "largest_face_px": faces[0].size_px if faces else None,
        "n_laundered": None if tried is None else tried["n"],
        "n_same_verdict": None if tried is None else tried["n_same"],
        "flipped_by": None if tried is None else ", ".join(tried["flipped"]),
        "warnings": "; ".join(answer.warnings),
    }


def check(path: Path) -> None:
    """Refuse to write a table over something else, such as a photo."""
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as file:
            first = file.readline(2000).decode(errors="replace").strip().split(",")
        if first == [""] or tuple(first[: len(FIRST)]) == FIRST:
            return
    raise InputError(
        f"`csv={str(path)!r}` is there already and is no table of predict's; give the table "
        "another name."
    )


class AnswersFile:
    """A table that is being written.

    Attributes:
        counts: Verdict -> number of rows; "" stands for none.
        first_reason: Path and reason of the first row without a verdict.
        n_done: Rows so far, those of earlier processes included.
    """

    def __init__(self, path: Path, identity: Json, files: Sequence[Path]) -> None:
        """Name the table; see `open`."""
        digest = configs.digest(identity)[:12]
        self._path, self._files = path, files
        self._partial = path.with_name(f".{path.name}.{digest}.partial")
        self.counts, self.n_done = Counter[str](), 0
        self.first_reason: tuple[str, str] | None = None
        self._file: BinaryIO | None = None

    @classmethod
    @contextlib.contextmanager
    def open(cls, path: Path, identity: Json, files: Sequence[Path]) -> Iterator[Self]:
        """Yield the table, what is done already counted; on success it is complete.

        Args:
            path: The table.
            identity: Run, options and engine that decide the answers; another one is refused.
            files: All that will be answered, in order; one that changed since it was
                answered, and all behind it, are answered again.

        Raises:
            InputError: Something else is there, or a table made otherwise.
            LockedError: Another process writes the same table.
        """
        check(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        table = cls(path, identity, files)
        digest = answers_record.digest_of(files)
        with contextlib.ExitStack() as stack:
            lock = path.with_name(f".{path.name}.lock")
            try:
                stack.enter_context(machine.exclusive(lock, wait=False))
            except TimeoutError as error:
                raise LockedError(
                    f"{path}: another process is writing this table; wait for it, or choose "
                    "another name."
                ) from error
            outcome = answers_record.finished(path, identity, files, digest)
            if outcome:
                (table.counts, table.first_reason), table.n_done = outcome, len(files)
                yield table
            else:
                answers_record.write(path, identity)
                with table._partial.open("ab+") as table._file:
                    table._continue(table._file)
                    yield table
                table._write()
                answers_record.write(
                    path,
                    identity,
                    files=digest,
                    counts=dict(table.counts),
                    first_reason=table.first_reason,
                )
                name = glob.escape(path.name)
                for left in path.parent.glob(f".{name}.*.partial"):  # of others, too
                    left.unlink(missing_ok=True)
            lock.unlink(missing_ok=True)

    def write(self, group: Sequence[Answer]) -> None:
        """Add the answers to the next files, which were scored together."""
        if self._file is None:
            raise InputError("The table is closed.")
        lines: list[Json] = []
        for answer in group:
            stamp = answers_record.stamp(self._files[self.n_done])
            lines.append({"row": row(answer), "file": stamp})
            self._count(lines[-1]["row"])
        lines.append({_END: self.n_done})
        self._file.write("".join(json.dumps(line) + "\n" for line in lines).encode())
        self._file.flush()

    def _count(self, values: Json) -> None:
        self.counts[values["verdict"]] += 1
        self.n_done += 1
        if not values["verdict"] and self.first_reason is None:
            self.first_reason = values["path"], values["reason"]

    def _continue(self, file: BinaryIO) -> None:
        """Count the whole groups whose files are as they were; cut off the rest."""
        file.seek(0)
        at = end = 0
        group: list[Json] = []
        for text in file:
            at += len(text)
            try:
                line = json.loads(text) if text.endswith(b"\n") else {}
                if _END not in line and not self._is_current(line, len(group)):
                    break
            except (ValueError, KeyError, TypeError):
                break
            if _END in line:
                for values in group:
                    self._count(values)
                end, group = at, []
            else:
                group.append(line["row"])
        file.truncate(end)

    def _is_current(self, line: Json, ahead: int) -> bool:
        at = self.n_done + ahead
        if at >= len(self._files) or line["row"]["path"] != str(self._files[at]):
            return False
        return bool(line["file"] == answers_record.stamp(self._files[at]))

    def _write(self) -> None:
        """Write the table from the lines."""
        with (
            atomic_path(self._path) as temporary,
            temporary.open(
                "w", encoding="utf-8", errors="surrogateescape", newline=""
            ) as out,
            self._partial.open("rb") as lines,
        ):
            plain = csv.writer(out, lineterminator="\n")
            quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
            plain.writerow(COLUMNS)
            for text in lines:
                line = json.loads(text)
                if _END not in line:
                    cells = [_cell(line["row"][name]) for name in COLUMNS]
                    # A lone carriage return is not quoted by itself, and ends the row.
                    writer = quoted if any("\r" in cell for cell in cells) else plain
                    writer.writerow(cells)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)
