"""Command `attribute`: a finished detector's features -> which generator made it."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli

_EXAMPLES = [
    "kerasfaces attribute runs/mobilenetv2-1a2b3c      # the run's own images and splits",
    "kerasfaces attribute RUN --manifest more.csv -o runs/who",
    "kerasfaces attribute RUN --reject 0.02            # call fewer known images unknown",
    "kerasfaces attribute runs/who --manifest new.csv  # a finished attribution on new images",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, attribute, print the tables and the report's path."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.root and not options.manifest:
        parser.error("--root goes with --manifest")

    from kerasfaces import manifest as manifests
    from kerasfaces.attribute import predictions, run, table
    from kerasfaces.manifest import split_problems
    from kerasfaces.run.folder import AttributionRun, Run

    if isinstance(Run.kind(options.run), AttributionRun):
        for name in ("output", "reject", "l2", "seed"):
            if getattr(options, name) != parser.get_default(name):
                parser.error(
                    f"--{name} goes with a detector's run; {options.run} is a finished "
                    "attribution, which is used as it is"
                )
        path, frame = predictions.attribute_others(
            options.run, options.manifest, options.root
        )
        print(table.counts(frame))
        print(f"\ntable: {path}")
        return 0
    config = run.Config(l2=options.l2, reject=options.reject, seed=options.seed)
    manifest = None
    if options.manifest:
        manifest = manifests.read(options.manifest, options.root)
        split_problems.require_trainable(manifest.rows, options.manifest)
    folder = run.attribute(options.run, manifest, options.output, config)
    print(table.text(AttributionRun(folder).result))
    print(f"\nreport: {AttributionRun(folder).report}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "attribute",
        "Tell which generator made an image: a head with one class per generator and `real` "
        "on a\nfinished detector's frozen features, and `unknown` for what looks like none of "
        "them. How\nwell unknown generators are recognised is measured by leaving each out in "
        "turn.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    text = "run folder of a frozen-base detector, or a finished attribution"
    add("run", type=Path, metavar="RUN", help=text)
    add.path("--manifest", "other images than the run's own", "M")
    add.path("--root", "what relative paths in M start from", "DIR")
    text = (
        "known validation images that may be called unknown, each class weighing alike "
        "(default: 0.05)"
    )
    add.number("--reject", 0.05, text, "SHARE")
    add.number("--l2", 0.01, "the head's penalty (default: 0.01)", None)
    add.number("--seed", 0, "of the intervals; the head needs none", None)
    add.folder("default: runs/attribution-HASH")
    return parser
