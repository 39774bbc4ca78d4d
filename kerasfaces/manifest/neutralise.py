"""Images of any size and encoding -> the same size, encoder and quality for all.

Central square, Lanczos to one size that shrinks every image, JPEG quality 75 with 4:2:0
chroma, no metadata. What is there already from the same settings is not made again, so a
killed run continues.
"""

import functools
import hashlib
import logging
import os
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from kerasfaces import images
from kerasfaces.core import engine, folders
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import write_bytes
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import file_facts, table
from kerasfaces.manifest.table import Manifest, absolute_folder

logger = logging.getLogger(__name__)
QUALITY_PCT = 75
SETTINGS_FILE = "neutralise.json"
_SHRINK = 0.9
_MULTIPLE = 16
_CHROMA_420 = 2  # Pillow's number for 4:2:0
_LONGEST_NAME = 180  # bytes; leaves room for the temporary name beside it


class _Outcome(NamedTuple):
    sha256: str = ""  # of the JPEG
    original: str = ""  # SHA-256 of its source
    reason: str = ""  # why there is none


def neutralise(
    manifest: Manifest, folder: Path, size_px: int | None = None
) -> Manifest:
    """Write `folder/manifest.csv` and its JPEGs; unreadable rows are left out and named.

    Args:
        manifest: Rows of the originals.
        folder: Made if need be; may hold an unfinished or finished earlier run.
        size_px: Side of all pictures; by default the multiple of 16 below .9 × the
            smallest side.

    Raises:
        InputError: No image is readable, or the size would enlarge one.
        RunError: The folder holds something else, or pictures made with other settings.
        LockedError: Another process writes the folder.
    """
    facts = file_facts.scan(manifest.files(), pixels=False)
    size_px = _size(manifest, facts, size_px)
    with folders.lock(folder, "folder of neutralised images"):
        spec = images.InputSpec(size_px=size_px, crop="square", filter="lanczos")
        settings = {**spec.recipe(), "quality_pct": QUALITY_PCT, "chroma": "4:2:0"}
        folders.claim(folder, SETTINGS_FILE, settings, "set of neutralised images")
        names = target_names(manifest)
        targets = [folder / name for name in names]
        jobs = list(zip(manifest.files(), targets, strict=True))
        make, crashed = functools.partial(_make, spec), images.DECODER_CRASHED
        done = engine.map(make, jobs, progress="neutralising", chunk=engine.CHUNK)
        outcomes = [each.value or _Outcome(reason=crashed) for each in done]
        reasons = [outcome.reason for outcome in outcomes]
        n_bad = file_facts.report_unreadable(list(manifest.rows["path"]), reasons)
        if n_bad:
            logger.warning("%d unreadable rows are not in %s", n_bad, folder)
        if n_bad == len(manifest):
            raise InputError(f"none of the {len(manifest)} images could be read.")
        rows = manifest.rows.assign(
            path=names,
            sha256=[outcome.sha256 for outcome in outcomes],
            original_sha256=[outcome.original for outcome in outcomes],
            width_px=str(size_px),
            height_px=str(size_px),
            format="JPEG",
        ).drop(columns="phash", errors="ignore")
        written = Manifest(rows, absolute_folder(folder)).take([not r for r in reasons])
        table.write(written, folder / "manifest.csv")
    return written


def target_names(manifest: Manifest) -> list[str]:
    """Return a distinct relative `.jpg` path per row, near to the original one."""
    names: dict[str, None] = {}
    for file in manifest.files():
        if file.is_relative_to(manifest.folder):
            relative = file.relative_to(manifest.folder)
        else:  # keep what can be kept without leaving the folder
            relative = Path("elsewhere", *file.parts[-3:])
        stem = relative.name.removesuffix(".jpg")
        if len(os.fsencode(stem)) > _LONGEST_NAME:
            stem = f"{stem[:40]}-{hashlib.sha256(stem.encode()).hexdigest()[:16]}"
        name = str(relative.with_name(f"{stem}.jpg"))
        if name in names:
            digest = hashlib.sha256(os.fsencode(file)).hexdigest()[:16]
            name = str(relative.with_name(f"{stem}-{digest}.jpg"))
        names[name] = None
    return list(names)


def _size(
    manifest: Manifest, facts: list[file_facts.Facts], size_px: int | None
) -> int:
    sides = [
        (min(each.probe["width_px"], each.probe["height_px"]), path)
        for each, path in zip(facts, manifest.rows["path"], strict=True)
        if not each.reason
    ]
    if not sides:
        raise InputError(
            f"none of the {len(manifest)} images could be read (first: "
            f"{quoted(manifest.rows['path'][0])}, {facts[0].reason})."
        )
    smallest, path = min(sides)
    if size_px is None:
        size_px = int(_SHRINK * smallest) // _MULTIPLE * _MULTIPLE
        if size_px < _MULTIPLE:
            raise InputError(
                f"{quoted(path)} has a side of {smallest} px, too small to shrink all images to "
                f"one size of at least {_MULTIPLE} px; remove such rows."
            )
    n_smaller = sum(side < size_px for side, _ in sides)
    if size_px < 1 or n_smaller:
        raise InputError(
            f"`size_px={size_px}`: expected 1..{smallest}, which enlarges no image; {n_smaller} "
            f"are smaller, the smallest is {quoted(path)}. Remove such rows or choose less."
        )
    return size_px


def _make(spec: images.InputSpec, job: tuple[Path, Path]) -> _Outcome:
    """Write one JPEG unless a newer one than its source is there already."""
    source, target = job
    try:
        data = images.read_file(source)
        original = images.sha256(data)
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            return _Outcome(images.sha256(images.read_file(target)), original)
        pixels = images.to_array(images.decode(data), spec)
    except ImageError as error:
        return _Outcome(reason=str(error))
    picture = Image.fromarray(pixels)
    quality = {"quality": QUALITY_PCT, "subsampling": _CHROMA_420}
    content = images.encode(picture, "JPEG", **quality)
    write_bytes(target, content)
    return _Outcome(images.sha256(content), original)
