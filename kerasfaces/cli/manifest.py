"""`kerasfaces manifest`: build, join, split, check, audit, select.

Only the arguments are parsed here; `commands` does the work and prints.
"""

import argparse
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import inputs

EXAMPLES = [
    "kerasfaces manifest build photos -o photos/manifest.csv",
    "kerasfaces manifest split photos/manifest.csv --ratio 5:1:1",
    "kerasfaces manifest check photos/manifest.csv",
    "kerasfaces manifest audit photos/manifest.csv",
    "kerasfaces manifest select photos/manifest.csv --where source=ffhq,stylegan -o pair.csv",
]
BUILD = [
    "kerasfaces manifest build photos -o photos/manifest.csv    # photos/real, photos/fake/GENERATOR",
    "kerasfaces manifest build cifake --validation-from train -o cifake.csv  # train/REAL, test/FAKE",
    "kerasfaces manifest build a --split-is train b.csv --split-is test -o m.csv",
    "kerasfaces manifest build ffhq --label-is real stylegan --label-is fake -o m.csv",
    "kerasfaces manifest build rows.xlsx --columns mudgal2023 --root images -o manifest.csv",
    "kerasfaces manifest build rows.csv --map path=file,label=y,source=kind --real-is 0 -o m.csv",
    "kerasfaces manifest build hub.parquet --extract images -o images/manifest.csv",
    "kerasfaces manifest build --recipe data_manifests/wan2023.toml --root data -o manifest.csv",
]
JOIN = [
    "kerasfaces manifest join train.csv test.csv -o both.csv",
]
SPLIT = [
    "kerasfaces manifest split manifest.csv                  # 5:1:1, seed 0, in place",
    "kerasfaces manifest split manifest.csv --ratio 80/10/10 --seed 1 -o split-1.csv",
    "kerasfaces manifest split manifest.csv --validation-from train   # test rows stay",
    "kerasfaces manifest split manifest.csv --ratio 64:16:20 --overwrite  # all anew",
]
CHECK = [
    "kerasfaces manifest check manifest.csv                  # exit code 1 on any finding"
]
AUDIT = [
    "kerasfaces manifest audit manifest.csv                  # exit code 1 when flagged",
    "kerasfaces manifest audit manifest.csv --where source=ffhq,stylegan --json",
    "kerasfaces manifest audit manifest.csv --neutralise same-size",
]
SELECT = [
    "kerasfaces manifest select manifest.csv --where source=ffhq,stylegan -o pair.csv",
    "kerasfaces manifest select manifest.csv --where attr_gender=woman --where split=test -o w.csv",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse and run one subcommand; return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    whole = parser()
    if words[:1] == ["build"]:
        build = cli.subparsers(whole)["build"]
        words = ["build", *inputs.marked(build, words[1:])]
    options = whole.parse_args(words)

    from kerasfaces.manifest import commands as work

    code: int = getattr(work, options.command)(options)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of `manifest` with those of its subcommands."""
    parser = cli.parser(
        "manifest",
        "Say which images there are: build manifest.csv, join several, split, check, audit.",
        EXAMPLES,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _build(
        _sub(
            commands,
            "build",
            "Make a manifest from folders, tables or a recipe; class, split and source are "
            "read from the words in folders' names, and how is printed.",
            BUILD,
        )
    )
    _join(
        _sub(
            commands,
            "join",
            "Concatenate manifests; the same image in two splits is refused.",
            JOIN,
        )
    )
    _split(
        _sub(
            commands,
            "split",
            "Assign train, val and test, stratified by label and source; pairs, identities, "
            "copies and near-duplicates stay together.",
            SPLIT,
        )
    )
    _check(_sub(commands, "check", "List what is wrong, row by row.", CHECK))
    _audit(
        _sub(
            commands,
            "audit",
            "Measure how well file facts alone (size, format, JPEG tables, bytes per pixel, "
            "EXIF) separate real from fake; --neutralise removes them.",
            AUDIT,
        )
    )
    _select(_sub(commands, "select", "Write the rows that meet conditions.", SELECT))
    return parser


def _sub(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    description: str,
    examples: list[str],
) -> argparse.ArgumentParser:
    parser = cli.parser(f"manifest {name}", description, examples)
    return commands.add_parser(
        name,
        prog=parser.prog,
        help=description.partition("; ")[0].rstrip("."),
        description=textwrap.fill(description, 80),
        epilog=parser.epilog,
        formatter_class=parser.formatter_class,
    )


def _build(parser: argparse.ArgumentParser) -> None:
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
    add("--columns", metavar="NAME", help="a known table layout: mudgal2023")
    add(
        "--map",
        action="append",
        default=[],
        metavar="OURS=THEIRS,...",
        help="column names, e.g. label=target,source=folder",
    )
    add("--real-is", metavar="VALUE", help="the label that means real, e.g. 1")
    add(
        "--map-split",
        action="append",
        default=[],
        metavar="THEIRS=OURS,...",
        help="split names, e.g. test=val,dev=test",
    )
    _validation_from(parser)
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


def _join(parser: argparse.ArgumentParser) -> None:
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


def _validation_from(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--validation-from",
        choices=("train",),
        help="cut the missing val split from train (a sixth, what belongs together stays "
        "together); test rows stay",
    )


def _split(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    add = parser.add_argument
    add("-o", "--output", type=Path, metavar="OUT", help="default: replace M")
    add(
        "--ratio",
        default="5:1:1",
        help="train:val:test (default 5:1:1), or train:test such as 80/20; training needs "
        "val, so for 80/20 with validation use 64:16:20; with --validation-from, train:val",
    )
    _validation_from(parser)
    add("--seed", type=int, default=0, help="default: 0")
    add(
        "--near-duplicates",
        type=_distance,
        metavar="BITS|off",
        default=argparse.SUPPRESS,
        help="how many of 256 bits the perceptual hashes of one picture may differ in "
        "(default 16; 0: equal hashes only; off: do not look at the images)",
    )
    add(
        "--overwrite",
        action="store_true",
        help="replace the splits that rows have, a data set's own test too",
    )


def _check(parser: argparse.ArgumentParser) -> None:
    _common(parser, where=False)
    parser.add_argument("--json", action="store_true", help="findings as JSON")


def _audit(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the folds (default: 0)")
    add("--json", action="store_true", help="the result as JSON")
    add(
        "--neutralise",
        type=Path,
        metavar="DIR",
        help="write DIR/manifest.csv and JPEGs of one size and quality, and audit those",
    )
    add(
        "--size",
        type=int,
        metavar="PX",
        help="their side (default: the multiple of 16 below .9 of the smallest side)",
    )


def _select(parser: argparse.ArgumentParser) -> None:
    _common(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="file to write"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace OUT")


def _common(parser: argparse.ArgumentParser, *, where: bool = True) -> None:
    parser.add_argument("manifest", type=Path, metavar="M", help="manifest.csv")
    parser.add_argument("--root", type=Path, help="folder that paths are relative to")
    if where:
        parser.add_argument(
            "--where",
            action="append",
            default=[],
            metavar="COLUMN=A,B",
            help="only rows with one of these values (!= for none of them); repeatable",
        )


def _distance(text: str) -> int | None:
    if text == "off":
        return None
    if not text.isdecimal() or int(text) > 256:
        raise argparse.ArgumentTypeError(
            f"expected 0..256 bits or off, got {quoted(text)}"
        )
    return int(text)
