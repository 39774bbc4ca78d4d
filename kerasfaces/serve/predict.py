"""Images -> verdicts of a finished run, through evaluation's own pixels and scores.

Files are scored a chunk at a time, so that memory does not grow with their number; what
was decoded or computed before comes from the cache, and a killed run continues there.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.progress import hosted_by
from kerasfaces.manifest.image_files import images_below
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
    from kerasfaces.run.predictor import Predictor

COLUMNS = ("path", "verdict", "score", "logit", "reason")
CHUNK = 256


def files_of(words: Sequence[str]) -> list[Path]:
    """Return the files that are meant, each once.

    Args:
        words: Files, folders (searched to the bottom), or `-`: one path per line on stdin,
            or NUL after each (`find -print0`).

    Raises:
        MissingFileError: A folder, or the only file named, does not exist.
        InputError: There is nothing to score, or a word is empty.
    """
    files: list[Path] = []
    for word in words:
        path = Path(word)
        if not word:  # to Path it is the current folder
            raise InputError(
                "One of the images to score is an empty text, as from an unset variable; "
                "give a file, a folder, or - for stdin."
            )
        if word == "-":
            files += _paths_on_stdin()
        elif os.path.isdir(path):  # Path's own raises where a name is too long
            files += images_below(path)
        elif len(words) == 1 and not os.path.lexists(path):
            raise MissingFileError(
                f"{path} does not exist; expected an image, a folder, or - for stdin."
            )
        else:
            files.append(path)
    if not files:
        raise InputError(
            f"{', '.join(words)}: no images there; expected files such as .jpg or .png."
        )
    return list(dict.fromkeys(files))


def _paths_on_stdin() -> list[Path]:
    data = sys.stdin.buffer.read()
    lines = data.split(b"\0")
    if len(lines) == 1:
        lines = [line.rstrip(b"\r") for line in data.split(b"\n")]
    return [Path(os.fsdecode(line)) for line in lines if line]


def scored(
    predictor: "Predictor", point: OperatingPoint, files: Sequence[Path]
) -> Iterator[pd.DataFrame]:
    """Yield the answers of a finished run, a chunk of files at a time, in order.

    Yields:
        A table with `COLUMNS`: verdict `real`, `fake` or `unsure`, score the calibrated
        probability of fake. A file that cannot be read or has no finite logit has no
        verdict (""), NaN and a reason.
    """
    for start in range(0, len(files), CHUNK):
        part = files[start : start + CHUNK]
        with hosted_by(_silent):  # a bar of its own for each step of each chunk
            logits, reasons = predictor.logits(
                [Path(os.path.abspath(file)) for file in part]
            )
        for at in np.flatnonzero(~np.isfinite(logits)):
            logits[at] = np.nan
            reasons[at] = reasons[at] or "the detector gives no finite logit"
        scores = point.apply(logits)
        yield pd.DataFrame(
            {
                "path": pd.Series([str(file) for file in part], dtype=object),
                "verdict": point.verdicts(scores),
                "score": scores,
                "logit": logits,
                "reason": reasons,
            }
        )


def check_table(path: Path) -> None:
    """Refuse to write a table over something else, such as a photo."""
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as file:
            first = file.readline(200)
        if not first or first.decode(errors="replace").strip() == ",".join(COLUMNS):
            return
    raise InputError(
        f"`csv={str(path)!r}` is there already and is no table of predict's; give the table "
        "another name."
    )


def summary(counts: Counter[str]) -> str:
    """Say in one line how many images got each verdict; "" stands for none."""
    parts = [f"{counts[name]:,} {name}" for name in ("real", "fake", "unsure")]
    parts.append(f"{counts['']:,} without a verdict")
    return f"{counts.total():,} images: {', '.join(parts)}"


def _silent(
    total: int, label: str, unit: str
) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda n: None)
