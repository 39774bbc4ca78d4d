"""Files that are about to leave -> what in them says who made them, or from which files."""

import contextlib
import dataclasses
import getpass
import re
import socket
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

from kerasfaces.core import homes
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import quoted
from kerasfaces.images import EXTENSIONS
from kerasfaces.run.folder import DetectorRun

# Accounts and machines that say nothing of anybody.
_ANYBODY = {"root", "user", "admin", "localhost", "ubuntu", "runner", "docker", "home"}
_PATH = re.compile(  # but for Emscripten's own home, which a browser page's runtime names
    rb"(?<![\w:/.])(?!/home/web_user(?![\w./-]))(?:/(?:home|Users|root|mnt|media|srv|tmp|var|work|data)/[\w.-]+"
    rb"|[A-Za-z]:\\{1,4}Users\\)"
)
_PICTURE_NAME = re.compile(
    rb"[\w() -]{3,200}(?:%s)\b" % b"|".join(re.escape(e.encode()) for e in EXTENSIONS),
    re.IGNORECASE,
)
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"data:image/")
_SHORTEST = 3  # characters of a name that is looked for in texts
_SHORTEST_IN_NUMBERS = 6  # and in weights, where three letters come by chance
EXAMPLE = "photo.jpg"  # the one picture that our own texts name


class Finding(NamedTuple):
    """Something private: in which file, what it is in words, and the very text."""

    file: str
    what: str
    text: str


@dataclasses.dataclass(frozen=True)
class Private:
    """What must not leave this machine.

    Attributes:
        places: Absolute paths of folders.
        names: Of the account and the machine.
        files: Names and paths of the run's images, as its manifest has them.
        public: Texts that may contain the others, such as the repository's name.
    """

    places: frozenset[str]
    names: frozenset[str]
    files: frozenset[str]
    public: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: DetectorRun, repo: str) -> "Private":
        """Return what would say who made a run, where, and from which files."""
        paths: set[str] = set()
        places = {run.path.resolve().parent, Path.cwd(), Path(tempfile.gettempdir())}
        places.add(homes.cache_root())
        with contextlib.suppress(InputError):
            places.add(homes.home())
        with contextlib.suppress(MissingFileError):
            manifest = run.manifest
            paths = set(manifest.rows["path"])
            places.add(manifest.folder.resolve())
        weights = run.base_weights or {}
        if weights.get("kind") == "file":
            paths.add(str(weights.get("file")))
        files = {each for path in paths for each in (path, _last(path))}
        names = {socket.gethostname(), socket.gethostname().partition(".")[0], _user()}
        return cls(
            frozenset(str(place) for place in places if len(place.parts) > 1),
            frozenset(n for n in names - _ANYBODY if len(n) >= _SHORTEST),
            frozenset(f for f in files if "." in f or "/" in f or len(f) > 8),
            (repo,),
        )

    def found_in(self, text: str, file: str = "") -> Iterator[Finding]:
        """Yield what a text would tell."""
        yield from self._in_bytes(text.encode(), file, is_text=True)
        for name in self.files:
            if name in text and re.search(
                rf"(?<![\w.-]){re.escape(name)}(?![\w-])(?!\.\w)", text
            ):
                yield Finding(file, "the name of a training file", name)

    def found_below(self, folder: Path) -> Iterator[Finding]:
        """Yield what the files of a folder would tell, the members of archives too."""
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if not path.is_file():
                continue
            yield from self._in_content(path.read_bytes(), name)
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    for member in archive.namelist():
                        part = archive.read(member)
                        yield from self._in_content(part, f"{name}/{member}")

    def _in_content(self, content: bytes, file: str) -> Iterator[Finding]:
        if content.startswith(_PICTURES[:3]) or _PICTURES[3] in content:
            yield Finding(file, "a picture", file)
        try:
            text = content.decode() if b"\0" not in content else None
        except UnicodeDecodeError:
            text = None
        if text is None:
            yield from self._in_bytes(content, file, is_text=False)
        else:
            yield from self.found_in(text, file)

    def _in_bytes(
        self, content: bytes, file: str, *, is_text: bool
    ) -> Iterator[Finding]:
        for public in self.public:
            content = content.replace(public.encode(), b"")
        for place in self.places:
            pattern = re.escape(place.encode())
            if len(place) < _SHORTEST_IN_NUMBERS:  # base64 holds it by chance
                before = rb"(?:(?<![\w+])|(?<=\\[nrt]))" if is_text else b""
                pattern = before + pattern + rb"(?!\w)"
            if re.search(pattern, content):
                yield Finding(file, "a folder of this machine", place)
        for name in self.names:
            if not is_text and len(name) < _SHORTEST_IN_NUMBERS:
                continue
            if re.search(rb"(?<!\w)%s(?!\w)" % re.escape(name.encode()), content):
                yield Finding(file, "the name of this account or machine", name)
        if match := _PATH.search(content):
            yield Finding(file, "an absolute path", match[0].decode(errors="replace"))
        for match in _PICTURE_NAME.finditer(content):
            text = match[0].decode(errors="replace").strip()
            if not text.endswith(EXAMPLE) and (is_text or text in self.files):
                yield Finding(file, "the name of a picture", text)


def require_nothing_private(folder: Path, private: Private) -> None:
    """Refuse to let a folder leave that says who made it.

    Raises:
        InputError: Something in it says so.
    """
    findings = list(private.found_below(folder))
    if findings:
        first = findings[0]
        raise InputError(
            f"Not published: {first.file} holds {first.what}, {quoted(first.text)}"
            + (f", and {len(findings) - 1} more findings" if findings[1:] else "")
            + ". Rename what it comes from (a source or attribute of the manifest, a path of a "
            "weights file) and train again."
        )


def _last(path: str) -> str:
    return PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
