"""Weights other people published: which file, from where, and is it the right one.

A name of `CHECKPOINTS` or a path enters; a file whose size and SHA-256 were checked
leaves. Nothing is downloaded: a missing file is an error that says what to put where.
Standard library only.
"""

import dataclasses
import os
from pathlib import Path

from kerasfaces import store
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256

_META = "https://dl.fbaipublicfiles.com/segment_anything"
_NO_HASH = "Its authors state no hash, and we could not fetch it to compute one."
_CYCLEISP = (
    "Linked in the README of github.com/swz30/CycleISP (academic use only, see its "
    f"licence). {_NO_HASH}"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """One published file.

    Attributes:
        file: Its official name, which is also its name in the cache folder.
        address: Where a browser gets it.
        sha256: None where it could not be established from public sources.
        size_bytes: None where unknown.
        note: What else a user should know.
    """

    file: str
    address: str
    sha256: str | None
    size_bytes: int | None
    note: str = ""


# SAM: Meta publishes neither sizes nor SHA-256; both are from several independent public
# projects that check their downloads with them. Each file's name holds the first digits
# of its MD5.
CHECKPOINTS = {
    "sam_vit_b": Checkpoint(
        file="sam_vit_b_01ec64.pth",
        address=f"{_META}/sam_vit_b_01ec64.pth",
        sha256="ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        size_bytes=375_042_383,
        note="Segment Anything, ViT-B; Apache-2.0.",
    ),
    "sam_vit_l": Checkpoint(
        file="sam_vit_l_0b3195.pth",
        address=f"{_META}/sam_vit_l_0b3195.pth",
        sha256="3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        size_bytes=1_249_524_607,
        note="Segment Anything, ViT-L; Apache-2.0.",
    ),
    "sam_vit_h": Checkpoint(
        file="sam_vit_h_4b8939.pth",
        address=f"{_META}/sam_vit_h_4b8939.pth",
        sha256="a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        size_bytes=2_564_550_879,
        note="Segment Anything, ViT-H; Apache-2.0.",
    ),
    "mobile_sam": Checkpoint(
        file="mobile_sam.pt",
        address=(
            "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt"
        ),
        sha256="6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
        size_bytes=40_728_226,
        note="MobileSAM (TinyViT encoder); Apache-2.0.",
    ),
    "cycleisp_sidd": Checkpoint(
        file="sidd_rgb.pth",
        address="https://drive.google.com/file/d/1sraG9JKmp0ieLjntRL7Jj2FXBrPr-YVp/view",
        sha256=None,
        size_bytes=None,
        note=_CYCLEISP,
    ),
    "cycleisp_dnd": Checkpoint(
        file="dnd_rgb.pth",
        address="https://drive.google.com/file/d/1740sYH7bG-c-jL5wc3e1_NOpxwGTXS9c/view",
        sha256=None,
        size_bytes=None,
        note=_CYCLEISP,
    ),
}


@dataclasses.dataclass(frozen=True)
class Found:
    """A checkpoint on this machine.

    Attributes:
        path: The file.
        sha256: Of its content.
        name: Its name in `CHECKPOINTS`, or the empty string for another file.
    """

    path: Path
    sha256: str
    name: str


def folder() -> Path:
    """Return where checkpoints are looked for: `$KERASFACES_CACHE/checkpoints`."""
    return store.cache_root() / "checkpoints"


def find(name_or_path: str) -> Found:
    """Return the file of a name in `CHECKPOINTS` (or its official file name), or a path.

    An official file name alone is looked for in the current folder, then in the cache.
    A file given by path may be any file; one called like an official file has to be
    that file.

    Raises:
        MissingFileError: It is not there; the message says what to put where.
        InputError: Its size or hash is not that of the official file.
    """
    name = _name_of(name_or_path)
    path = Path(name_or_path).expanduser()
    alone = name and path.parent == Path() and not path.is_file()
    if name == name_or_path or alone:
        path = folder() / CHECKPOINTS[name].file
    if not path.is_file():
        raise MissingFileError(_missing(path, name))
    digest = sha256(path)
    _verify(path, digest, name)
    return Found(path, digest, name)


def _name_of(name_or_path: str) -> str:
    if name_or_path in CHECKPOINTS:
        return name_or_path
    file = Path(name_or_path).name
    known = (name for name, made in CHECKPOINTS.items() if made.file == file)
    return next(known, "")


def _missing(path: Path, name: str) -> str:
    if not name:
        return (
            f"There is no checkpoint at {path}; give a file, or one of: "
            f"{', '.join(CHECKPOINTS)}."
        )
    made = CHECKPOINTS[name]
    size = f" ({made.size_bytes:,} bytes)" if made.size_bytes else ""
    digest = f", SHA-256 {made.sha256}" if made.sha256 else ""
    return (
        f"Checkpoint {name} is missing: download {made.file}{size}{digest} from "
        f"{made.address} and put it at {path.parent}{os.sep}{made.file}, or give its path."
    )


def _verify(path: Path, digest: str, name: str) -> None:
    if not name:
        return
    made = CHECKPOINTS[name]
    size = path.stat().st_size
    if made.size_bytes is not None and size != made.size_bytes:
        raise InputError(
            f"{path} is not the published {made.file}: expected {made.size_bytes:,} "
            f"bytes, got {size:,}; download it again from {made.address}, or rename it "
            "if it is another file."
        )
    if made.sha256 is not None and digest != made.sha256:
        raise InputError(
            f"{path} is not the published {made.file}: expected SHA-256 {made.sha256}, "
            f"got {digest}; download it again from {made.address}, or rename it if it "
            "is another file."
        )
