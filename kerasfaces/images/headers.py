"""What a file's header tells, without its pixels."""

from typing import TypedDict

from PIL import Image


class Probe(TypedDict, total=False):
    """Facts of a file itself, without its pixels; empty where it is no image."""

    format: str
    width_px: int
    height_px: int
    mode: str
    n_frames: int
    n_bytes: int
    has_exif: bool
    has_icc: bool
    quantization: dict[int, list[int]]  # JPEG: table number -> 64 numbers
    subsampling: str  # JPEG: `4:4:4`, `4:2:2`, `4:2:0` or `other`
    progressive: bool


def probe(image: Image.Image, has_exif: bool, n_bytes: int) -> Probe:
    """Return the facts of an opened file.

    Args:
        image: Image as Pillow opens it.
        has_exif: Whether an EXIF block was taken out before.
        n_bytes: Size of the whole file.
    """
    width, height = image.size
    return {
        "format": image.format or "",
        "width_px": width,
        "height_px": height,
        "mode": image.mode,
        "n_frames": _n_frames(image),
        "has_exif": bool(image.info.get("exif")) or has_exif,
        "has_icc": bool(image.info.get("icc_profile")),
        "quantization": {
            int(key): list(table)
            for key, table in getattr(image, "quantization", {}).items()
        },
        "subsampling": _subsampling(image),
        "progressive": bool(image.info.get("progressive")),
        "n_bytes": n_bytes,
    }


def _n_frames(image: Image.Image) -> int:
    """Count frames; where a later one is damaged, there is the first."""
    try:
        return int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001 - whatever a damaged frame makes Pillow raise
        return 1


def _subsampling(image: Image.Image) -> str:
    if image.format not in ("JPEG", "MPO"):
        return ""
    from PIL import JpegImagePlugin

    code = JpegImagePlugin.get_sampling(image)
    return {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}.get(code, "other")
