"""Folders -> rows: `DIR/real/**` and `DIR/fake/<generator>/**`."""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from kerasfaces.errors import InputError, MissingFileError
from kerasfaces.images import EXTENSIONS
from kerasfaces.manifest.rules import LABELS
from kerasfaces.manifest.table import Manifest, absolute_folder

logger = logging.getLogger(__name__)
LAYOUT = "DIR/real/... and DIR/fake/<generator>/..."


def from_folders(folder: Path) -> Manifest:
    """List a folder's images; label and source come from the folders they lie in.

    A real image's source is the first folder below `real`, or "real"; a fake's is its
    generator, the first folder below `fake`, or "fake".

    Raises:
        MissingFileError: There is no such folder.
        InputError: A class has no images.
    """
    if not folder.exists():
        raise MissingFileError(f"{folder} does not exist; expected a folder {LAYOUT}.")
    if not folder.is_dir():
        raise InputError(
            f"{folder} is not a folder; expected {LAYOUT} or a table (.csv, .xlsx, .parquet)."
        )
    records = []
    for label in LABELS:
        below = [
            file.relative_to(folder).parts for file in images_below(folder / label)
        ]
        if not below:
            raise InputError(
                f"{folder / label} has no images; expected {LAYOUT} with files such as "
                f"{', '.join(sorted(EXTENSIONS)[:6])}."
            )
        for parts in below:
            source = parts[1] if len(parts) > 2 else label
            records.append((os.path.join(*parts), label, source, ""))
    rows = pd.DataFrame(
        records, columns=["path", "label", "source", "split"], dtype=str
    )
    return Manifest(rows, absolute_folder(folder))


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
