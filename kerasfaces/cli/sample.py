"""`kerasfaces sample`: write the built-in data set."""

import argparse
from collections.abc import Sequence

from kerasfaces import cli, sample
from kerasfaces.cli import outputs

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
    parser.add_argument(
        "-o", "--output", type=outputs.folder, required=True, metavar="DIR"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--pairs", type=int, default=sample.DEFAULT_PAIRS, help="default: %(default)s"
    )
    parser.add_argument(
        "--contact-sheet",
        type=outputs.file,
        metavar="FILE",
        help="also a picture of some pairs",
    )
    return parser
