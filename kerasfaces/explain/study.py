"""What a method that draws no heat map takes and returns.

Such a method is one file of `methods/` with

- `MIN_IMAGES`: the least number of readable images that it needs; 0 takes none;
- `study(request)`: `Findings`, with checks of its own, since the tests of a map say nothing
  about filters, fingerprints or channels.
"""

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.core.progress import progress
from kerasfaces.dataset.cache import decode_all
from kerasfaces.dataset.file_facts import with_limits
from kerasfaces.explain.contract import Pixels, Settings
from kerasfaces.explain.selection import Selection
from kerasfaces.run.folder import DetectorRun

if TYPE_CHECKING:
    from kerasfaces.explain.subjects import Subject


class Check(NamedTuple):
    """A test of what was found: what was measured, with its limit, and whether it holds."""

    sentence: str
    passed: bool


class Figure(NamedTuple):
    """A picture of the page; `name` is that of its file, without the ending."""

    name: str
    image: Image.Image
    caption: str


class Table(NamedTuple):
    """A table of the page; see `report.markup.table`."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Findings:
    """What a method has found.

    Attributes:
        notes: What is shown and what is not, a sentence each.
        rows: Rows of explanations.csv; each has `path` and `reason`.
        checks: Tests of it; one that fails makes the page say "do not trust these".
        things: What it consists of, in the plural: "values", "pictures".
        figures: Pictures.
        tables: Tables.
        arrays: What the pictures were drawn from, by name.
    """

    notes: Sequence[str]
    rows: Sequence[Json]
    checks: Sequence[Check]
    things: str
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    arrays: Mapping[str, NDArray[Any]] = dataclasses.field(default_factory=dict)


class Request:
    """A finished run, the selected images, and the settings: method, layer, seed."""

    def __init__(
        self, run: DetectorRun, selection: Selection, settings: Settings
    ) -> None:
        """Name them; nothing is loaded."""
        self.run, self.selection, self.settings = run, selection, settings

    @cached_property
    def subject(self) -> "Subject":
        """The detector, loaded."""
        from kerasfaces.explain.subjects import open_subject

        subject = open_subject(self.run.path, seed=self.settings.seed)
        return subject.of_pictures() if self.selection.is_from_outside else subject

    def row(self, number: int) -> Json:
        """Return the beginning of an image's row: what is known of its file."""
        path = self.selection.files[number]
        row: Json = {"path": os.fsencode(path).decode("utf-8", "backslashreplace")}
        if labels := self.selection.labels:
            row |= {"label": labels[number], "source": self.selection.sources[number]}
        return row | {"method": self.settings.method, "reason": ""}

    def images(self) -> Iterator[tuple[Json, Pixels | None]]:
        """Yield each image's row and pixels `(s, s, 3)`; None with a reason in the row."""
        files, spec = self.selection.files, self.subject.spec
        too_small = with_limits(files, [""] * len(files), self.subject.limits)
        with progress(len(files), "reading images") as add:
            for number, decoded in enumerate(decode_all(files, spec)):
                row = self.row(number)
                row["reason"] = decoded.reason or too_small[number]
                yield row, None if row["reason"] else decoded.array
                add(1)

    def readable(self, least: int) -> tuple[list[Json], list[int], Pixels]:
        """Return all rows, the positions of those with pixels, and `(n, s, s, 3)`, n >= `least`."""
        rows, positions, arrays = [], [], []
        for number, (row, pixels) in enumerate(self.images()):
            rows.append(row)
            if pixels is not None:
                positions.append(number)
                arrays.append(pixels)
        require(least, len(positions), rows, self.settings.method)
        return rows, positions, np.stack(arrays)


def require(least: int, n: int, rows: Sequence[Json], method: str) -> None:
    """Refuse too few readable images; the message has the first reason."""
    if n >= max(1, least):
        return
    bad = [row for row in rows if row["reason"]]
    example = f", e.g. {bad[0]['path']}: {bad[0]['reason']}" if bad else ""
    raise InputError(
        f"{method} needs at least {max(1, least)} images that can be read, got {n} of "
        f"{len(rows)}{example}."
    )


def grid(cells: Sequence[Image.Image], columns: int, gap_px: int = 4) -> Image.Image:
    """Return pictures of one size side by side, row by row, on white."""
    width, height = cells[0].size
    n_rows = -(-len(cells) // columns)
    wide, high = width + gap_px, height + gap_px
    size = (columns * wide - gap_px, n_rows * high - gap_px)
    whole = Image.new("RGB", size, "white")
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        whole.paste(cell.convert("RGB"), (column * wide, row * high))
    return whole


def grey_picture(values: NDArray[Any], side_px: int) -> Image.Image:
    """Return `(h, w)` as grey levels between its 1st and 99th percentile, enlarged."""
    low, high = np.percentile(values.astype(np.float64), [1, 99])
    share = np.clip((values - low) / max(float(high - low), 1e-12), 0, 1)
    image = Image.fromarray((share * 255).round().astype(np.uint8))
    return image.resize((side_px, side_px), Image.Resampling.NEAREST)


def safe_name(path: Path | str) -> str:
    """Return a file's stem with nothing in it that a file name may not have."""
    stem = Path(path).stem
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:40].lstrip(".") or "image"
