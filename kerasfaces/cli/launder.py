"""Command `launder`: run folder -> what is left of the detector after each laundering."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core.texts import plain

BELOW = (
    3  # exit code of --fail-under; 1 is what Python ends with when a program crashes
)
_EXAMPLES = [
    "kerasfaces launder RUN                                # its own test split, everything",
    "kerasfaces launder RUN --only jpeg,resize             # some launderings",
    "kerasfaces launder RUN --only jpeg:70,blur:1          # at these strengths",
    "kerasfaces launder --list                             # what there is",
    "kerasfaces launder RUN --manifest other/manifest.csv  # other images",
    "kerasfaces launder RUN --fail-under .8                # exit code 3 if a cell is below",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, launder and measure, print the tables and the report's path."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        _list()
        return 0
    if arguments.run is None:
        parser.error("the following arguments are required: RUN")
    from kerasfaces import manifest as manifests
    from kerasfaces.launder import limit, table
    from kerasfaces.launder.run import LaunderSettings, launder

    if arguments.fail_under is not None:
        limit.check(arguments.fail_under)
    manifest = None
    if arguments.manifest is not None:
        manifest = manifests.read(arguments.manifest, arguments.root)
    folder = launder(
        arguments.run,
        manifest,
        LaunderSettings(
            launderings=[name for name in arguments.only.split(",") if name],
            split=arguments.split,
            at_least=arguments.at_least,
            seed=arguments.seed,
            folder=arguments.output,
            engine=cli.engine_of(arguments),
        ),
        str(arguments.manifest or ""),
    )
    content = folder.result
    print(table.text(content))
    print(f"\nreport: {folder.report}")
    if arguments.fail_under is None:
        return 0
    failed = limit.below(content, arguments.fail_under)
    n_refused = limit.n_refused(content)
    n_cells = len(content["cells"]) - n_refused
    if n_refused:
        print(
            f"not judged: {n_refused} cells, whose pictures are too small for this detector"
        )
    if not failed:
        print(
            f"passed: {n_cells} cells have an AUC of {arguments.fail_under:g} or more"
        )
        return 0
    words = limit.sentence(failed, n_cells, arguments.fail_under)
    sys.stdout.write(f"FAILED: {plain(words)}\n")
    return BELOW


def _list() -> None:
    from kerasfaces.images.launderings import LAUNDERINGS

    for name, each in LAUNDERINGS.items():
        strengths = ", ".join(f"{strength:g}" for strength in each.strengths)
        print(f"{name:<13}{each.what:<18}{each.unit}: {strengths}")


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "launder",
        "Launder test images as the web does (JPEG, WebP, resize, blur, screenshot ...), reals "
        "and fakes alike, and measure what is left of a detector: each generator under each "
        "laundering at each strength, how far reals and fakes move, and risk against coverage. "
        "The same command continues where it was interrupted.",
        _EXAMPLES,
    )
    parser.epilog = (
        f"{parser.epilog}\n\nexit codes: 0; 2 a mistake in the input; {BELOW} with "
        "--fail-under, when a cell's AUC is below it or could not be measured"
    )
    add = cli.Options(parser)
    folder = "run folder made by train, on pixels"
    add("run", type=Path, nargs="?", metavar="RUN", help=folder)
    add.flag("--list", "list the launderings and stop")
    add.path("--manifest", "other images than the run's own", "M")
    add.path("--root", "what relative paths in the manifest are relative to")
    splits = ("train", "val", "test")
    add.choice("--split", "test", splits, "of the manifest (default: test)")
    add("--only", default="", metavar="A,B:70", help="some of --list (default: all)")
    add.number(
        "--fail-under",
        None,
        f"exit code {BELOW} when the AUC of any cell is below, with the worst cell's name",
        "AUC",
        kind=float,
    )
    text = "images below which a generator is named, not measured (default: 10)"
    add.number("--at-least", 10, text)
    add.number("--seed", 0, "of the intervals; default: 0", None)
    cli.add_engine(parser)
    limit = "upper limit of processes or of Ray actors; default: a process per core"
    add.number("--workers", None, limit)
    add.folder("default: RUN/launderings/HASH-test")
    return parser
