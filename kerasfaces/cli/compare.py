"""`kerasfaces compare`: detectors side by side, ours and others'."""

import argparse
import sys
from collections.abc import Sequence

from kerasfaces import cli
from kerasfaces.core.errors import InputError

SPLITS = ("train", "val", "test")


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, compare, print the tables and the report's path."""
    options = _parser().parse_args(argv)
    import kerasfaces as kf

    result = kf.compare_detectors(
        options.detectors,
        split=options.split,
        against=options.against,
        root=options.root,
        resamples=options.resamples,
        seed=options.seed,
        output=options.output,
    )
    sys.stdout.write(f"{result!r}\n\nreport: {result.report}\n")
    left_out = [*result.not_compared.values()]
    if left_out:
        raise InputError(
            f"{len(left_out)} of {len(options.detectors)} not compared: {left_out[0]}"
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "compare",
        "Compare detectors on the images all of them scored: AUC, average precision, "
        "balanced\naccuracy and TPR at 1 % false alarms with 95 % intervals, paired "
        "differences with p, by\nsource. A detector is a run folder, or a CSV file with the "
        "columns path, label, source,\nsplit and logit or score (of fake). Its threshold comes "
        "from its run or from its own rows\nof split val, so a run's number on --split val is no "
        "result.",
        [
            "kerasfaces compare runs/a runs/b",
            "kerasfaces compare runs/a theirs/predictions.csv -o table",
            "kerasfaces compare ours=runs/a theirs=x.csv --root photos",
            "kerasfaces compare A B C --against B --split val",
        ],
    )
    add = cli.Options(parser)
    add("detectors", nargs="+", metavar="[NAME=]RUN|CSV", help="two or more")
    add.choice("--split", "test", SPLITS, "default: test")
    text = "compare with this one (default: highest AUC)"
    add("--against", metavar="NAME", help=text)
    add.path("--root", "what relative paths in CSV files are relative to", "DIR")
    add.number("--resamples", 1000, "default: 1000")
    add.number("--seed", 0, "of the resamples", None)
    add.folder("default: runs/compare-HASH")
    return parser
