"""`kerasfaces manifest select`: the rows that meet conditions."""

import argparse
from pathlib import Path

from kerasfaces.cli.manifest import framework
from kerasfaces.core.errors import InputError

_EXAMPLES = [
    "kerasfaces manifest select manifest.csv --where source=ffhq,stylegan -o pair.csv",
    "kerasfaces manifest select manifest.csv --where attr_gender=woman --where split=test -o w.csv",
]


def add_to(commands: framework.Commands) -> None:
    """Add the subcommand."""
    parser = framework.subcommand(
        commands, run, "select", "Write the rows that meet conditions.", _EXAMPLES
    )
    framework.add_manifest(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="file to write"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT")


def run(arguments: argparse.Namespace) -> int:
    """Write the rows that meet all conditions."""
    from kerasfaces.cli import printing

    if not arguments.where:
        raise InputError("select: expected at least one --where COLUMN=VALUE,VALUE.")
    framework.refuse_existing(arguments.output, arguments.overwrite)
    framework.write(framework.read(arguments), arguments.output)
    printing.text(f"wrote {arguments.output}")
    return 0
