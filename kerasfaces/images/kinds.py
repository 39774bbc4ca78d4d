"""File names and first bytes -> kinds of pictures, and what reads those Pillow cannot.

A file is a photo by its name or, where the name says nothing, by its first bytes. Kinds
that Pillow lacks are read by a plug-in where it is installed and are named where not.
"""

import dataclasses
import functools
import importlib

from kerasfaces.core.errors import MissingDecoderError

HEAD_BYTES = 64  # of a file, enough to tell its kind
EXTENSIONS = frozenset(
    ".jpg .jpeg .jpe .jfif .jif .jfi .mpo .png .apng .webp .bmp .dib .tif .tiff .gif .avif "
    ".jp2 .j2k .j2c .jpc .jpf .jpx .ppm .pgm .pbm .pnm .tga .psd .pcx .sgi .qoi".split()
)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of picture that Pillow alone cannot read.

    Attributes:
        name: Name of the kind in messages, such as `HEIF photo (HEIC)`.
        extensions: Endings of its files, lower case, with the dot.
        advice: What makes it readable, where nothing installed here does.
        package: The plug-in that reads it; empty where there is none.
        module: Name of the plug-in in an import statement.
    """

    name: str
    extensions: frozenset[str]
    advice: str
    package: str = ""
    module: str = ""

    @property
    def reason(self) -> str:
        """Why a file of this kind has no pixels here."""
        return f"{self.name}: {self.advice}"


def _kind(
    name: str, extensions: str, advice: str = "", package: str = "", module: str = ""
) -> Kind:
    advice = advice or f"pip install {package}, which reads it"
    return Kind(name, frozenset(extensions.split()), advice, package, module)


HEIF = _kind(
    "HEIF photo (HEIC)",
    ".heic .heif .hif .heics .heifs",
    package="pillow-heif",
    module="pillow_heif",
)
JPEG_XL = _kind(
    "JPEG XL picture", ".jxl", package="pillow-jxl-plugin", module="pillow_jxl"
)
RAW = _kind(
    "camera raw file",
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .iiq .k25 .kdc .mef .mos .mrw .nef .nrw "
    ".orf .pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f",
    "develop it to JPEG, PNG or TIFF first",
)
OTHER = _kind(
    "picture of a format that is not read",
    ".bpg .exr .flif .hdp .hdr .jxr .kra .psb .wdp .xcf",
    "convert it to PNG or JPEG first",
)
_UNREAD = (HEIF, JPEG_XL, RAW, OTHER)

_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_CONTAINERS = {b"mif1", b"msf1"}  # of HEIF and AVIF alike
_SIGNATURES = (
    (b"\xff\x0a", JPEG_XL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JPEG_XL),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),
    (b"FOVb", RAW),
    (b"\0MRM", RAW),
    (b"\x76\x2f\x31\x01", OTHER),
    (b"#?RADIANCE", OTHER),
    (b"#?RGBE", OTHER),
    (b"II\xbc\x01", OTHER),
    (b"gimp xcf", OTHER),
    (b"BPG\xfb", OTHER),
    (b"FLIF", OTHER),
)
_PILLOW = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"8BPS\0\1",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"\xff\x4f\xff\x51",
    b"qoif",
)
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Files with these names are not opened to look what they hold: there may be many.
_NO_PHOTOS = frozenset(
    ".csv .tsv .txt .json .jsonl .ndjson .xml .html .htm .md .rst .log .yaml .yml .toml .ini "
    ".cfg .py .ipynb .m .sh .npy .npz .mat .pkl .pt .pth .ckpt .h5 .hdf5 .parquet .arrow "
    ".tfrecord .safetensors .zip .tar .gz .tgz .bz2 .xz .7z .rar .mp4 .mov .avi .mkv .webm "
    ".mpg .mp3 .wav .pdf .svg .doc .docx .xls .xlsx .ppt .pptx .db .sqlite .aae .xmp".split()
)


def by_name(extension: str) -> bool | None:
    """Tell whether a file is a photo by its extension; None: its content must tell.

    Args:
        extension: With its dot, in any case; may be empty.
    """
    lower = extension.lower()
    if lower in EXTENSIONS or any(lower in kind.extensions for kind in _UNREAD):
        return True
    return False if lower in _NO_PHOTOS else None


def by_content(head: bytes) -> bool:
    """Tell whether a file is a photo by its first `HEAD_BYTES` bytes."""
    if unread_kind(head) is not None or head.startswith((*_PILLOW, *TIFF)):
        return True
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return True
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return True
    return head[4:8] == b"ftyp" and b"avif" in head[8:]


def unread_kind(head: bytes) -> Kind | None:
    """Return which kind that Pillow lacks a file is, by its first bytes; None if none."""
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if head[:4] == b"II*\0" and head[8:10] == b"CR":
        return RAW
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            return kind
    return None


def _of_brands(head: bytes) -> Kind | None:
    brand, size = head[8:12], int.from_bytes(head[:4], "big")
    if brand == b"crx ":
        return RAW
    if brand in _CONTAINERS and any(
        each in head[16:size] for each in (b"avif", b"avis")
    ):
        return None
    return HEIF if brand in _BRANDS | _CONTAINERS else None


def require_decoder(head: bytes, extension: str = "") -> None:
    """Bring in the plug-in that a file needs, if it needs one.

    Args:
        head: The file's first bytes.
        extension: End of the file's name: most raw files begin like a TIFF, and what a TIFF reader
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
    if not module:
        return False
    try:
        plugin = importlib.import_module(module)
    except ImportError:
        return False
    if module == HEIF.module:
        plugin.register_heif_opener()
    return True
