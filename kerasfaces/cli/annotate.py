"""Command `annotate`: a manifest -> the same with attributes of the faces."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

_EXAMPLES = [
    "kerasfaces annotate manifest.csv -o annotated.csv --weights ANNOTATORS",
    "kerasfaces annotate manifest.csv -o annotated.csv --download",
    "kerasfaces annotate M -o OUT --annotators gear,emotion --min-confidence gender=0.9",
    "kerasfaces annotate M -o OUT --corrections by-hand.csv",
]
_PACKAGE = "kerasfaces.annotate.annotators"


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, annotate, write and print what came of it."""
    arguments = parser().parse_args(argv)
    from kerasfaces import manifest as manifests
    from kerasfaces.annotate import run
    from kerasfaces.annotate.contract import Weights
    from kerasfaces.cli.manifest import framework

    framework.refuse_existing(arguments.output, arguments.overwrite)
    names = arguments.annotators
    settings = run.Settings(
        annotators=run.DEFAULT if names is None else _names(names),
        min_confidence=dict(map(_confidence, arguments.min_confidence)),
        weights=Weights(folder=arguments.weights, download=arguments.download),
        corrections=arguments.corrections,
    )
    manifest = manifests.read(arguments.manifest, arguments.root)
    annotated = run.annotate(manifest, settings, cli.engine_of(arguments))
    run.write(annotated, arguments.output)
    printing.annotated(annotated)
    printing.text(f"wrote {arguments.output}")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of `annotate`."""
    known = registry.names(_PACKAGE)
    parser = cli.parser(
        "annotate",
        "Fill attributes of the main face of each picture: gender, age, race, expression, "
        "glasses, and where the face is, how it looks and how sharp it is. A value that an "
        "annotator is not sure of stays empty; what the manifest states stays. The same "
        "command continues where it was interrupted.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    add("manifest", type=Path, metavar="M", help="manifest.csv")
    add.path("--root", "folder that paths are relative to")
    add.file("--output", "table to write", "OUT", required=True)
    add.flag("--overwrite", "replace the table")
    text = (
        f"some of {','.join(known)}, those that count first first (default: "
        "gear,emotion,glasses); none: faces alone"
    )
    add("--annotators", metavar="LIST", help=text)
    text = "below it the column stays empty, 0..1; repeatable"
    add.repeated("--min-confidence", "ATTRIBUTE=NUMBER", text)
    add.path("--weights", "folder with annotators' weights", "DIR")
    add.flag("--download", "fetch weights that are not here")
    add.path("--corrections", "file names with right values, which win", "TABLE")
    cli.add_engine(parser, workers=True)
    return parser


def _names(text: str) -> tuple[str, ...]:
    if text.strip() == "none":
        return ()
    names = tuple(filter(None, map(str.strip, text.split(","))))
    if not names:
        raise InputError(
            "--annotators names nobody; leave it out for the default, or write none for the "
            "facts of the faces alone."
        )
    return names


def _confidence(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError as error:
        raise InputError(
            f"--min-confidence {quoted(text)}: expected ATTRIBUTE=NUMBER, such as gender=0.9."
        ) from error
