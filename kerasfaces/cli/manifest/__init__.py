"""`kerasfaces manifest`: build, join, split, check, audit, select."""

import argparse
import sys
from collections.abc import Sequence

from kerasfaces import cli
from kerasfaces.cli.manifest import audit, build, check, join, select, split

_EXAMPLES = [
    "kerasfaces manifest build photos -o photos/manifest.csv",
    "kerasfaces manifest split photos/manifest.csv --ratio 5:1:1",
    "kerasfaces manifest check photos/manifest.csv",
    "kerasfaces manifest audit photos/manifest.csv",
    "kerasfaces manifest select photos/manifest.csv --where source=ffhq,stylegan -o pair.csv",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse and run one subcommand; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    whole = parser()
    if words[:1] == ["build"]:
        words = build.marked(cli.subparsers(whole)["build"], words)
    arguments = whole.parse_args(words)
    code: int = arguments.run(arguments)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of `manifest` with those of its subcommands."""
    parser = cli.parser(
        "manifest",
        "Say which images there are: build manifest.csv, join several, split, check, audit.",
        _EXAMPLES,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for each in (build, join, split, check, audit, select):
        each.add_to(commands)
    return parser
