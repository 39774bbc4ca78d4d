"""Command `crossgen`: manifest with generators -> the matrix of who detects whom."""

import argparse
from collections.abc import Sequence

from kerasfaces import cli

_EXAMPLES = [
    "kerasfaces crossgen                             # built-in sample: four generators",
    "kerasfaces crossgen --manifest M                # matrix, all, all but one; 3 seeds",
    "kerasfaces crossgen --manifest M --repeat 5 --size 200",
    "kerasfaces crossgen --manifest M --keep-all     # sets as large as they are",
    "kerasfaces crossgen --manifest M --train stylegan,stylegan2 --test dreambooth,lora",
    "kerasfaces crossgen --manifest M --model resnet50 --preset kabber2023 -o runs/matrix",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, train and measure, print the tables and the report's path."""
    arguments = _parser().parse_args(argv)
    cli.import_keras()
    from kerasfaces.api.loading import load_data
    from kerasfaces.cli.train import settings_of
    from kerasfaces.crossgen import plan, table
    from kerasfaces.crossgen.run import crossgen
    from kerasfaces.run.folder import MatrixRun

    detector = settings_of(arguments)
    detector.check()  # before anything is read
    data = load_data(arguments.manifest, arguments.root)
    folder = crossgen(
        plan.MatrixSettings(
            config=detector.configuration(data.is_sample),
            manifest=data.manifest,
            weights=detector.weights_for(data.is_sample),
            repeat=arguments.repeat,
            size=arguments.size,
            keep_all=arguments.keep_all,
            at_least=arguments.at_least,
            pairings=plan.parse(arguments.train, arguments.test),
            folder=arguments.output,
            store=arguments.store,
            notes=data.notes,
            engine=cli.engine_of(arguments),
        )
    )
    run = MatrixRun(folder)
    content = run.result
    for note in data.notes:
        print(cli.at_shell(f"note: {note}"))
    print(cli.at_shell(table.text(content)))
    print(f"\nreport: {run.report}")
    return 1 if content["failed"] else 0


def _parser() -> argparse.ArgumentParser:
    from kerasfaces.cli.train import add_detector_options

    parser = cli.parser(
        "crossgen",
        "Train on each generator, on all and on all but one; test on each. Exit code 1 when "
        "a training failed.",
        _EXAMPLES,
    )
    add_detector_options(parser)
    add = cli.Options(parser)
    add.number("--seed", 0, "the first seed", None)
    add.number("--repeat", 3, "K seeds of split, draw and training (default: 3)", "K")
    text = "fakes per training set (default: as many as the smallest generator has)"
    add.number("--size", None, text)
    add.flag("--keep-all", "sets of different size, nothing left out")
    text = "images below which a generator is named, not run (default: 50)"
    add.number("--at-least", 50, text)
    text = "only this pairing: train on these together (repeatable)"
    add.repeated("--train", "A,B", text)
    add.repeated("--test", "C,D", "and test on these")
    cli.add_engine(parser, workers=True)
    add.folder("default: runs/crossgen-MODEL-HASH")
    return parser
