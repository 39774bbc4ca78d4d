"""The words of a command line -> files, and what the answers to them come to."""

import os
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import __version__
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import Json
from kerasfaces.core.texts import quoted
from kerasfaces.manifest.image_files import images_below
from kerasfaces.serve.answer import Options
from kerasfaces.serve.contract import Detecting

_ADDRESS = re.compile(r"(?i)(https?|ftps?|file|s3|gs|hf):/|data:image/")
_VIDEOS = frozenset(
    ".mp4 .mov .avi .mkv .webm .mpg .mpeg .m4v .wmv .flv .3gp .mts .m2ts .ts .ogv".split()
)


def files_of(words: Sequence[str]) -> list[Path]:
    """Return the files that are meant, each once.

    Args:
        words: Files, folders (searched to the bottom), or `-`: one path per line on stdin,
            or NUL after each (`find -print0`).

    Raises:
        MissingFileError: A folder, or the only file named, does not exist.
        InputError: There is nothing to score, or a word is empty, an address or a video.
    """
    files: list[Path] = []
    for word in words:
        path = Path(word)
        if not word:  # to Path it is the current folder
            raise InputError(
                "One of the images to score is an empty text, as from an unset variable; "
                "give a file, a folder, or - for stdin."
            )
        refuse(word)
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


def refuse(word: str) -> None:
    """Refuse an address, also one that `Path` shortened, or a video, by its name."""
    if _ADDRESS.match(word):
        raise InputError(
            f"{quoted(word)} is an address, and nothing is fetched from the network; save "
            "the picture and give the file."
        )
    if Path(word).suffix.lower() in _VIDEOS and not os.path.isdir(word):
        raise InputError(
            f"{quoted(word)} is a video by its name; expected pictures. Save frames of it as "
            "PNG (ffmpeg -i VIDEO frame-%04d.png) and give those."
        )


def _paths_on_stdin() -> list[Path]:
    data = sys.stdin.buffer.read()
    lines = data.split(b"\0")
    if len(lines) == 1:
        lines = [line.rstrip(b"\r") for line in data.split(b"\n")]
    names = [os.fsdecode(line) for line in lines if line]
    for name in names:
        refuse(name)
    return [Path(name) for name in names]


def summary(counts: Counter[str]) -> str:
    """Say in one line how many images got each verdict; "" stands for none."""
    parts = [f"{counts[name]:,} {name}" for name in ("real", "fake", "unsure")]
    parts.append(f"{counts['']:,} without a verdict")
    return f"{counts.total():,} images: {', '.join(parts)}"


def exit_code(counts: Counter[str]) -> int:
    """Return what a script learns of the verdicts; see `kerasfaces predict --help`."""
    codes = {"fake": 3, "unsure": 4, "": 5}
    return next((code for verdict, code in codes.items() if counts[verdict]), 0)


def identity(detector: Detecting, options: Options) -> Json:
    """Return everything beside the pictures that decides answers, in JSON types."""
    return {
        "kerasfaces": __version__,
        "detector": [detector.name, detector.version, detector.engine],
        "point": detector.operating_point.to_json(),
        "options": configs.to_dict(options),
    }
