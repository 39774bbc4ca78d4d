"""What a kind of evidence is given, and what it answers."""

import contextlib
import dataclasses
import io
import warnings
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Literal

from PIL import Image, UnidentifiedImageError

from kerasfaces.core.errors import MissingExtraError
from kerasfaces.core.files import Json
from kerasfaces.core.imports import optional_import
from kerasfaces.core.texts import plain, shortened

Finding = Literal["generated", "edited", "captured", "unknown"]
EXTRA = "provenance"
_SHOWN = 160  # characters of a value in the file
_DEPTH = 40  # of nested XMP that is looked through
_EXIF_IFD = 0x8769


class UnreadError(Exception):
    """Something is there and cannot be read; the message says why."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """One thing that a file says of its origin.

    Attributes:
        finding: What it says: made by a generator, edited, captured by a camera or scanner,
            or nothing of the kind.
        state: How far it can be believed: `trusted` (signed by a trusted signer),
            `untrusted` (signed, whole, by a signer nobody vouched for), `tampered` (the
            signature does not fit the file) or `unsigned` (anyone can write it).
        sentence: The same in words.
        details: Names and values as the file has them, shortened.
    """

    finding: Finding
    state: Literal["trusted", "untrusted", "tampered", "unsigned"]
    sentence: str
    details: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> Json:
        """Return JSON types."""
        return {**dataclasses.asdict(self), "details": dict(self.details)}


@dataclasses.dataclass
class File:
    """A picture file whose metadata are read when they are asked for, by Pillow.

    Attributes:
        data: All of it.
        trust: Certificates (PEM) of signers that count as trusted.
    """

    data: bytes
    trust: str | None = None

    @cached_property
    def texts(self) -> dict[str, str]:
        """PNG's text chunks and the comments of other formats, by keyword."""
        with self._opened() as image:
            texts = dict(getattr(image, "text", {}) or {})
            for name in ("comment", "Comment"):
                if name in image.info:
                    texts[name] = image.info[name]
        return {
            str(name): text
            for name, value in texts.items()
            if name != "XML:com.adobe.xmp" and (text := as_text(value))
        }

    @cached_property
    def exif(self) -> dict[int, str]:
        """EXIF's own fields and those of its camera part, by tag."""
        with self._opened() as image:
            fields = image.getexif()
            values = {**fields, **fields.get_ifd(_EXIF_IFD)}
        return {tag: text for tag, value in values.items() if (text := as_text(value))}

    @cached_property
    def xmp(self) -> Json:
        """Return XMP as nested dictionaries, names without prefix.

        Raises:
            UnreadError: Its parser is missing.
        """
        with self._opened() as image:
            present = {"xmp", "XML:com.adobe.xmp"} & image.info.keys()
            if not present and image.format != "TIFF":
                return {}
            try:
                optional_import("defusedxml", EXTRA)
            except MissingExtraError as error:
                if not present:
                    return {}
                raise UnreadError(f"XMP: {error}") from error
            values: Json = image.getxmp()
        return values

    def xmp_values(self, name: str) -> list[str]:
        """Return the texts of a name anywhere in XMP."""
        return list(_values(self.xmp, name, _DEPTH))

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Image.Image]:
        """Open the file with Pillow; a blank without metadata where that is not possible."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata are no news
            try:
                with Image.open(io.BytesIO(self.data)) as image:
                    yield image
            except UnreadError:
                raise
            except (UnidentifiedImageError, Image.DecompressionBombError):
                yield Image.new("L", (1, 1))  # the loader says why there is no picture
            except Exception as error:  # whatever damaged metadata make Pillow raise
                reason = " ".join(str(error).split()) or type(error).__name__
                raise UnreadError(f"metadata are damaged ({reason[:120]})") from error


def as_text(value: object) -> str:
    """Return a value of a file as text; empty for what is none."""
    if isinstance(value, bytes):
        for head, encoding in ((b"ASCII\0\0\0", "ascii"), (b"UNICODE\0", "utf-16")):
            if value.startswith(head):  # EXIF's comment names its encoding
                value = value[8:]
                if encoding == "utf-16" and value[:2] not in (b"\xff\xfe", b"\xfe\xff"):
                    encoding = "utf-16-be" if value[:1] == b"\0" else "utf-16-le"
                return value.decode(encoding, "replace").strip("\0 ")
        return value.decode("utf-8", "replace").strip("\0 ")
    if isinstance(value, str | int | float) or hasattr(value, "numerator"):
        return str(value).strip("\0 ")
    return ""


def shown(value: object) -> str:
    """Return a text out of a file so that it can be shown: one short line."""
    return shortened(plain(" ".join(str(value).split())), _SHOWN)


def _values(part: object, name: str, depth: int) -> Iterator[str]:
    if depth and isinstance(part, Mapping):
        for key, value in part.items():
            yield from (
                _texts(value, depth) if key == name else _values(value, name, depth - 1)
            )
    elif depth and isinstance(part, list):
        for each in part:
            yield from _values(each, name, depth - 1)


def _texts(part: object, depth: int) -> Iterator[str]:
    """Yield the texts below a property: itself, a resource, or the items of a list."""
    if isinstance(part, str) and part.strip():
        yield part.strip()
    elif depth and isinstance(part, Mapping):
        for key, value in part.items():
            if key != "lang":
                yield from _texts(value, depth - 1)
    elif depth and isinstance(part, list):
        for each in part:
            yield from _texts(each, depth - 1)
