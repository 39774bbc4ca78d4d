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

import pandas as pd

from kerasfaces import cli
from kerasfaces.errors import InputError, MissingFileError
from kerasfaces.manifest.folders import images_below

if TYPE_CHECKING:
    from kerasfaces.evaluate.operating_point import OperatingPoint
    from kerasfaces.features.predict import Predictor

COLUMNS = ("path", "verdict", "score", "logit", "reason")
CHUNK = 256


def files_of(words: Sequence[str]) -> list[Path]:
    """Return the files that are meant, each once.

    Args:
        words: Files, folders (searched to the bottom), or `-`: one path per line on stdin.

    Raises:
        MissingFileError: A folder, or the only file named, does not exist.
        InputError: There is nothing to score.
    """
    found: list[Path] = []
    for word in words:
        if word == "-":
            lines = (os.fsdecode(line.rstrip(b"\r\n")) for line in sys.stdin.buffer)
            found += [Path(line) for line in lines if line]
            continue
        path = Path(word)
        if path.is_dir():
            found += images_below(path)
        elif len(words) == 1 and not path.exists():
            raise MissingFileError(
                f"{path} does not exist; expected an image, a folder, or - for stdin."
            )
        else:
            found.append(path)
    if not found:
        raise InputError(
            f"{', '.join(words)}: no images there; expected files such as .jpg or .png."
        )
    return list(dict.fromkeys(found))


def scored(
    predictor: "Predictor", point: "OperatingPoint", files: Sequence[Path]
) -> Iterator[pd.DataFrame]:
    """Yield the answers, a chunk of files at a time, in order.

    Args:
        predictor: A finished run.
        point: Its operating point.
        files: Any number, readable or not.

    Yields:
        A table with `COLUMNS`: verdict `real`, `fake` or `unsure`, score the calibrated
        probability of fake. An unreadable file has no verdict (""), NaN and a reason.
    """
    for start in range(0, len(files), CHUNK):
        part = files[start : start + CHUNK]
        with cli.hosted_by(_silent):  # a bar of its own for each step of each chunk
            logits, reasons = predictor.logits(
                [Path(os.path.abspath(file)) for file in part]
            )
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


def summary(counts: Counter[str]) -> str:
    """Say in one line how many images there were of each kind.

    Args:
        counts: Verdict -> number; "" stands for unreadable files.
    """
    parts = [f"{counts[name]:,} {name}" for name in ("real", "fake", "unsure")]
    parts.append(f"{counts['']:,} unreadable")
    return f"{counts.total():,} images: {', '.join(parts)}"


def _silent(
    total: int, label: str, unit: str
) -> AbstractContextManager[Callable[[int], None]]:
    return nullcontext(lambda n: None)
