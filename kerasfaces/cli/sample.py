"""`kerasfaces sample`: write the built-in data set."""

import argparse
from collections.abc import Sequence

from kerasfaces import cli, sample

_EXAMPLES = (
    "kerasfaces sample -o sample",
    "kerasfaces sample -o sample --seed 3 --pairs 100 --contact-sheet sheet.png",
)


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Make the sample and print the manifest's path."""
    arguments = _parser().parse_args(argv)
    manifest = sample.make(arguments.output, arguments.seed, arguments.pairs)
    print(manifest)
    if arguments.contact_sheet:
        from kerasfaces.sample.build import contact_sheet

        contact_sheet(manifest, arguments.contact_sheet)
        print(arguments.contact_sheet)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "sample", "Make the built-in data set (a simulation).", _EXAMPLES
    )
    add = cli.Options(parser)
    add.folder(None, required=True)
    add("--seed", type=int, default=0)
    add.number("--pairs", sample.DEFAULT_PAIRS, "default: %(default)s", None)
    add.file("--contact-sheet", "also a picture of some pairs")
    return parser
