"""File names and first bytes -> kinds of pictures, and what reads those Pillow cannot.

A file is a photo by its name or, where the name says nothing, by its first bytes. Kinds
that Pillow lacks are read by a plug-in where it is installed and are named where not.
"""

import functools
import importlib
from typing import NamedTuple

from kerasfaces.core.errors import MissingDecoderError

HEAD_BYTES = 64  # of a file, enough to tell its kind
EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .jif .jfi .mpo .png .apng .webp .bmp .dib .tif .tiff .gif .avif "
    ".jp2 .j2k .j2c .jpc .jpf .jpx .ppm .pgm .pbm .pnm .tga .psd .pcx .sgi .qoi".split()
)


class Kind(NamedTuple):
    """A kind of picture that Pillow alone cannot read."""

    name: str  # in messages
    extensions: tuple[str, ...]  # of its files, lower case, with the dot
    advice: str  # what makes it readable, where nothing installed here does
    package: str = ""  # the plug-in that reads it; empty where there is none
    module: str = ""  # its name in an import statement

    @property
    def reason(self) -> str:
        """Why a file of this kind has no pixels here."""
        return f"{self.name}: {self.advice}"


HEIF = Kind(
    "HEIF photo (HEIC)",
    (".heic", ".heif", ".hif", ".heics", ".heifs"),
    "pip install pillow-heif, which reads it",
    package="pillow-heif",
    module="pillow_heif",
)
JPEG_XL = Kind(
    "JPEG XL picture",
    (".jxl",),
    "pip install pillow-jxl-plugin, which reads it",
    package="pillow-jxl-plugin",
    module="pillow_jxl",
)
RAW = Kind(
    "camera raw file",
    tuple(
        ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .k25 .kdc .mef .mos .mrw .nef "
        ".nrw .orf .pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f".split()
    ),
    "develop it to JPEG, PNG or TIFF first",
)
OTHER = Kind(
    "picture of a format that is not read",
    tuple(".bpg .exr .flif .hdp .hdr .jxr .kra .psb .wdp .xcf".split()),
    "convert it to PNG or JPEG first",
)
_UNREAD = {each for kind in (HEIF, JPEG_XL, RAW, OTHER) for each in kind.extensions}

_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_CONTAINERS = {b"mif1", b"msf1"}  # of HEIF and AVIF alike
_SIGNATURES = {
    JPEG_XL: (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    RAW: (
        *(b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb"),
        b"\0MRM",
    ),
    OTHER: (
        *(b"\x76\x2f\x31\x01", b"#?RADIANCE", b"#?RGBE", b"II\xbc\x01"),
        *(b"gimp xcf", b"BPG\xfb", b"FLIF"),
    ),
}
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_PILLOW = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"8BPS\0\1"),
    *(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51", b"qoif", *TIFF),
)
# Files with these names are not opened to look what they hold: there may be many.
_NO_PHOTOS = frozenset(
    ".csv .tsv .txt .json .jsonl .ndjson .xml .html .htm .md .rst .log .yaml .yml .toml .ini "
    ".cfg .py .ipynb .m .sh .npy .npz .mat .pkl .pt .pth .ckpt .h5 .hdf5 .parquet .arrow "
    ".tfrecord .safetensors .zip .tar .gz .tgz .bz2 .xz .7z .rar .mp4 .mov .avi .mkv .webm "
    ".mpg .mp3 .wav .pdf .svg .doc .docx .xls .xlsx .ppt .pptx .db .sqlite .aae .xmp".split()
)


def by_name(extension: str) -> bool | None:
    """Tell whether a file is a photo by its extension; None: its content must tell."""
    lower = extension.lower()
    if lower in EXTENSIONS or lower in _UNREAD:
        return True
    return False if lower in _NO_PHOTOS else None


def by_content(head: bytes) -> bool:
    """Tell whether a file is a photo by its first `HEAD_BYTES` bytes."""
    if unread_kind(head) is not None or head.startswith(_PILLOW):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return True
    return head[4:8] == b"ftyp" and b"avif" in head[8:]


def unread_kind(head: bytes) -> Kind | None:
    """Return which kind that Pillow lacks a file is, by its first bytes; None if none."""
    if head[4:8] == b"ftyp":
        brand, others = head[8:12], head[16 : int.from_bytes(head[:4], "big")]
        if brand == b"crx ":
            return RAW
        if brand in _CONTAINERS and (b"avif" in others or b"avis" in others):
            return None
        return HEIF if brand in _BRANDS | _CONTAINERS else None
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        return RAW
    return next(
        (k for k, starts in _SIGNATURES.items() if head.startswith(starts)), None
    )


def require_decoder(head: bytes, extension: str = "") -> None:
    """Bring in the plug-in that a file needs, if it needs one.

    The extension counts because most raw files begin like a TIFF, and what a TIFF reader
    finds in them is a small preview.

    Raises:
        MissingDecoderError: Nothing here reads this kind; the message says what would.
    """
    kind = unread_kind(head)
    if kind is None and extension.lower() in RAW.extensions and head.startswith(TIFF):
        kind = RAW
    if kind is not None and not _brought_in(kind.module):
        raise MissingDecoderError(kind.reason)


@functools.cache
def _brought_in(module: str) -> bool:
    """Register a plug-in with Pillow; False where there is none."""
    try:
        plugin = importlib.import_module(module)
    except (ImportError, ValueError):  # ValueError: no name, no plug-in
        return False
    if module == HEIF.module:
        plugin.register_heif_opener()
    return True
