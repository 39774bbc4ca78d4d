"""A contact sheet: photos above, what the generators made of the same scenes below."""

import csv
from pathlib import Path

from PIL import Image

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.texts import quoted


def contact_sheet(manifest: Path, file: Path, columns: int = 8, rows: int = 3) -> None:
    """Write a picture of the first pairs of a sample's manifest.

    Args:
        manifest: The sample's manifest.csv.
        file: Picture to write; the suffix chooses the format.
        columns: Pairs side by side.
        rows: Rows of pairs.
    """
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InputError(
            f"{file}: a contact sheet is a .png, .jpg or .webp, got {quoted(file.suffix)}."
        )
    with manifest.open(newline="", encoding="utf-8") as lines:
        table = list(csv.DictReader(lines))[: 2 * columns * rows]
    side = int(table[0]["width_px"])
    sheet = Image.new("RGB", (columns * side, 2 * rows * side))
    for place, row in enumerate(table):
        number, below = divmod(place, 2)
        line, column = divmod(number, columns)
        with Image.open(manifest.parent / row["path"]) as picture:
            sheet.paste(picture, (column * side, (2 * line + below) * side))
    with atomic_path(file) as temporary:
        sheet.save(temporary)
