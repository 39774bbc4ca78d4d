"""The one image loader: a user's file -> RGB pixels, the same for every stage.

Training, evaluation, export checks and serving all see pixels made here, by Pillow: EXIF
orientation applied, colour profile converted to sRGB, alpha flattened on white, more than
8 bits scaled (`colours`), first frame of an animation, central square, antialiased resize.
Metadata that are damaged, odd or huge never cost a picture (`metadata`); what Pillow lacks
is read by plug-ins where they are installed (`kinds`).
"""

import hashlib
import io
import stat
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, JpegImagePlugin, UnidentifiedImageError

from kerasfaces.core.errors import ImageError, ImageMemoryError, MissingDecoderError
from kerasfaces.images import colours, kinds, metadata
from kerasfaces.images.input_spec import LOADER_VERSION as LOADER_VERSION
from kerasfaces.images.input_spec import InputSpec as InputSpec
from kerasfaces.images.input_spec import to_array as to_array
from kerasfaces.images.kinds import EXTENSIONS as EXTENSIONS
from kerasfaces.images.metadata import Stripped

MAX_PIXELS = 178_956_970  # Pillow's own limit for a decompression bomb
MAX_FILE_BYTES = 512 * 2**20
DECODER_CRASHED = "decoder crashed"  # why an image has none: it ended a process
MIN_SIZE_PX, MAX_SIZE_PX = 32, 4096  # of what a model sees

Answer = TypeVar("Answer")


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


def read_file(path: Path) -> bytes:
    """Read a regular file's bytes.

    Raises:
        ImageError: It is missing, not a regular file, unreadable, empty or too large.
        MissingDecoderError: Nothing installed here reads its kind of picture.
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
        data = path.read_bytes()
        kinds.require_decoder(data[: kinds.HEAD_BYTES], path.suffix)
        return data
    except ImageError:
        raise
    except FileNotFoundError as error:
        what = "broken link" if path.is_symlink() else "file not found"
        raise ImageError(what) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(
            f"cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from error


def size_of(path: Path) -> tuple[int, int]:
    """Return a picture's width and height as stored, px, reading little of the file.

    Raises:
        ImageError: See `read_file` and `probe`.
    """
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open("rb") as file:
                head = file.read(kinds.HEAD_BYTES)
                kinds.require_decoder(head, path.suffix)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    with Image.open(file) as image:
                        return image.size
    except ImageError:
        raise
    except Exception:  # noqa: BLE001 - the whole file is tried below, and says why
        pass
    return _first(read_file(path), lambda image, _: image.size)


def stated_size(data: bytes) -> tuple[int, int] | None:
    """Return the width and height, px, that a file's head states; None where it does not.

    Nothing is decoded: for whoever refuses large pictures.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as image:
                return image.size
    except Exception:  # noqa: BLE001 - `decode` says why
        return None


def sha256(data: bytes) -> str:
    """Return the hex digest that names an image in every store."""
    return hashlib.sha256(data).hexdigest()


def file_sha256(path: Path) -> tuple[str, str]:
    """Return a file's `sha256` and the empty string, or the reverse with the reason."""
    try:
        return sha256(read_file(path)), ""
    except ImageError as error:
        return "", str(error)


def decode(data: bytes) -> Image.Image:
    """Decode a file's bytes into an upright 8-bit sRGB image.

    Raises:
        ImageError: Not an image, truncated, pixels of an unknown range (`colours`), or more
            than `MAX_PIXELS` pixels.
        ImageMemoryError: Memory ran out; nobody should remember this.
        MissingDecoderError: Nothing installed here reads it; likewise.
    """
    return _first(data, lambda image, file: _upright(image, file.orientation))


def to_srgb_upright(image: Image.Image) -> Image.Image:
    """Return an opened image as `decode` returns a file's: upright, 8-bit, sRGB.

    Raises:
        ImageError: It is truncated or closed, or its pixels have no known range.
    """
    try:
        return _upright(image, None)
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(_reason(error)) from error


def load(path: Path) -> Image.Image:
    """Read and decode a file (see `read_file` and `decode` for the errors)."""
    return decode(read_file(path))


def encode(image: Image.Image, format: str, **settings: object) -> bytes:
    """Return the content of a picture's file, by Pillow's encoder `format`."""
    buffer = io.BytesIO()
    image.save(buffer, format, **settings)
    return buffer.getvalue()


def load_array(path: Path, spec: InputSpec) -> NDArray[np.uint8]:
    """Return one file as the model sees it, `(size_px, size_px, 3)` uint8."""
    return to_array(load(path), spec)


def probe(data: bytes) -> Probe:
    """Return facts of the file itself, without decoding pixels.

    Raises:
        ImageError: Not an image Pillow can identify, or too large.
    """
    return _first(data, lambda image, file: _probe(image, file.has_exif, len(data)))


def _probe(image: Image.Image, had_exif: bool, n_bytes: int) -> Probe:
    tables = getattr(image, "quantization", {})
    try:
        n_frames = int(getattr(image, "n_frames", 1))
    except Exception:  # noqa: BLE001 - whatever a damaged later frame makes Pillow raise
        n_frames = 1
    subsampling = ""
    if image.format in ("JPEG", "MPO"):
        code = JpegImagePlugin.get_sampling(image)
        names = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}
        subsampling = names.get(code, "other")
    return {
        "format": image.format or "",
        "width_px": image.size[0],
        "height_px": image.size[1],
        "mode": image.mode,
        "n_frames": n_frames,
        "has_exif": bool(image.info.get("exif")) or had_exif,
        "has_icc": bool(image.info.get("icc_profile")),
        "quantization": {int(key): list(table) for key, table in tables.items()},
        "subsampling": subsampling,
        "progressive": bool(image.info.get("progressive")),
        "n_bytes": n_bytes,
    }


def _first(data: bytes, answer: Callable[[Image.Image, Stripped], Answer]) -> Answer:
    """Ask the file as it is; where that fails, the same pixels without metadata."""
    kinds.require_decoder(data[: kinds.HEAD_BYTES])
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # another library may have set it
    failure: Exception | None = None
    with warnings.catch_warnings():
        # Bombs are refused below by our own limit; odd metadata are no news.
        warnings.simplefilter("ignore")
        for file in _ways(data):
            try:
                with _open(file.data) as image:
                    return answer(image, file)
            except ImageError:
                raise
            except MemoryError as error:
                raise ImageMemoryError("not enough memory to decode it now") from error
            except Exception as error:  # noqa: BLE001 - raised below, as a reason
                failure = failure or error
    kind = kinds.unread_kind(data[: kinds.HEAD_BYTES])
    if kind is not None:
        raise ImageError(f"{kind.name} that {kind.package} cannot read") from failure
    raise ImageError(_reason(failure)) from failure


def _ways(data: bytes) -> Iterator[Stripped]:
    """Yield the file as it is, then with less and less metadata."""
    if data.startswith(kinds.TIFF):
        tiff = metadata.strip_tiff(data)
        if tiff is not None and tiff.is_raw:
            raise MissingDecoderError(kinds.RAW.reason)
        yield tiff or Stripped(data, None)
    else:
        yield Stripped(data, None)
        yield from filter(None, [metadata.strip(data, keep_profile=True)])
    yield from filter(None, [metadata.strip(data, keep_profile=False)])


def _upright(image: Image.Image, stated: int | None) -> Image.Image:
    image.load()
    profile = image.info.get("icc_profile")
    if stated is None:
        stated = metadata.orientation_of_image(image)
    upright = colours.to_rgb(metadata.turned(colours.to_8_bit(image), stated), profile)
    upright.info = {}  # what it said of orientation and colours is done
    return upright


def _open(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data))
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"more than {MAX_PIXELS} pixels; save a smaller copy"
        ) from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise ImageError(
            f"{width}x{height} px is more than {MAX_PIXELS} pixels; save a smaller copy"
        )
    return image


def _reason(error: BaseException | None) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "not an image, or a format Pillow cannot read"
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, (OSError, SyntaxError, ValueError, EOFError)):
        return f"cannot be decoded: {text[:160]}"
    return f"decoder failed: {type(error).__name__}: {text[:120]}"
