"""A folder -> the image files below it, the same list for every stage."""

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kerasfaces.core.texts import quoted, shortened
from kerasfaces.images import kinds

logger = logging.getLogger(__name__)
_SUFFIX_SHOWN = 12  # characters of an extension in a message


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
        elif not _is_unicode(str(file)):
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


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
