"""`build`'s folders and tables on the command line, each with options of its own.

`build A --split-is train B --split-is test`: an option belongs to the folder or table it
stands behind; before the first it belongs to all that have none of their own.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kerasfaces.manifest.folder_names import FolderInput

_HIDDEN = "--input"


class Input(NamedTuple):
    """A folder or table with the options that stand behind it."""

    path: Path
    options: Mapping[str, str]


def given(arguments: argparse.Namespace) -> "list[FolderInput]":
    """Return the folders and tables of a parsed command line."""
    from kerasfaces.manifest.folder_names import FolderInput

    return [
        FolderInput(
            path=each.path,
            label=each.options.get("label_is", ""),
            split=each.options.get("split_is", ""),
            source=each.options.get("source", ""),
        )
        for each in arguments.inputs
    ]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the folders and tables and the options that each of them may have."""
    parser.set_defaults(inputs=[], for_all={})
    parser.add_argument(
        "data",
        nargs="*",
        metavar="DIR|TABLE",
        help="folders and tables; each may be followed by --split-is, --label-is, --source "
        "of its own (before the first: for all)",
    )
    parser.add_argument(_HIDDEN, action=_Add, type=Path, help=argparse.SUPPRESS)
    add = parser.add_argument
    add(
        "--split-is",
        action=_Own,
        choices=("train", "val", "test", "none"),
        help="all its images are in this split, whatever the folders say",
    )
    add(
        "--label-is",
        action=_Own,
        choices=("real", "fake"),
        help="all its images are this (folders)",
    )
    add(
        "--source",
        action=_Own,
        metavar="NAME",
        help="its name, where no folder names a source; its reals are NAME_real if it has "
        "fakes too",
    )


def marked(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return a command's words with every folder or table as the option `--input=...`.

    argparse keeps the order of options among each other, not of options and the rest.
    """
    found: list[str] = []
    expects_value = only_inputs = False
    for word in words:
        if expects_value:
            found.append(word)
            expects_value = False
        elif word == "--" and not only_inputs:
            only_inputs = True
        elif only_inputs or not word.startswith("-") or word == "-":
            found.append(f"{_HIDDEN}={word}")
        else:
            found.append(word)
            expects_value = _expects_value(parser, word)
    return found


def _expects_value(parser: argparse.ArgumentParser, word: str) -> bool:
    """Tell whether the next word is this option's value; a long name may be cut short."""
    name, equals, _ = word.partition("=")
    if equals:
        return False
    for action in parser._actions:
        for option in action.option_strings:
            if option == name or (name.startswith("--") and option.startswith(name)):
                return action.nargs != 0
    return False


class _Add(argparse.Action):
    """Starts the next folder or table."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        namespace.inputs = [*namespace.inputs, Input(values, namespace.for_all)]
        namespace.own = set()


class _Own(argparse.Action):
    """Sets an option of the folder or table before it, or of all that follow."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        if not namespace.inputs:
            namespace.for_all = {**namespace.for_all, self.dest: values}
            return
        if self.dest in namespace.own:
            parser.error(
                f"{option_string} stands twice behind {namespace.inputs[-1].path}"
            )
        namespace.own = {*namespace.own, self.dest}
        path, options = namespace.inputs[-1]
        last = Input(path, {**options, self.dest: values})
        namespace.inputs = [*namespace.inputs[:-1], last]
