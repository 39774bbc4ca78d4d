"""A folder -> the image files below it, the same list for every stage."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from kerasfaces.images import EXTENSIONS

logger = logging.getLogger(__name__)


def images_below(folder: Path) -> list[Path]:
    """Return the image files below a folder, sorted; says which others were passed over.

    Files count as images by their extension; whether they can be read is found out later.
    Hidden files and folders are passed over, linked folders are followed once.
    """
    found, ignored, unnameable = [], Counter[str](), []
    for file in _files_below(folder):
        if file.suffix.lower() not in EXTENSIONS:
            ignored[file.suffix.lower() or "no extension"] += 1
        elif not _is_unicode(str(file)):
            unnameable.append(os.fsencode(file))
        else:
            found.append(file)
    if ignored:
        kinds = ", ".join(f"{kind} ({n})" for kind, n in ignored.most_common(5))
        logger.info(
            "%s: %d other files are no images: %s", folder, ignored.total(), kinds
        )
    if unnameable:
        logger.warning(
            "%s: %d images are left out because their names are not UTF-8; rename them, "
            "e.g. %r",
            folder,
            len(unnameable),
            unnameable[0],
        )
    return sorted(found, key=str)


def _files_below(folder: Path) -> Iterator[Path]:
    seen: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _hidden(name)]
        yield from (Path(parent, name) for name in files if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
