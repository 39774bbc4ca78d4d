"""`kerasfaces manifest build`: folders, tables or a recipe -> manifest.csv."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.cli.manifest import framework, inputs
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

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


def add_to(commands: framework.Commands) -> None:
    """Add the subcommand."""
    parser = framework.subcommand(
        commands,
        run,
        "build",
        "Make a manifest from folders, tables or a recipe; class, split and source are read "
        "from the words in folders' names, and how is printed.",
        _EXAMPLES,
    )
    add = parser.add_argument
    inputs.add_options(parser)
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="M",
        help="manifest to write",
    )
    add("--recipe", type=Path, metavar="X.toml", help="a recipe of data_manifests/")
    add("--root", type=Path, help="folder that paths are relative to")
    add(
        "--columns",
        dest="layout",
        metavar="NAME",
        help="a known table layout: mudgal2023",
    )
    add(
        "--map",
        dest="columns",
        action="append",
        default=[],
        metavar="OURS=THEIRS,...",
        help="column names, e.g. label=target,source=folder",
    )
    add("--real-is", metavar="VALUE", help="the label that means real, e.g. 1")
    add(
        "--map-split",
        dest="split_names",
        action="append",
        default=[],
        metavar="THEIRS=OURS,...",
        help="split names, e.g. test=val,dev=test",
    )
    framework.add_validation_from(parser)
    add(
        "--suffix",
        default="",
        metavar=".EXT",
        help="what the table's names lack, e.g. .jpg for ids",
    )
    add(
        "--extract",
        type=Path,
        metavar="DIR",
        help="write the images that a Parquet table holds itself to DIR",
    )
    add("--attributes", type=Path, metavar="TABLE", help="attribute columns to join")
    add("--no-split", action="store_true", help="leave out a recipe's split")
    add("--overwrite", action="store_true", help="replace an existing M")


def marked(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return the command's words with its folders and tables marked as such."""
    return [words[0], *inputs.marked(parser, words[1:])]


def run(arguments: argparse.Namespace) -> int:
    """Make a manifest from folders, tables or a recipe."""
    if bool(arguments.inputs) == bool(arguments.recipe):
        raise InputError("build: expected either DIR (or TABLE) or --recipe X.toml.")
    framework.refuse_existing(arguments.output, arguments.overwrite)
    manifest = (_from_recipe if arguments.recipe else _from_inputs)(arguments)
    if arguments.validation_from:
        from kerasfaces.manifest.split import cut_validation

        result = cut_validation(manifest)
        n = int((result.manifest.rows["split"] == "val").sum())
        sentence = (
            f"validation: {n:,} images cut from train (a sixth, seed 0); no test "
        )
        manifest = framework.print_split(f"{sentence}image moved", result)
    return framework.finish(manifest, arguments.output)


def _from_inputs(arguments: argparse.Namespace) -> "Manifest":
    from kerasfaces.cli import printing
    from kerasfaces.manifest import build, foreign_tables

    tables = foreign_tables.TableFormat(
        layout=arguments.layout or "",
        columns=_pairs(arguments.columns),
        real_is=arguments.real_is or "",
        split_names=_pairs(arguments.split_names),
        root=arguments.root,
        suffix=arguments.suffix,
        extract=arguments.extract,
    )
    stated = inputs.given(arguments)
    parts, reading = build.read(stated, tables)
    if reading:
        printing.tree(reading)
    manifest = build.united(parts, arguments.output.parent, arguments.attributes)
    if len(stated) > 1:
        build.refuse_shared(manifest, parts)
    return manifest


def _from_recipe(arguments: argparse.Namespace) -> "Manifest":
    from kerasfaces.cli import printing
    from kerasfaces.manifest import build, recipe_rows
    from kerasfaces.manifest import recipe as recipes
    from kerasfaces.manifest.attributes import Attributes
    from kerasfaces.manifest.split import assign, parse_ratio

    if arguments.root is None:
        raise InputError("--recipe needs --root DIR, the folder with the data.")
    recipe = recipes.read(arguments.recipe)
    attributes = Attributes(arguments.attributes) if arguments.attributes else None
    manifest, report = recipe_rows.assemble(recipe, arguments.root, attributes)
    printing.text(f"{recipe.name}: {recipe.title}")
    printing.sources(report)
    printing.shares(recipe, manifest)
    manifest = build.scanned(manifest, str(arguments.recipe))
    if arguments.no_split or not recipe.split:
        return manifest
    sentence = (
        f"split {recipe.split}, seed {recipe.seed}, as the recipe says (--no-split "
    )
    return framework.print_split(
        f"{sentence}leaves it out)",
        assign(manifest, parse_ratio(recipe.split), recipe.seed),
    )


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    """Parse `label=target,source=folder` texts.

    Raises:
        InputError: A part without `=`.
    """
    pairs: dict[str, str] = {}
    for part in (piece for text in texts for piece in text.split(",") if piece.strip()):
        ours, equals, theirs = part.partition("=")
        if not (equals and ours.strip() and theirs.strip()):
            raise InputError(f"{quoted(part)}: expected NAME=NAME, e.g. label=target.")
        pairs[ours.strip()] = theirs.strip()
    return pairs
