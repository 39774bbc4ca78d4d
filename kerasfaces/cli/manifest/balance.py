"""`kerasfaces manifest balance`: rows, or weights, by the classes of attributes."""

import argparse
import logging
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.cli.manifest import framework
from kerasfaces.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger("kerasfaces.manifest")
_EXAMPLES = [
    "kerasfaces manifest balance annotated.csv -n 1000 --preset kabber2023 -o chosen.csv",
    "kerasfaces manifest balance M -n 400 --ratio attr_gender=man:.5,woman:.5 -o even.csv",
    "kerasfaces manifest balance M -n 400 --pairs --preset kabber2023 -o chosen.csv",
    "kerasfaces manifest balance M --weigh --ratio attr_race=asian:1,black:1,white:1 -o w.csv",
]


def add_balance(commands: framework.Commands) -> None:
    """Add `balance`."""
    parser = framework.subcommand(
        commands,
        _balance,
        "balance",
        "Choose images so that the classes of attributes are there in given ratios, real and "
        "fake alike; what cannot be met is said.",
        _EXAMPLES,
    )
    framework.add_manifest(parser)
    framework.add_output(parser, "OUT", "file to write", "replace OUT")
    add = cli.Options(parser)
    add.number("-n", None, "images in all, half of each label")
    text = "shares of an attribute's classes; repeatable"
    add.repeated("--ratio", "COLUMN=CLASS:SHARE,...", text)
    add("--preset", metavar="NAME", help="a document's ratios: kabber2023 (table 2)")
    text = "choose real images; a fake of the pair_id comes along with each"
    add.flag("--pairs", text)
    add.flag(
        "--weigh",
        "leave nothing out: write a column weight, for train --set weight_column=weight",
    )
    add.number("--seed", 0, "of the draw (default: 0)", None)


def _balance(arguments: argparse.Namespace) -> int:
    from kerasfaces.manifest import attribute_choice, ratios

    if arguments.weigh and (arguments.n is not None or arguments.pairs):
        raise InputError("--weigh keeps every row: leave -n and --pairs out.")
    if not arguments.weigh and arguments.n is None:
        raise InputError(
            "balance: how many images? Add -n N, or --weigh to keep them all."
        )
    framework.refuse_existing(arguments.output, arguments.overwrite)
    wanted = ratios.wanted(arguments.preset, arguments.ratio)
    manifest = framework.read(arguments)
    if arguments.weigh:
        choice = attribute_choice.weigh(manifest, wanted)
    else:
        choice = attribute_choice.choose(
            manifest, wanted, arguments.n, pairs=arguments.pairs, seed=arguments.seed
        )
    framework.write(choice.manifest, arguments.output)
    _print(choice.table, "sum of weights" if arguments.weigh else "images")
    for note in choice.notes:
        logger.warning("%s", note)
    printing.text(f"wrote {arguments.output}")
    return 0


def _print(table: "pd.DataFrame", chosen: str) -> None:
    body = [
        [
            row["label"],
            row["attribute"],
            row["class"],
            f"{row['wanted']:.3f}",
            f"{row['share']:.3f}",
            f"{row['chosen']:,.0f}",
            f"{row['available']:,}",
        ]
        for row in table.to_dict("records")
    ]
    header = ["label", "attribute", "class", "wanted", "got", chosen, "available"]
    printing.table(header, body)
