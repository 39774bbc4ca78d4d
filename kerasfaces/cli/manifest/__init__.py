"""`kerasfaces manifest`: build, join, split, check, audit, select, balance, faces."""

import argparse
import sys
from collections.abc import Sequence

from kerasfaces import cli
from kerasfaces.cli.manifest import balance, build, checks, faces, rows

_EXAMPLES = [
    "kerasfaces manifest build photos -o photos/manifest.csv",
    "kerasfaces manifest split photos/manifest.csv --ratio 5:1:1",
    "kerasfaces manifest check photos/manifest.csv",
    "kerasfaces manifest audit photos/manifest.csv",
    "kerasfaces manifest select photos/manifest.csv --where source=ffhq,stylegan -o pair.csv",
    "kerasfaces manifest crop-faces photos/manifest.csv -o crops",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse and run one subcommand; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    whole = parser()
    if words[:1] == ["build"]:
        of_build = cli.subparsers(whole)["build"]
        words = ["build", *build.marked(of_build, words[1:])]
    arguments = whole.parse_args(words)
    code: int = arguments.run(arguments)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of `manifest` with those of its subcommands."""
    parser = cli.parser(
        "manifest",
        "Say which images there are: build manifest.csv, join several, split, check, audit, crop faces.",
        _EXAMPLES,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build.add_build(commands)
    rows.add_join(commands)
    rows.add_split(commands)
    checks.add_check(commands)
    checks.add_audit(commands)
    rows.add_select(commands)
    balance.add_balance(commands)
    faces.add_count_faces(commands)
    faces.add_crop_faces(commands)
    return parser
