"""The sha256 of every file: from the manifest where it has it, else by reading."""

import dataclasses
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kerasfaces import images
from kerasfaces.core.errors import ImageError
from kerasfaces.core.progress import progress


@dataclasses.dataclass(frozen=True)
class Hashed:
    """Per file: its sha256 (empty if it cannot be read), and why it could not be read."""

    digests: list[str]
    reasons: list[str]


def hash_files(files: Sequence[Path], known: Sequence[str] | None = None) -> Hashed:
    """Return the hash of every file, each read at most once, by threads.

    Args:
        files: Any files; repetitions are fine.
        known: Per file, its sha256 if it is known, else the empty string. It is believed
            here and checked when the file is decoded.
    """
    digests = dict(zip(files, known, strict=True)) if known else {}
    unknown = [path for path in dict.fromkeys(files) if not digests.get(path)]
    reasons: dict[Path, str] = {}
    with (
        progress(len(unknown), "hashing images") as add,
        ThreadPoolExecutor(os.cpu_count()) as threads,
    ):
        for path, (digest, reason) in zip(
            unknown, threads.map(_hash, unknown), strict=True
        ):
            digests[path], reasons[path] = digest, reason
            add(1)
    return Hashed(
        [digests[path] for path in files], [reasons.get(path, "") for path in files]
    )


def _hash(path: Path) -> tuple[str, str]:
    try:
        return images.sha256(images.read_file(path)), ""
    except ImageError as error:
        return "", str(error)
