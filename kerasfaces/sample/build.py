"""The sample as files: worker processes write pictures, this one writes the manifest.

Every file is written under another name and renamed, and the manifest comes last, so a
folder with a manifest is complete and one without can be finished.
"""

import csv
import functools
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from kerasfaces import tables
from kerasfaces.core import engine, folders
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import atomic_path, read_json, sha256, write_json, write_text
from kerasfaces.core.rng import generator
from kerasfaces.core.texts import quoted
from kerasfaces.sample import pair
from kerasfaces.sample.decoders import DECODERS
from kerasfaces.sample.person import draw_person

VERSION = 1  # to be raised when the same seed would give other pictures
SPLITS = (("train", 5), ("val", 1), ("test", 1))
ATTRIBUTES = ("attr_gender", "attr_race", "attr_expression", "attr_glasses")
COLUMNS = (
    *("path", "label", "source", "split", "pair_id", "sha256"),
    *("width_px", "height_px", "format", *ATTRIBUTES),
)
CAMERA = "simulated_camera"
_LEAST_PAIRS = 7 * len(DECODERS)  # one pair of every generator in every split


class Entry(NamedTuple):
    """One pair's place: its number, generator, split and two files."""

    number: int
    generator: str
    split: str
    real: str
    fake: str


def build(folder: Path, seed: int, pairs: int) -> Path:
    """Make, finish or find the sample in `folder`; see `kerasfaces.sample.make`."""
    recipe = {"sample": VERSION, "seed": seed, "pairs": pairs}
    _claim(folder, recipe)
    manifest = folder / "manifest.csv"
    entries = plan(seed, pairs)
    with folders.lock(folder, "sample"):
        write_json(folder / "sample.json", recipe)
        missing = [entry for entry in entries if not _done(folder, entry)]
        if missing or not manifest.exists():
            _write_pictures(folder, seed, missing)
            write_text(manifest, _table(folder, seed, entries))
    return manifest


def plan(seed: int, pairs: int) -> list[Entry]:
    """Deal the pairs to generators in turn, and each generator's pairs to the splits."""
    if pairs < _LEAST_PAIRS:
        raise InputError(
            f"The sample needs at least {_LEAST_PAIRS} pairs, one of each of "
            f"{len(DECODERS)} generators in every seventh; got {pairs}."
        )
    entries = []
    for turn, name in enumerate(DECODERS):
        numbers = np.arange(turn, pairs, len(DECODERS))
        order = generator(seed, "sample split", name).permutation(len(numbers))
        bounds = np.cumsum([share for _, share in SPLITS]) / 7 * len(numbers)
        which = np.searchsorted(np.round(bounds), np.arange(len(numbers)), side="right")
        for number, split in zip(numbers[order], which, strict=True):
            real, fake = (
                f"{part}/{number:05d}.jpg" for part in ("real", f"fake/{name}")
            )
            entries.append(Entry(int(number), name, SPLITS[split][0], real, fake))
    return sorted(entries)


def _claim(folder: Path, recipe: dict[str, int]) -> None:
    """Refuse a folder that is not ours to write in."""
    if folder.exists() and not folder.is_dir():
        raise InputError(
            f"{folder} is a file; expected a new or empty folder: choose another path."
        )
    content = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if not content - {".lock"}:
        return
    note = folder / "sample.json"
    if not note.is_file():
        raise InputError(
            f"{folder} is not empty and holds no sample.json; expected a new or empty "
            "folder, or a sample begun earlier: choose another path."
        )
    stated = read_json(note)
    if stated != recipe:
        raise InputError(
            f"{folder} holds another sample ({stated}); asked for {recipe}: choose "
            "another path, or the same arguments."
        )


def _done(folder: Path, entry: Entry) -> bool:
    return (folder / entry.real).exists() and (folder / entry.fake).exists()


def _write_pictures(folder: Path, seed: int, entries: list[Entry]) -> None:
    for name in ("real", *(f"fake/{name}" for name in DECODERS)):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write = functools.partial(_write_pair, folder, seed)
    outcomes = engine.map(
        write, entries, progress="making the sample", chunk=engine.CHUNK
    )
    pairs = zip(entries, outcomes, strict=True)
    if lost := [entry.number for entry, outcome in pairs if outcome.error]:
        raise RunError(
            f"A worker process died on pair {lost[0]} ({len(lost)} in all) while making "
            f"the sample in {folder}; run the same command again: it continues."
        )


def _write_pair(folder: Path, seed: int, entry: Entry) -> bool:
    pictures = pair.make_pair(
        seed, entry.number, DECODERS[entry.generator], pair.SIZE_PX
    )
    for file, image in zip((entry.real, entry.fake), pictures, strict=True):
        with atomic_path(folder / file) as temporary:
            temporary.write_bytes(pair.encode(image))
    return True


def _table(folder: Path, seed: int, entries: list[Entry]) -> str:
    buffer = io.StringIO()
    table = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    table.writeheader()
    for entry in entries:
        person = draw_person(generator(seed, "person", entry.number))
        common = {
            "split": entry.split,
            "pair_id": f"{entry.number:05d}",
            "width_px": pair.SIZE_PX,
            "height_px": pair.SIZE_PX,
            "format": "JPEG",
            **person.attributes,
        }
        sources = {entry.real: ("real", CAMERA), entry.fake: ("fake", entry.generator)}
        for file, (label, source) in sources.items():
            digest = sha256(folder / file)
            row = {"path": file, "label": label, "source": source, "sha256": digest}
            table.writerow(row | common)
    return buffer.getvalue()


def contact_sheet(manifest: Path, file: Path, columns: int = 8, rows: int = 3) -> None:
    """Write a picture of a sample's first pairs, photos above what generators made of them.

    The file's suffix chooses the format; `columns` pairs stand side by side, in `rows`.
    """
    if file.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise InputError(
            f"{file}: a contact sheet is a .png, .jpg or .webp, got {quoted(file.suffix)}."
        )
    paths = tables.read(manifest).column("path")[: 2 * columns * rows]
    side = pair.SIZE_PX
    sheet = Image.new("RGB", (columns * side, 2 * rows * side))
    for place, path in enumerate(paths):
        number, below = divmod(place, 2)
        line, column = divmod(number, columns)
        with Image.open(manifest.parent / path) as picture:
            sheet.paste(picture, (column * side, (2 * line + below) * side))
    with atomic_path(file) as temporary:
        sheet.save(temporary)
