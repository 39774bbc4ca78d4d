"""`kerasfaces manifest join`: several manifests -> one."""

import argparse
from pathlib import Path

from kerasfaces.cli.manifest import framework


def add_to(commands: framework.Commands) -> None:
    """Add the subcommand."""
    parser = framework.subcommand(
        commands,
        run,
        "join",
        "Concatenate manifests; the same image in two splits is refused.",
        ["kerasfaces manifest join train.csv test.csv -o both.csv"],
    )
    add = parser.add_argument
    add("manifests", nargs="+", type=Path, metavar="M", help="manifests")
    add(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="manifest to write; paths are rewritten for its folder",
    )
    add("--overwrite", action="store_true", help="replace an existing OUT")


def run(arguments: argparse.Namespace) -> int:
    """Concatenate manifests."""
    from kerasfaces import manifest as manifests
    from kerasfaces.manifest import build

    framework.refuse_existing(arguments.output, arguments.overwrite)
    parts = [(str(path), manifests.read(path)) for path in arguments.manifests]
    manifest = build.join(parts, arguments.output.parent)
    return framework.finish(manifest, arguments.output)
