"""What the subcommands of `manifest` share."""

import argparse
import logging
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import listed, quoted

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

logger = logging.getLogger("kerasfaces.manifest")
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def subcommand(
    commands: Commands,
    run: Callable[[argparse.Namespace], int],
    name: str,
    description: str,
    examples: Sequence[str],
) -> argparse.ArgumentParser:
    """Add a subcommand, whose work is `run(arguments)`, and return its parser."""
    parser = cli.parser(f"manifest {name}", description, examples)
    added = commands.add_parser(
        name,
        prog=parser.prog,
        help=description.partition("; ")[0].rstrip("."),
        description=textwrap.fill(description, 80),
        epilog=parser.epilog,
        formatter_class=parser.formatter_class,
    )
    added.set_defaults(run=run)
    return added


def add_manifest(parser: argparse.ArgumentParser, *, where: bool = True) -> None:
    """Add the manifest to read, `--root` and `--where`."""
    add = cli.Options(parser)
    add("manifest", type=Path, metavar="M", help="manifest.csv")
    add.path("--root", "folder that paths are relative to")
    if where:
        text = "only rows with one of these values (!= for none of them); repeatable"
        add.repeated("--where", "COLUMN=A,B", text)


def add_output(
    parser: argparse.ArgumentParser, metavar: str, help_text: str, overwrite: str
) -> None:
    """Add the manifest to write and `--overwrite`."""
    add = cli.Options(parser)
    add.file("--output", help_text, metavar, required=True)
    add.flag("--overwrite", overwrite)


def add_validation_from(parser: argparse.ArgumentParser) -> None:
    """Add `--validation-from`."""
    cli.Options(parser).choice(
        "--validation-from",
        None,
        ("train",),
        "cut the missing val split from train (a sixth, what belongs together stays "
        "together); test rows stay",
    )


def read(arguments: argparse.Namespace) -> "Manifest":
    """Return the rows of the manifest that meet every `--where`."""
    from kerasfaces import manifest as manifests
    from kerasfaces.manifest.table import select

    manifest = manifests.read(arguments.manifest, arguments.root)
    for condition in arguments.where:
        name, equals, text = condition.partition("=")
        column = name.removesuffix("!").strip()
        if not equals or column not in manifest.rows:
            raise InputError(
                f"--where {quoted(condition)}: expected COLUMN=VALUE,VALUE with one of "
                f"the columns {listed(list(manifest.rows.columns))}."
            )
        values = [part.strip() for part in text.split(",")]
        try:
            manifest = select(manifest, column, values, exclude=name.endswith("!"))
        except InputError as error:
            raise InputError(f"--where {quoted(condition)}: {error}") from error
    return manifest


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Refuse to write over a file without `--overwrite`."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; add --overwrite to replace it.")


def write(manifest: "Manifest", path: Path) -> None:
    """Write a manifest and print its counts."""
    from kerasfaces import manifest as manifests

    manifests.write(manifest, path)
    printing.counts(manifest)


def finish(manifest: "Manifest", path: Path) -> int:
    """Write a new manifest and print what is in it and what it lacks."""
    from kerasfaces.manifest import split_problems

    write(manifest, path)
    for line in split_problems.remarks(manifest):
        logger.warning("%s", line)
    printing.text(f"wrote {path}")
    return 0
