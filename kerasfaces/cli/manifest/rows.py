"""`kerasfaces manifest join`, `select` and `split`: rows of manifests -> another one."""

import argparse
import logging
from pathlib import Path

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.cli.manifest import framework
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

logger = logging.getLogger("kerasfaces.manifest")


def add_join(commands: framework.Commands) -> None:
    """Add `join`."""
    parser = framework.subcommand(
        commands,
        _join,
        "join",
        "Concatenate manifests; the same image in two splits is refused.",
        ["kerasfaces manifest join train.csv test.csv -o both.csv"],
    )
    parser.add_argument(
        "manifests", nargs="+", type=Path, metavar="M", help="manifests"
    )
    help_text = "manifest to write; paths are rewritten for its folder"
    framework.add_output(parser, "OUT", help_text, "replace an existing OUT")


def _join(arguments: argparse.Namespace) -> int:
    from kerasfaces import manifest as manifests
    from kerasfaces.manifest import build

    framework.refuse_existing(arguments.output, arguments.overwrite)
    parts = [(str(path), manifests.read(path)) for path in arguments.manifests]
    manifest = build.join(parts, arguments.output.parent)
    return framework.finish(manifest, arguments.output)


def add_select(commands: framework.Commands) -> None:
    """Add `select`."""
    parser = framework.subcommand(
        commands,
        _select,
        "select",
        "Write the rows that meet conditions.",
        [
            "kerasfaces manifest select manifest.csv --where source=ffhq,stylegan -o pair.csv",
            "kerasfaces manifest select manifest.csv --where attr_gender=woman --where split=test -o w.csv",
        ],
    )
    framework.add_manifest(parser)
    framework.add_output(parser, "OUT", "file to write", "replace OUT")


def _select(arguments: argparse.Namespace) -> int:
    if not arguments.where:
        raise InputError("select: expected at least one --where COLUMN=VALUE,VALUE.")
    framework.refuse_existing(arguments.output, arguments.overwrite)
    framework.write(framework.read(arguments), arguments.output)
    printing.text(f"wrote {arguments.output}")
    return 0


def add_split(commands: framework.Commands) -> None:
    """Add `split`."""
    parser = framework.subcommand(
        commands,
        _split,
        "split",
        "Assign train, val and test, stratified by label and source; pairs, identities, "
        "copies and near-duplicates stay together.",
        [
            "kerasfaces manifest split manifest.csv                  # 5:1:1, seed 0, in place",
            "kerasfaces manifest split manifest.csv --ratio 80/10/10 --seed 1 -o split-1.csv",
            "kerasfaces manifest split manifest.csv --validation-from train   # test rows stay",
            "kerasfaces manifest split manifest.csv --ratio 64:16:20 --overwrite  # all anew",
        ],
    )
    framework.add_manifest(parser)
    add = cli.Options(parser)
    add.file("--output", "default: replace M", "OUT")
    text = (
        "train:val:test (default 5:1:1), or train:test such as 80/20; training needs "
        "val, so for 80/20 with validation use 64:16:20; with --validation-from, train:val"
    )
    add("--ratio", default="5:1:1", help=text)
    framework.add_validation_from(parser)
    add.number("--seed", 0, "default: 0", None)
    add(
        "--near-duplicates",
        type=_distance,
        metavar="BITS|off",
        default=argparse.SUPPRESS,
        help="how many of 256 bits the perceptual hashes of one picture may differ in "
        "(default 16; 0: equal hashes only; off: do not look at the images)",
    )
    text = "replace the splits that rows have, a data set's own test too"
    add.flag("--overwrite", text)


def _split(arguments: argparse.Namespace) -> int:
    from kerasfaces.manifest.split import NEAR_DUPLICATES, parse_ratio, split

    manifest = framework.read(arguments)
    output = arguments.output or arguments.manifest
    if arguments.where and not arguments.output:
        raise InputError(
            "--where would drop the other rows of M; give another file: -o OUT."
        )
    if output != arguments.manifest:
        framework.refuse_existing(output, arguments.overwrite)
    ratio = parse_ratio(arguments.ratio)
    try:
        result = split(
            manifest,
            ratio,
            arguments.seed,
            getattr(arguments, "near_duplicates", NEAR_DUPLICATES),
            validation_from=arguments.validation_from,
            overwrite=arguments.overwrite,
        )
    except InputError as error:
        raise InputError(f"{arguments.manifest}: {error}") from error
    framework.write(result.manifest, output)
    printing.moved(result)
    if len(ratio) == 2 and not arguments.validation_from:
        logger.warning(
            "there is no val split; training needs one (e.g. --ratio 64:16:20)"
        )
    printing.text(f"wrote {output}")
    return 0


def _distance(text: str) -> int | None:
    if text == "off":
        return None
    if not text.isdecimal() or int(text) > 256:
        raise argparse.ArgumentTypeError(
            f"expected 0..256 bits or off, got {quoted(text)}"
        )
    return int(text)
