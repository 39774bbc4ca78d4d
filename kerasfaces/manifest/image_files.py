"""Where image files are: those below a folder, and those that a table names but are not there."""

import itertools
import logging
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from kerasfaces.core.texts import quoted, shortened
from kerasfaces.images import EXTENSIONS, kinds
from kerasfaces.tables.columns import is_image_name

logger = logging.getLogger(__name__)
_SUFFIX_SHOWN = 12  # characters of an extension in a message
MISSING = "file not found"  # the reason of a row whose file is not there
_TRIED = 12  # missing files that are looked for elsewhere
_FOLDERS = 200  # looked through for them
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


def images_below(folder: Path) -> list[Path]:
    """Return the photos below a folder, sorted; says which other files were passed over.

    A file is a photo by its extension, that of a format which cannot be read here
    included: it becomes a row with a reason. Files without an extension, or with one that
    says nothing, are photos if their first bytes are a photo's. Hidden files and folders
    are passed over, linked folders are followed once.
    """
    photos, odd, ignored, unnameable = [], [], Counter[str](), []
    for file in _files_below(folder):
        named = kinds.by_name(file.suffix)
        if not (named or (named is None and _begins_like_a_photo(file))):
            suffix = shortened(file.suffix.lower(), _SUFFIX_SHOWN)
            ignored[suffix or "no extension"] += 1
        elif any("\ud800" <= char <= "\udfff" for char in str(file)):
            unnameable.append(os.fsencode(file))
        else:
            photos.append(file)
            if named is None:
                odd.append(file)
    if odd:
        logger.info(
            "%s: %d files count as images by their content, not by their names, e.g. %s",
            folder,
            len(odd),
            quoted(odd[0].name),
        )
    if ignored:
        counts = ", ".join(f"{kind} ({n})" for kind, n in ignored.most_common(5))
        logger.info(
            "%s: %d other files are no images: %s", folder, ignored.total(), counts
        )
    if unnameable:
        logger.warning(
            "%s: %d images are left out because their names are not UTF-8; rename them, "
            "e.g. %s",
            folder,
            len(unnameable),
            quoted(unnameable[0]),
        )
    return sorted(photos, key=str)


def _begins_like_a_photo(file: Path) -> bool:
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return False
        with file.open("rb") as opened:
            return kinds.by_content(opened.read(kinds.HEAD_BYTES))
    except OSError:
        return False


def _files_below(folder: Path) -> Iterator[Path]:
    """Yield files; a folder with several names under one, whatever the disk's order.

    That is its own name where it lies below `folder`, else the first of its links'.
    """
    top = os.path.realpath(folder)
    seen: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(
            name
            for name in folders
            if not (_hidden(name) or _leads_inside(os.path.join(parent, name), top))
        )
        yield from (Path(parent, name) for name in files if not _hidden(name))


def _leads_inside(path: str, top: str) -> bool:
    """Tell whether a link's folder lies below `top`, where it is met by its own name."""
    if not os.path.islink(path):
        return False
    target, start = os.path.realpath(path), os.path.join(top, "")
    inside = target.removeprefix(start).split(os.sep)
    return target.startswith(start) and not any(map(_hidden, inside))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def with_slashes(table: Path, paths: Sequence[str], folder: Path) -> list[str]:
    r"""Return a table's paths with slashes where backslashes stand between folders.

    `a\b.jpg` is read as `a/b.jpg` where that file is there and none is really so called.
    """
    turned = list(paths)
    n_turned = 0
    for i, text in enumerate(paths):
        if "\\" in text and not os.path.lexists(os.path.join(folder, text)):
            slashed = text.replace("\\", "/")
            if os.path.isfile(os.path.join(folder, slashed)):
                turned[i] = slashed
                n_turned += 1
    if n_turned:
        logger.warning(
            "%s: %d of %d paths have backslashes between folders; they are read as slashes.",
            table,
            n_turned,
            len(paths),
        )
    return turned


def of_missing(paths: Iterable[str], reasons: Sequence[str], folder: Path) -> str:
    """Return `advice` for the rows whose file is not there; empty where all are."""
    pairs = zip(paths, reasons, strict=True)
    missing = [path for path, reason in pairs if reason == MISSING]
    return advice(missing, folder) if missing else ""


def advice(missing: Sequence[str], folder: Path) -> str:
    """Return one sentence on where missing files are, or how they are looked for."""
    sample = [text.replace("\\", "/") for text in missing[:_TRIED]]
    suffix = _suffix(sample, folder)
    if suffix:
        return (
            f"They have no extension, and {sample[0]}{suffix} is there: add "
            f"`suffix={suffix!r}`."
        )
    relative = [text for text in sample if not os.path.isabs(text)]
    places = _near(folder)
    if len(relative) == len(sample) and not _WINDOWS.match(missing[0]):
        for place in places:
            if _holds_most(place, sample):
                return f"They are in {place}: add `root={str(place)!r}`."
    cut = _cut(sample, folder, places)
    if cut:
        return cut
    if _WINDOWS.match(missing[0]) or not relative:
        return (
            f"The paths are absolute (e.g. {quoted(missing[0])}): cut their common start off and "
            "give `root`, or build the manifest again where the images are."
        )
    return (
        f"Relative paths start from {folder}; give another folder with `root` where the images "
        "are elsewhere."
    )


def _suffix(sample: Sequence[str], folder: Path) -> str:
    """Return the extension that finds most of the files; empty if none does."""
    if any(map(is_image_name, sample)):
        return ""
    for each in (*sorted(EXTENSIONS), *map(str.upper, sorted(EXTENSIONS))):
        if _holds_most(folder, [text + each for text in sample]):
            return each
    return ""


def _near(folder: Path) -> list[Path]:
    """Return the folder's parents, then the folders below and beside it."""
    parents, children = list(folder.parents)[:2], _children(folder)
    deeper = map(_children, [*parents[:1], *children])
    around = itertools.chain(children, itertools.chain.from_iterable(deeper))
    return [*parents, *itertools.islice(around, _FOLDERS)]


def _children(folder: Path) -> list[Path]:
    try:
        children = [Path(each.path) for each in os.scandir(folder) if each.is_dir()]
    except OSError:
        return []
    return sorted(children)[:_FOLDERS]


def _holds_most(folder: Path, sample: Sequence[str]) -> bool:
    n_there = sum(os.path.lexists(os.path.join(folder, text)) for text in sample)
    return n_there > len(sample) / 2


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
