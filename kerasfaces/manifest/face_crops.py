"""Photos -> one picture per face, and their manifest.

Every crop is a PNG, for both classes: no encoder of ours adds traces or takes some away. A
real picture and the fakes made from it (`pair_id`) are cut at the same places, those of the
real one. What is there already from the same settings is not made again, so a killed run
continues.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import PIL
from PIL import Image

from kerasfaces import images
from kerasfaces.core import config as configs
from kerasfaces.core import engine, folders
from kerasfaces.core.errors import ImageError, InputError, MissingExtraError
from kerasfaces.core.files import Json, read_json, write_bytes, write_json
from kerasfaces.core.texts import quoted
from kerasfaces.faces import blazeface, crops, detect
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.faces.face import Face
from kerasfaces.manifest import face_rows, table
from kerasfaces.manifest.face_rows import Crop, Outcome
from kerasfaces.manifest.neutralise import target_names
from kerasfaces.manifest.table import Manifest, absolute_folder

SETTINGS_FILE = "crop_faces.json"
_DONE = ".faces"  # folder with what was done of each picture or pair
_SAME_ASPECT = 0.02
Which = Literal["largest", "each"]


class _Job(NamedTuple):
    """A picture, or those of a pair, the one whose faces count first."""

    files: tuple[Path, ...]
    names: tuple[str, ...]  # relative, without a suffix


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """What is cut out of pictures.

    Attributes:
        faces: `each` face, or the `largest` of a picture.
        crop: How a face is cut out.
        min_px: Smaller faces are left out.
    """

    faces: Which = "each"
    crop: FaceCrop = dataclasses.field(default_factory=FaceCrop)
    min_px: int = images.MIN_SIZE_PX

    def __post_init__(self) -> None:
        if self.faces not in ("each", "largest"):
            raise InputError(f"`faces={self.faces!r}`: expected each or largest.")
        if self.min_px < 1:
            raise InputError(f"`min_px={self.min_px!r}`: expected 1 or more.")


def crop_faces(manifest: Manifest, folder: Path, settings: Settings) -> Manifest:
    """Write `folder/manifest.csv` and a PNG per face; pictures without one are named.

    Args:
        manifest: Rows of the originals.
        folder: Made if need be; may hold an unfinished or finished earlier run.
        settings: Which faces, and how they are cut out.

    Returns:
        A row per face: the original's columns; `face_number` from 1, the largest first;
        `face_box` (left, top, right, bottom, px of the original), `face_score`,
        `face_crop` (how it was cut) and `original_sha256`.

    Raises:
        InputError: The pictures are crops already, or not one has a face.
        RunError: The folder holds something else, or crops made with other settings.
        LockedError: Another process writes the folder.
        MissingExtraError: No runtime for the detector is installed.
    """
    face_rows.require_whole(manifest)
    if not blazeface.is_available():
        raise MissingExtraError(blazeface.MISSING)
    made_by = {"pillow": PIL.__version__, "loader": images.LOADER_VERSION}
    stated = {**configs.to_dict(settings), **blazeface.recipe(), **made_by}
    jobs, positions = _jobs(manifest)
    with folders.lock(folder, "folder of face crops"):
        folders.claim(folder, SETTINGS_FILE, stated, "set of face crops")
        (folder / _DONE).mkdir(exist_ok=True)
        outcomes: list[Outcome] = [Outcome()] * len(manifest)
        make = functools.partial(_make, folder.resolve(), settings)
        done = engine.map(make, jobs, progress="cropping faces", chunk=engine.CHUNK)
        for job, rows, each in zip(jobs, positions, done, strict=True):
            crashed = [Outcome(reason=images.DECODER_CRASHED)] * len(job.files)
            for row, outcome in zip(rows, each.value or crashed, strict=True):
                outcomes[row] = outcome
        face_rows.report(manifest, outcomes)
        written = Manifest(
            face_rows.rows_of(manifest, outcomes, settings.crop),
            absolute_folder(folder),
        )
        table.write(written, folder / "manifest.csv")
    return written


def _jobs(manifest: Manifest) -> tuple[list[_Job], list[list[int]]]:
    """Return the jobs, and the positions of each one's rows."""
    rows, groups = manifest.rows, dict[object, list[int]]()
    pairs = rows["pair_id"] if "pair_id" in rows else [""] * len(rows)
    for position, pair in enumerate(pairs):
        groups.setdefault(pair or position, []).append(position)
    is_fake = list(rows["label"] != "real")
    for group in groups.values():
        group.sort(key=lambda position: is_fake[position])  # stable: the real one first
    files = manifest.files()
    names = [name.removesuffix(".jpg") for name in target_names(manifest)]
    positions = list(groups.values())
    jobs = [
        _Job(tuple(files[at] for at in group), tuple(names[at] for at in group))
        for group in positions
    ]
    return jobs, positions


def _make(folder: Path, settings: Settings, job: _Job) -> list[Outcome]:
    """Write the crops of a job, unless they are there already."""
    record = hashlib.sha256("\n".join(job.names).encode()).hexdigest()[:32]
    done = folder / _DONE / f"{record}.json"
    contents: list[bytes | str] = []
    for file in job.files:
        try:
            contents.append(images.read_file(file))
        except ImageError as error:
            contents.append(str(error))
    digests = [
        images.sha256(each) if isinstance(each, bytes) else "" for each in contents
    ]
    earlier = _earlier(folder, done, digests)
    if earlier is not None:
        return earlier
    outcomes: list[Outcome] = []
    leader: tuple[tuple[int, int], Sequence[Face]] | None = None
    for content, name, digest in zip(contents, job.names, digests, strict=True):
        try:
            if isinstance(content, str):
                raise ImageError(content)
            image = images.decode(content)
            if leader is None:
                leader = image.size, _faces(image, settings)
            places = [
                _scaled(face, leader[0], image.size, job.names[0]) for face in leader[1]
            ]
            written = tuple(
                _write(folder, f"{name}.{number}.png", image, face, settings.crop)
                for number, face in enumerate(places, 1)
            )
            outcomes.append(Outcome(digest, written))
        except ImageError as error:
            outcomes.append(Outcome(digest, reason=str(error)))
    write_json(done, [each._asdict() for each in outcomes])
    return outcomes


def _earlier(folder: Path, done: Path, digests: Sequence[str]) -> list[Outcome] | None:
    """Return what an earlier run made of the same files; None if that is not all there."""
    if not done.exists():
        return None
    try:
        value: list[Json] = read_json(done)
        outcomes = [
            Outcome(
                each["original"],
                tuple(Crop(*fields) for fields in each["crops"]),
                each["reason"],
            )
            for each in value
        ]
        same = [each.original for each in outcomes] == list(digests) and all(digests)
        intact = all(
            images.sha256(images.read_file(folder / crop.path)) == crop.sha256
            for each in outcomes
            for crop in each.crops
        )
    except (InputError, ImageError, KeyError, TypeError):
        return None  # damaged: it is made again
    return outcomes if same and intact else None


def _faces(image: Image.Image, settings: Settings) -> Sequence[Face]:
    """Return the faces of a picture that count."""
    faces = detect(np.asarray(image))
    if not faces:
        raise ImageError(crops.NO_FACE)
    large = [face for face in faces if face.size_px >= settings.min_px]
    if not large:
        raise ImageError(f"every face is below {settings.min_px} px")
    return large[:1] if settings.faces == "largest" else large


def _scaled(
    face: Face, size: tuple[int, int], own: tuple[int, int], leader: str
) -> Face:
    """Return a face of a pair's first picture in another one, which may be resized."""
    if size == own:
        return face
    x, y = own[0] / size[0], own[1] / size[1]
    if abs(x / y - 1) > _SAME_ASPECT:
        raise ImageError(
            f"{own[0]}x{own[1]} px is not the shape of its pair's {quoted(leader)}, "
            f"{size[0]}x{size[1]} px"
        )
    return face.scaled(x, y)


def _write(
    folder: Path, path: str, image: Image.Image, face: Face, crop: FaceCrop
) -> Crop:
    part = crops.cut(image, face, crop)
    content = images.encode(part, "PNG")
    write_bytes(folder / path, content)
    box = " ".join(f"{edge:.1f}" for edge in face.box)
    return Crop(path, images.sha256(content), part.width, box, f"{face.score:.4f}")
