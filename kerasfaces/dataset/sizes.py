"""Files -> sizes of their pictures, and which are too little to judge."""

from collections.abc import Sequence
from pathlib import Path

from kerasfaces import images
from kerasfaces.core import engine
from kerasfaces.core.errors import ImageError
from kerasfaces.images.limits import Limits

Size = tuple[int, int]


def sizes_of(files: Sequence[Path]) -> list[Size | None]:
    """Return each picture's width and height, px; None where the file does not tell."""
    unique = list(dict.fromkeys(files))
    sizes = engine.map(
        _size, unique, progress="reading image sizes", chunk=engine.CHUNK
    )
    known = {path: size.value for path, size in zip(unique, sizes, strict=True)}
    return [known[path] for path in files]


def with_limits(
    files: Sequence[Path], reasons: Sequence[str], limits: Limits | None
) -> list[str]:
    """Return the reasons why files get no verdict, too little a picture among them.

    Args:
        files: Absolute paths; a file that is not on this machine is not looked at.
        reasons: Per file, why it has no array; empty when it has one.
        limits: Of the run; None judges everything.
    """
    if limits is None:
        return list(reasons)
    open_files = [path for path, why in zip(files, reasons, strict=True) if not why]
    sizes = dict(zip(open_files, sizes_of(open_files), strict=True))
    return [
        why or (limits.reason(size) if (size := sizes.get(path)) else "")
        for path, why in zip(files, reasons, strict=True)
    ]


def _size(path: Path) -> Size | None:
    try:
        return images.size_of(path)
    except ImageError:
        return None
