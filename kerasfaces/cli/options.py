"""The kinds of options that commands have; each method is one call of argparse."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasfaces.cli import outputs


class Options:
    """Adds options to a parser or a group; called itself, it is `add_argument`."""

    def __init__(self, parser: "argparse._ActionsContainer") -> None:
        """Name the parser."""
        self._add = parser.add_argument

    def __call__(self, *names: str, **more: Any) -> None:
        """Add any other argument."""
        self._add(*names, **more)

    def flag(self, name: str, text: str) -> None:
        """Add `--name`, false without it."""
        self._add(name, action="store_true", help=text)

    def no(self, name: str, text: str) -> None:
        """Add `--no-name`, whose value is `name`: true without it."""
        self._add(f"--no-{name}", dest=name, action="store_false", help=text)

    def number(
        self,
        name: str,
        default: float | None,
        text: str,
        metavar: str | None = "N",
        *,
        kind: type[float] = int,
        **more: Any,
    ) -> None:
        """Add a number of the default's type, or of `kind` where there is no default."""
        kind = kind if default is None else type(default)
        self._add(name, type=kind, default=default, metavar=metavar, help=text, **more)

    def path(self, name: str, text: str, metavar: str | None = None) -> None:
        """Add the path of something that is read."""
        self._add(name, type=Path, metavar=metavar, help=text)

    def repeated(self, name: str, metavar: str, text: str, **more: Any) -> None:
        """Add an option that may be given several times; a list."""
        self._add(name, action="append", default=[], metavar=metavar, help=text, **more)

    def choice(
        self, name: str, default: str | None, known: Sequence[str], text: str
    ) -> None:
        """Add one of several words."""
        self._add(name, default=default, choices=known, help=text)

    def folder(self, text: str | None, metavar: str = "DIR", **more: Any) -> None:
        """Add `-o`, `--output`: a folder to write; see `outputs`."""
        names = "-o", "--output"
        self._add(*names, type=outputs.folder, metavar=metavar, help=text, **more)

    def file(
        self, name: str, text: str | None, metavar: str = "FILE", **more: Any
    ) -> None:
        """Add a file to write; see `outputs`."""
        names = ["-o", name] if name == "--output" else [name]
        self._add(*names, type=outputs.file, metavar=metavar, help=text, **more)
