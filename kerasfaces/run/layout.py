"""What all folders of commands share: files as attributes, a format, a lock, an identity.

The kinds of folders, and the names of the files in each, are in `folder`.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from kerasfaces import __version__
from kerasfaces.core import config as configs
from kerasfaces.core import environment, folders
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json, read_json, write_json, write_text
from kerasfaces.core.texts import quoted
from kerasfaces.run import kinds

if TYPE_CHECKING:  # pandas: whoever only opens a run does without
    from kerasfaces.manifest import Manifest

FORMAT = 1  # of the layout; see `Run.check_format`


class File:
    """The path of a file in a run folder as an attribute."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, run: "Run", owner: type["Run"]) -> Path:
        return run.path / self.name


class JsonFile:
    """A JSON object in a run folder as an attribute: reading reads, assigning writes."""

    def __init__(self, name: str, *, optional: bool = False) -> None:
        """Name the file; an optional one that is missing is an empty object."""
        self.name, self._optional = name, optional

    def __get__(self, run: "Run", owner: type["Run"]) -> Json:
        path = run.path / self.name
        if self._optional and not path.is_file():
            return {}
        value = read_json(path)
        if not isinstance(value, dict):
            raise RunError(f"{path} holds no object; restore or delete it.")
        return value

    def __set__(self, run: "Run", value: Json) -> None:
        write_json(run.path / self.name, dict(value))


class Run:
    """A folder that one command writes and others read.

    Attributes:
        path: The folder; it need not exist.
    """

    KINDS: ClassVar[tuple[type["Run"], ...]]  # see `folder`; the last has no marks
    NOUN: ClassVar[str] = "run"  # in messages
    IDENTITY: ClassVar[str] = "config.json"  # what decides everything else
    EARLY: ClassVar[tuple[str, ...]] = (
        "format.json",
        "environment.json",
        "manifest.csv",
        "audit.json",
    )
    LAST: ClassVar[tuple[str, ...]] = ("report.html",)  # a finished one has these
    MARKS: ClassVar[tuple[str, ...]] = ()  # files that only this kind has

    config = JsonFile("config.json", optional=True)
    environment = JsonFile("environment.json", optional=True)
    audit = JsonFile("audit.json", optional=True)  # what files alone tell of the labels
    manifest_file = File("manifest.csv")  # the images and the splits that were used
    report = File("report.html")  # the page for people
    _format = JsonFile("format.json", optional=True)

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return a folder as the object of its kind.

        Raises:
            MissingFileError: There is no such folder, or no finished run in it.
            InputError: It is of another kind than this class.
            RunError: A newer version wrote it.
        """
        run = cls.kind(path)
        if not isinstance(run, cls):
            raise InputError(f"{path} {kinds.why_no_run(path)}")
        run.check_format()
        run.check()
        return run

    @staticmethod
    def kind(path: Path) -> "Run":
        """Return a folder as the object of its kind, finished or not, unchecked."""
        for kind in Run.KINDS:
            if any((path / mark).exists() for mark in kind.MARKS):
                return kind(path)
        return Run.KINDS[-1](path)

    @contextlib.contextmanager
    def writing(self, identity: Json) -> Iterator[None]:
        """Hold the folder's lock as the only writer of what `identity` decides.

        Raises:
            LockedError: Another process is writing it.
            RunError: It holds something else, or a newer version wrote it.
        """
        other = self.kind(self.path)
        if not isinstance(self, type(other)) and other.is_finished:
            raise RunError(
                f"{self.path} holds another command's {other.NOUN}, no {self.NOUN}; choose "
                "another folder with `output`."
            )
        with folders.lock(self.path, f"{self.NOUN} folder"):
            self.check_format()
            folders.claim(
                self.path, self.IDENTITY, dict(identity), self.NOUN, self.EARLY
            )
            if not self._format:
                self._format = {"format": FORMAT, "kerasfaces": __version__}
            yield

    def check_format(self) -> None:
        """Refuse a folder whose layout is newer than this version, or damaged."""
        number = self._format.get("format", FORMAT)
        if not isinstance(number, int) or number < 1:
            raise RunError(
                f"{self.path / 'format.json'}: format is {quoted(str(number))}, expected "
                f"{FORMAT}; restore the file."
            )
        if number > FORMAT:
            author = self._format.get("kerasfaces", "a newer version")
            raise RunError(
                f"{self.path} has format {number}, written by kerasfaces "
                f"{quoted(str(author))}, and this is {__version__}, which reads format "
                f"{FORMAT}: install the newer version (pip install -U kerasfaces)."
            )

    def check(self) -> None:
        """Refuse an unfinished folder; what a kind needs is up to it."""

    @property
    def is_finished(self) -> bool:
        """Whether the command that writes the folder has nothing left to do."""
        return all((self.path / name).exists() for name in self.LAST)

    @property
    def name(self) -> str:
        """The folder's own name, also where its path is `.`."""
        return self.path.resolve().name

    def write_report(self, page: str) -> None:
        """Write the page, the last file of a finished folder."""
        write_text(self.report, page)

    def describe_machine(self) -> None:
        """Write environment.json: what this process runs on."""
        self.environment = environment.describe()

    @property
    def manifest(self) -> "Manifest":
        """The manifest of the images that the run was made from."""
        from kerasfaces import manifest as manifests

        return manifests.read(self.manifest_file)

    def keep_manifest(self, manifest: "Manifest") -> "Manifest":
        """Return the folder's images, at first those of `manifest`, split if they are not."""
        from kerasfaces import manifest as manifests
        from kerasfaces.manifest import split

        if not self.manifest_file.exists():
            manifests.write(split.if_needed(manifest), self.manifest_file)
        return self.manifest

    def keep_audit(self, manifest: "Manifest") -> Json | None:
        """Return the folder's audit, at first that of a manifest's files.

        None where no file is: a channel store holds what was read of them.
        """
        from kerasfaces.manifest import audit

        if not self.audit and any(file.exists() for file in manifest.files()):
            self.audit = configs.to_dict(audit.audit(manifest, pixels=False))
        return self.audit or None
