"""Why the files of a table are not where it says, and what would find them."""

import logging
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kerasfaces.core.texts import quoted
from kerasfaces.images import EXTENSIONS
from kerasfaces.tables.columns import is_image_name

logger = logging.getLogger(__name__)
MISSING = "file not found"  # the reason of a row whose file is not there
_TRIED = 12  # missing files that are looked for elsewhere
_FOLDERS = 200  # looked through for them
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def with_slashes(table: Path, paths: Sequence[str], folder: Path) -> list[str]:
    r"""Return a table's paths with slashes where backslashes stand between folders.

    `a\b.jpg` is read as `a/b.jpg` where that file is there and none is really so called.

    Args:
        table: File of the table, for the log.
        paths: Paths as the table has them.
        folder: Folder that relative paths start from.
    """
    turned = list(paths)
    for i, text in enumerate(paths):
        if "\\" in text and not _there(folder, text):
            slashed = text.replace("\\", "/")
            if "\0" not in text and os.path.isfile(os.path.join(folder, slashed)):
                turned[i] = slashed
    n_turned = sum(new != old for new, old in zip(turned, paths, strict=True))
    if n_turned:
        logger.warning(
            "%s: %d of %d paths have backslashes between folders; they are read as slashes.",
            table,
            n_turned,
            len(paths),
        )
    return turned


def with_suffix(paths: Sequence[str], suffix: str) -> list[str]:
    """Return paths that end like image files: the others get the suffix."""
    return [text if is_image_name(text) else text + suffix for text in paths]


def of_missing(paths: Iterable[str], reasons: Sequence[str], folder: Path) -> str:
    """Return `advice` for the rows whose file is not there; empty where all are."""
    missing = [
        path for path, reason in zip(paths, reasons, strict=True) if reason == MISSING
    ]
    return advice(missing, folder) if missing else ""


def advice(missing: Sequence[str], folder: Path) -> str:
    """Return one sentence on where missing files are, or how they are looked for.

    Args:
        missing: Paths as written whose files are not there.
        folder: Folder that relative paths start from.
    """
    sample = [text.replace("\\", "/") for text in missing[:_TRIED]]
    suffix = _suffix(sample, folder)
    if suffix:
        return (
            f"They have no extension, and {sample[0]}{suffix} is there: add "
            f"`suffix={suffix!r}`."
        )
    relative = [text for text in sample if not os.path.isabs(text)]
    places = list(_near(folder))
    if len(relative) == len(sample) and not _WINDOWS.match(missing[0]):
        for place in places:
            if _holds_most(place, sample):
                return f"They are in {place}: add `root={str(place)!r}`."
    cut = _cut(sample, folder, places)
    if cut:
        return cut
    if _WINDOWS.match(missing[0]) or not relative:
        return (
            f"The paths are absolute (e.g. {quoted(missing[0])}), so `root` cannot help: build the "
            "manifest again where the images are."
        )
    return (
        f"Relative paths start from {folder}; give another folder with `root` where the images "
        "are elsewhere."
    )


def _suffix(sample: Sequence[str], folder: Path) -> str:
    """Return the extension that finds most of the files; empty if none does."""
    if any(map(is_image_name, sample)):
        return ""
    suffixes = [*sorted(EXTENSIONS), *(each.upper() for each in sorted(EXTENSIONS))]
    holds_most = (
        each
        for each in suffixes
        if _holds_most(folder, [text + each for text in sample])
    )
    return next(holds_most, "")


def _near(folder: Path) -> Iterator[Path]:
    """Yield the folder's parents, then the folders beside and below it."""
    parents = list(folder.parents)[:2]
    yield from parents
    queue, n_seen = [folder, *parents[:1]], 0
    for place in queue:
        for child in _children(place):
            if n_seen == _FOLDERS:
                return
            n_seen += 1
            yield child
            if place == folder:
                queue.append(child)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(Path(each.path) for each in os.scandir(folder) if each.is_dir())[
            :_FOLDERS
        ]
    except OSError:
        return []


def _there(folder: Path, text: str) -> bool:
    try:
        return os.path.lexists(os.path.join(folder, text))
    except ValueError:  # a zero byte
        return False


def _holds_most(folder: Path, sample: Sequence[str]) -> bool:
    """Tell whether more than half of the files are in a folder."""
    return sum(_there(folder, text) for text in sample) > len(sample) / 2


def _cut(sample: Sequence[str], folder: Path, places: Sequence[Path]) -> str:
    """Return which beginning of the paths is in the way, where cutting it finds them."""
    parts = sample[0].split("/")
    for n_cut in range(1, len(parts)):
        start = "/".join(parts[:n_cut]) + "/"
        if not all(text.startswith(start) for text in sample):
            break
        rest = [text.removeprefix(start) for text in sample]
        for place in (folder, *places):
            if _holds_most(place, rest):
                there = f"{place / rest[0]} is there: "
                if os.path.isdir(start):  # a run keeps relative paths as absolute ones
                    return (
                        f"{there}add `root={str(place)!r}`, or cut {quoted(start)} off "
                        "absolute paths."
                    )
                root = "" if place == folder else f" and add `root={str(place)!r}`"
                return f"{there}cut {quoted(start)} off the paths{root}."
    return ""
