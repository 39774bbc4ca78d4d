"""What is to be explained, and an image that is."""

import dataclasses
from pathlib import Path
from typing import Any

from kerasfaces.explain.contract import Map, Options, Pixels


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be explained.

    Attributes:
        run: A finished run folder.
        files: Images.
        folder: Where to write.
        method: File in `kerasfaces/explain/methods`.
        options: Of the method; `toward` is each image's own.
        checks: Measure whether the maps can be believed.
        seed: Of re-drawn heads and random orders.
        labels: `real` or `fake` per file, or empty where nobody knows.
        sources: Likewise.
        chosen: How the files were chosen, a sentence.
    """

    run: Path
    files: list[Path]
    folder: Path
    method: str
    options: Options = dataclasses.field(default_factory=Options)
    checks: bool = True
    seed: int = 0
    labels: list[str] = dataclasses.field(default_factory=list)
    sources: list[str] = dataclasses.field(default_factory=list)
    chosen: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explained:
    """One image with its map, for the report.

    Attributes:
        row: Of explanations.csv.
        image: `(s, s, 3)` uint8; None where it could not be read.
        map: `(s, s)` float32, likewise.
        record: What was measured, as its JSON file keeps it; empty likewise.
    """

    row: dict[str, Any]
    image: Pixels | None = None
    map: Map | None = None
    record: dict[str, Any] = dataclasses.field(default_factory=dict)
