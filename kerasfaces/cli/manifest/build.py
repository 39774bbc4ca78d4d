"""`kerasfaces manifest build`: folders, tables or a recipe -> manifest.csv.

`build A --split-is train B --split-is test`: an option belongs to the folder or table it
stands behind; before the first it belongs to all that have none of their own.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import outputs, printing
from kerasfaces.cli.manifest import framework
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

_HIDDEN = "--input"
_EXAMPLES = [
    "kerasfaces manifest build photos -o photos/manifest.csv    # photos/real, photos/fake/GENERATOR",
    "kerasfaces manifest build cifake --validation-from train -o cifake.csv  # train/REAL, test/FAKE",
    "kerasfaces manifest build a --split-is train b.csv --split-is test -o m.csv",
    "kerasfaces manifest build ffhq --label-is real stylegan --label-is fake -o m.csv",
    "kerasfaces manifest build rows.xlsx --columns mudgal2023 --root images -o manifest.csv",
    "kerasfaces manifest build rows.csv --map path=file,label=y,source=kind --real-is 0 -o m.csv",
    "kerasfaces manifest build hub.parquet --extract images -o images/manifest.csv",
    "kerasfaces manifest build --recipe data_manifests/wan2023.toml --root data -o manifest.csv",
]


def add_build(commands: framework.Commands) -> None:
    """Add `build`."""
    parser = framework.subcommand(
        commands,
        _build,
        "build",
        "Make a manifest from folders, tables or a recipe; class, split and source are read "
        "from the words in folders' names, and how is printed.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    _add_inputs(parser)
    framework.add_output(parser, "M", "manifest to write", "replace an existing M")
    add.path("--recipe", "a recipe of data_manifests/", "X.toml")
    add.path("--root", "folder that paths are relative to", "ROOT")
    add.path("--attributes", "attribute columns to join", "TABLE")
    text = "write the images that a Parquet table holds itself to DIR"
    add("--extract", type=outputs.folder, metavar="DIR", help=text)
    text = "a known table layout: mudgal2023"
    add("--columns", dest="layout", default="", metavar="NAME", help=text)
    text = "the label that means real, e.g. 1"
    add("--real-is", default="", metavar="VALUE", help=text)
    text = "what the table's names lack, e.g. .jpg for ids"
    add("--suffix", default="", metavar=".EXT", help=text)
    text = "column names, e.g. label=target,source=folder"
    add.repeated("--map", "OURS=THEIRS,...", text, dest="columns")
    text = "split names, e.g. test=val,dev=test"
    add.repeated("--map-split", "THEIRS=OURS,...", text, dest="split_names")
    framework.add_validation_from(parser)
    add.flag("--no-split", "leave out a recipe's split")


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the folders and tables and the options that each of them may have."""
    parser.set_defaults(inputs=[], for_all={})
    add = cli.Options(parser)
    text = (
        "folders and tables; each may be followed by --split-is, --label-is, --source "
        "of its own (before the first: for all)"
    )
    add("data", nargs="*", metavar="DIR|TABLE", help=text)
    add(_HIDDEN, action=_Input, help=argparse.SUPPRESS)
    add(
        "--split-is",
        action=_OfInput,
        choices=("train", "val", "test", "none"),
        help="all its images are in this split, whatever the folders say",
    )
    add(
        "--label-is",
        action=_OfInput,
        choices=("real", "fake"),
        help="all its images are this (folders)",
    )
    text = (
        "its name, where no folder names a source; its reals are NAME_real if it has "
        "fakes too"
    )
    add("--source", action=_OfInput, metavar="NAME", help=text)


def marked(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return a command's words with every folder or table as the option `--input=...`.

    argparse keeps the order of options among each other, not of options and the rest.
    """
    marked_words: list[str] = []
    expects_value = only_inputs = False
    for word in words:
        if expects_value:
            marked_words.append(word)
            expects_value = False
        elif word == "--" and not only_inputs:
            only_inputs = True
        elif only_inputs or not word.startswith("-") or word == "-":
            marked_words.append(f"{_HIDDEN}={word}")
        else:
            marked_words.append(word)
            expects_value = _expects_value(parser, word)
    return marked_words


def _expects_value(parser: argparse.ArgumentParser, word: str) -> bool:
    """Whether the next word is this option's value; a long name may be cut short."""
    for action in parser._actions:
        for option in action.option_strings:
            if option == word or (word.startswith("--") and option.startswith(word)):
                return action.nargs != 0
    return False


class _Input(argparse.Action):
    """Starts the next folder or table."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        namespace.inputs = [*namespace.inputs, {"path": values}]


class _OfInput(argparse.Action):
    """Sets an option of the folder or table before it, or of all that follow."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if not namespace.inputs:
            namespace.for_all = {**namespace.for_all, self.dest: values}
            return
        *others, last = namespace.inputs
        if self.dest in last:
            parser.error(f"{option_string} stands twice behind {last['path']}")
        namespace.inputs = [*others, {**last, self.dest: values}]


def _build(arguments: argparse.Namespace) -> int:
    if bool(arguments.inputs) == bool(arguments.recipe):
        raise InputError("build: expected either DIR (or TABLE) or --recipe X.toml.")
    framework.refuse_existing(arguments.output, arguments.overwrite)
    manifest = (_from_recipe if arguments.recipe else _from_inputs)(arguments)
    if arguments.validation_from:
        from kerasfaces.manifest.split import cut_validation

        result = cut_validation(manifest)
        n = int((result.manifest.rows["split"] == "val").sum())
        printing.text(
            f"validation: {n:,} images cut from train (a sixth, seed 0); no test image moved"
        )
        printing.moved(result)
        manifest = result.manifest
    return framework.finish(manifest, arguments.output)


def _from_inputs(arguments: argparse.Namespace) -> "Manifest":
    from kerasfaces.manifest import build, foreign_tables
    from kerasfaces.manifest.folder_names import FolderInput

    tables = foreign_tables.TableFormat(
        layout=arguments.layout,
        columns=_pairs(arguments.columns),
        real_is=arguments.real_is,
        split_names=_pairs(arguments.split_names),
        root=arguments.root,
        suffix=arguments.suffix,
        extract=arguments.extract,
    )
    inputs = []
    for each in arguments.inputs:
        options = {**arguments.for_all, **each}
        inputs.append(
            FolderInput(
                path=Path(each["path"]),
                label=options.get("label_is", ""),
                split=options.get("split_is", ""),
                source=options.get("source", ""),
            )
        )
    parts, reading = build.read(inputs, tables)
    if reading:
        printing.tree(reading)
    manifest = build.united(parts, arguments.output.parent, arguments.attributes)
    if len(inputs) > 1:
        build.refuse_shared(manifest, parts)
    return manifest


def _from_recipe(arguments: argparse.Namespace) -> "Manifest":
    from kerasfaces.manifest import build, recipe_rows
    from kerasfaces.manifest import recipe as recipes
    from kerasfaces.manifest.attributes import Attributes
    from kerasfaces.manifest.split import assign, parse_ratio

    recipe = recipes.read(arguments.recipe)
    if arguments.root is None:
        raise InputError("--recipe needs --root DIR, the folder with the data.")
    attributes = Attributes(arguments.attributes) if arguments.attributes else None
    manifest, report = recipe_rows.assemble(recipe, arguments.root, attributes)
    printing.text(f"{recipe.name}: {recipe.title}")
    printing.sources(report)
    printing.shares(recipe, manifest)
    manifest = build.scanned(manifest, str(arguments.recipe))
    if arguments.no_split or not recipe.split:
        return manifest
    result = assign(manifest, parse_ratio(recipe.split), recipe.seed)
    printing.text(
        f"split {recipe.split}, seed {recipe.seed}, as the recipe says (--no-split leaves "
        "it out)"
    )
    printing.moved(result)
    return result.manifest


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """Parse `label=target,source=folder` texts."""
    pairs: dict[str, str] = {}
    for part in (piece for text in texts for piece in text.split(",") if piece.strip()):
        ours, equals, theirs = part.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise InputError(f"{quoted(part)}: expected NAME=NAME, e.g. label=target.")
        pairs[ours.strip()] = theirs.strip()
    return pairs
