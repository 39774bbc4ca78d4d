"""Weights other people published: which file, from where, and is it the right one.

A name of `CHECKPOINTS` or a path enters; a file whose size and SHA-256 were checked
leaves. Nothing is downloaded unless it is asked for: a missing file is an error that says
what to put where.
"""

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from kerasfaces import store
from kerasfaces.core.downloads import fetch
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256

_META = "https://dl.fbaipublicfiles.com/segment_anything"
_DRIVE = "https://drive.google.com/file/d"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """A file of weights that its authors published.

    Attributes:
        file: Its official name, which is also its name in the cache folder.
        address: Where a browser gets it.
        sha256: None where it could not be established from public sources.
        size_bytes: None where unknown.
    """

    file: str
    address: str
    sha256: str | None = None
    size_bytes: int | None = None


# SAM (Apache-2.0): Meta publishes neither sizes nor SHA-256; both are from several
# independent public projects that check their downloads with them. Each file's name
# holds the first digits of its MD5. MobileSAM (TinyViT encoder): Apache-2.0.
# CycleISP: linked in the README of github.com/swz30/CycleISP (academic use only, see its
# licence). Its authors state no hash, and we could not fetch it to compute one.
CHECKPOINTS = {
    "sam_vit_b": Checkpoint(
        "sam_vit_b_01ec64.pth",
        f"{_META}/sam_vit_b_01ec64.pth",
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        375_042_383,
    ),
    "sam_vit_l": Checkpoint(
        "sam_vit_l_0b3195.pth",
        f"{_META}/sam_vit_l_0b3195.pth",
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        1_249_524_607,
    ),
    "sam_vit_h": Checkpoint(
        "sam_vit_h_4b8939.pth",
        f"{_META}/sam_vit_h_4b8939.pth",
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        2_564_550_879,
    ),
    "mobile_sam": Checkpoint(
        "mobile_sam.pt",
        "https://github.com/ChaoningZhang/MobileSAM/raw/master/weights/mobile_sam.pt",
        "6dbb90523a35330fedd7f1d3dfc66f995213d81b29a5ca8108dbcdd4e37d6c2f",
        40_728_226,
    ),
    "cycleisp_sidd": Checkpoint(
        "sidd_rgb.pth", f"{_DRIVE}/1sraG9JKmp0ieLjntRL7Jj2FXBrPr-YVp/view"
    ),
    "cycleisp_dnd": Checkpoint(
        "dnd_rgb.pth", f"{_DRIVE}/1740sYH7bG-c-jL5wc3e1_NOpxwGTXS9c/view"
    ),
}


@dataclasses.dataclass(frozen=True)
class LocalFile:
    """A checkpoint on this machine.

    Attributes:
        path: The file.
        sha256: Hash of its content.
        name: Its published name, or the empty string for another file.
    """

    path: Path
    sha256: str
    name: str


def find(
    name_or_path: str,
    published: Mapping[str, Checkpoint] = CHECKPOINTS,
    *,
    download: bool = False,
    option: str = "",
) -> LocalFile:
    """Return the file of a published name (or its official file name), or a path.

    An official file name alone is looked for in the current folder, then in the cache.
    A file given by path may be any file; one called like an official file has to be
    that file.

    Args:
        name_or_path: A name, or a path.
        published: Name -> file, address and SHA-256 of a checkpoint.
        download: Fetch one that is not there to where it is looked for (of a name: the cache),
            if its SHA-256 is known.
        option: The user's name of `download`, for the message; empty where there is none.

    Raises:
        MissingFileError: It is not there; the message says what to put where.
        InputError: Its size or hash is not that of the official file.
    """
    path = Path(name_or_path).expanduser()
    name = name_or_path
    if name not in published:
        names = {known.file: name for name, known in published.items()}
        name = names.get(path.name, "")
    alone = name and path.parent == Path() and not path.is_file()
    if name == name_or_path or alone:
        path = store.cache_root() / "checkpoints" / published[name].file
    known = published.get(name)
    if download and known and known.sha256 and not path.is_file():
        instead = f"put it at {path}"
        fetch(known.address, known.sha256, path, "channels", instead)
    if not path.is_file():
        can_download = option and known and known.sha256
        raise MissingFileError(
            _missing(path, name, published)
            + (f" `options={{{option!r}: True}}` fetches it." if can_download else "")
        )
    digest = sha256(path)
    if name:
        _verify(path, digest, published[name])
    return LocalFile(path, digest, name)


def _missing(path: Path, name: str, published: Mapping[str, Checkpoint]) -> str:
    if not name:
        return (
            f"There is no checkpoint at {path}; give a file, or one of: "
            f"{', '.join(published)}."
        )
    known = published[name]
    size = f" ({known.size_bytes:,} bytes)" if known.size_bytes else ""
    digest = f", SHA-256 {known.sha256}" if known.sha256 else ""
    return (
        f"Checkpoint {name} is missing: download {known.file}{size}{digest} from "
        f"{known.address} and put it at {path.parent}{os.sep}{known.file}, or give its path."
    )


def _verify(path: Path, digest: str, known: Checkpoint) -> None:
    size, problem = path.stat().st_size, ""
    if known.size_bytes is not None and size != known.size_bytes:
        problem = f"expected {known.size_bytes:,} bytes, got {size:,}"
    elif known.sha256 is not None and digest != known.sha256:
        problem = f"expected SHA-256 {known.sha256}, got {digest}"
    if problem:
        raise InputError(
            f"{path} is not the published {known.file}: {problem}; download it again from "
            f"{known.address}, or rename it if it is another file."
        )
