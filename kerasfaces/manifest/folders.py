"""Folders -> rows: `DIR/real/**` and `DIR/fake/<generator>/**`."""

import os
from pathlib import Path

import pandas as pd

from kerasfaces.errors import InputError, MissingFileError
from kerasfaces.images import EXTENSIONS
from kerasfaces.manifest.image_files import images_below
from kerasfaces.manifest.rules import LABELS
from kerasfaces.manifest.table import Manifest, absolute_folder

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
