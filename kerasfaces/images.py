"""The one image loader: a user's file -> RGB pixels, the same for every stage.

Training, evaluation, export checks and serving all see pixels made here, by Pillow:
EXIF orientation applied, colour profile converted to sRGB, alpha flattened on white,
16-bit reduced to 8, first frame of an animation, central square, antialiased resize.
"""

import dataclasses
import hashlib
import io
import stat
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from kerasfaces.errors import ImageError, ImageMemoryError

MAX_PIXELS = 178_956_970  # Pillow's own limit for a decompression bomb
MAX_FILE_BYTES = 512 * 2**20
MIN_SIZE_PX, MAX_SIZE_PX = 32, 4096  # of what a model sees
LOADER_VERSION = 2  # raise whenever the pixels made from a file change
EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .bmp .tif .tiff .gif .avif .jp2 .ppm".split()
)

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class InputSpec:
    """Everything that stands between a file and the array a model sees.

    Attributes:
        size_px: Side of the square output.
        crop: `square` cuts the central square first; `none` stretches.
        filter: Pillow's antialiased resampling filter.
    """

    size_px: int = 256
    crop: Literal["square", "none"] = "square"
    filter: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"

    def recipe(self) -> dict[str, Any]:
        """Return what decides the pixels, versions included: the cache is named by it."""
        import PIL

        return {
            **dataclasses.asdict(self),
            "loader": LOADER_VERSION,
            "pillow": PIL.__version__,
        }


def read_file(path: Path) -> bytes:
    """Read a regular file's bytes.

    Raises:
        ImageError: It is missing, not a regular file, unreadable, empty or too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageError("not a regular file")
        if status.st_size == 0:
            raise ImageError("empty file")
        if status.st_size > MAX_FILE_BYTES:
            raise ImageError(
                f"file of {status.st_size >> 20} MB, limit {MAX_FILE_BYTES >> 20} MB"
            )
        return path.read_bytes()
    except ImageError:
        raise
    except FileNotFoundError as error:
        raise ImageError("file not found") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error


def sha256(data: bytes) -> str:
    """Return the hex digest that names an image in every store."""
    return hashlib.sha256(data).hexdigest()


def decode(data: bytes) -> Image.Image:
    """Decode a file's bytes into an upright 8-bit sRGB image.

    Raises:
        ImageError: Not an image, truncated, or more than `MAX_PIXELS` pixels.
        ImageMemoryError: Memory ran out; nobody should remember this.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # another library may have set it
    try:
        with _open(data) as image:
            image.load()
            profile = image.info.get("icc_profile")
            upright = ImageOps.exif_transpose(image)
            return _to_rgb(upright, profile)
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageMemoryError("not enough memory to decode it now") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(_reason(error)) from error
    except Exception as error:
        raise ImageError(f"decoder failed: {type(error).__name__}: {error}") from error


def load(path: Path) -> Image.Image:
    """Read and decode a file (see `read_file` and `decode` for the errors)."""
    return decode(read_file(path))


def to_array(image: Image.Image, spec: InputSpec) -> NDArray[np.uint8]:
    """Crop and resize to `(size_px, size_px, 3)` uint8, sRGB."""
    width, height = image.size
    box = (0.0, 0.0, float(width), float(height))
    if spec.crop == "square":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = (left, top, left + side, top + side)
    size = (spec.size_px, spec.size_px)
    resized = image.resize(size, _FILTERS[spec.filter], box=box)
    return np.asarray(resized, dtype=np.uint8)


def load_array(path: Path, spec: InputSpec) -> NDArray[np.uint8]:
    """Return one file as the model sees it, `(size_px, size_px, 3)` uint8."""
    return to_array(load(path), spec)


def probe(data: bytes) -> dict[str, Any]:
    """Return facts of the file itself, without decoding pixels.

    Returns:
        `format`, `width_px`, `height_px`, `mode`, `n_frames`, `n_bytes`, `has_exif`,
        `has_icc`, `quantization` (JPEG: table number -> 64 ints), `subsampling` (JPEG:
        `4:4:4`, `4:2:2`, `4:2:0` or `other`), `progressive`.

    Raises:
        ImageError: Not an image Pillow can identify, or too large.
    """
    try:
        with _open(data) as image:
            width, height = image.size
            return {
                "format": image.format or "",
                "width_px": width,
                "height_px": height,
                "mode": image.mode,
                "n_frames": int(getattr(image, "n_frames", 1)),
                "n_bytes": len(data),
                "has_exif": bool(image.info.get("exif")),
                "has_icc": bool(image.info.get("icc_profile")),
                "quantization": {
                    int(key): list(table)
                    for key, table in getattr(image, "quantization", {}).items()
                },
                "subsampling": _subsampling(image),
                "progressive": bool(image.info.get("progressive")),
            }
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_reason(error)) from error


def _open(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # bombs are refused below, by our own limit
        try:
            image = Image.open(io.BytesIO(data))
        except Image.DecompressionBombError as error:
            raise ImageError(f"more than {MAX_PIXELS} pixels") from error
        except UnidentifiedImageError as error:
            raise ImageError("not an image, or a format Pillow cannot read") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise ImageError(f"{width}x{height} px is more than {MAX_PIXELS} pixels")
    return image


def _to_rgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_8_bit(image)
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    image = _to_srgb(image, profile)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        flat = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(flat, image)
    return image.convert("RGB")


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; floats are taken as 0..1 when they fit, else 0..255.

    32-bit integers hold whatever their writer had: 8 bits when they fit, else 16.

    Raises:
        ImageError: 32-bit integers beyond 16 bits: nothing says where white is.
    """
    values = np.asarray(image, dtype=np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if image.mode == "F":
        scale = 255.0 if values.max(initial=0.0) <= 1.0 else 1.0
    elif image.mode == "I" and values.max(initial=0.0) <= 255:
        scale = 1.0
    elif values.max(initial=0.0) <= 65535:
        scale = 255.0 / 65535.0
    else:
        raise ImageError("32-bit integers above 65535: unknown range")
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert through an embedded colour profile; a damaged profile is ignored."""
    if not profile or image.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        alpha = image.getchannel("A") if image.mode == "RGBA" else None
        colour = image.convert("RGB") if alpha else image
        converted = ImageCms.profileToProfile(
            colour, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    if converted is None:
        return image
    if alpha:
        converted.putalpha(alpha)
    return converted


def _subsampling(image: Image.Image) -> str:
    if image.format not in ("JPEG", "MPO"):
        return ""
    from PIL import JpegImagePlugin

    code = JpegImagePlugin.get_sampling(image)
    return {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}.get(code, "other")


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"cannot be decoded: {text[:160]}"
