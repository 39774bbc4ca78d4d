"""Command `explain`: where on an image a detector's logit comes from."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import plain

if TYPE_CHECKING:
    import pandas as pd

_PACKAGE = "kerasfaces.explain.methods"
_DEFAULT = "gradcam"
_WITHOUT_IMAGES = ("preferred_inputs",)
_WITH_LAYER = ("feature_maps", "factorisation", "preferred_inputs")
_EXAMPLES = [
    "kerasfaces explain RUN photo.jpg other.png -o maps",
    "kerasfaces explain RUN photos/*.jpg -o maps --method occlusion",
    "kerasfaces explain RUN --split test --n 40 -o maps   # images of the run's own manifest",
    "kerasfaces explain RUN photo.jpg -o maps --signed --no-checks",
    "kerasfaces explain RUN --decisions 12 -o maps        # 12 right ones and 12 wrong ones",
    "kerasfaces explain RUN --split test --method fingerprints --n 400 -o prints",
    "kerasfaces explain --list",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, explain, print the rows and the page's path."""
    parser = _parser()
    options = parser.parse_intermixed_args(argv)
    if options.list:
        for name in registry.names(_PACKAGE):
            print(f"{name:<22}{registry.summary(_PACKAGE, name)}")
        return 0
    _check(parser, options)
    from kerasfaces.explain import selection
    from kerasfaces.explain.contract import Settings
    from kerasfaces.explain.run import explain

    images = selection.choose(
        options.run,
        options.images,
        split=options.split or "",
        n=40 if options.n is None else options.n,
        decisions=options.decisions or 0,
        seed=options.seed,
    )
    settings = Settings(
        method=options.method,
        signed=options.signed,
        baseline=options.baseline or "blurred",
        checks=not options.no_checks,
        seed=options.seed,
        layer=options.layer,
    )
    frame = explain(options.run, images, options.output, settings)
    _print(frame, options.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "explain",
        "Show where on an image a finished detector's logit comes from, or what it has learnt, "
        "and measure whether "
        "it\ncan be believed: maps against patches in random order, against the same network with "
        "a random\nhead, after JPEG and after a shift. Continues where it was stopped.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    add("run", nargs="?", type=Path, metavar="RUN", help="finished run folder")
    add("images", nargs="*", type=Path, metavar="IMAGE", help="image files")
    add.folder("where to write")
    text = f"one of --list (default: {_DEFAULT})"
    add("--method", default=_DEFAULT, metavar="NAME", help=text)
    add.flag("--list", "list the methods and stop")
    text = "explain images of the run's own manifest, as many of each source"
    add.choice("--split", None, ("train", "val", "test"), text)
    add.number(
        "--decisions",
        None,
        "explain N right and N wrong decisions on the test split (or --split), e.g. 12",
    )
    add.number("--n", None, "with --split: how many (default: 40)")
    add.number("--seed", 0, "of draws and random orders (default: 0)", None)
    add.flag("--signed", "gradcam: show what speaks against the verdict too")
    text = (
        "integrated_gradients: where the path starts (default: blurred, the image's "
        "own blurred self)"
    )
    add.choice("--baseline", None, ("blurred", "grey"), text)
    text = (
        "feature_maps, factorisation, preferred_inputs: a layer of the base (default: "
        "their own choice)"
    )
    add("--layer", default="", metavar="NAME", help=text)
    add.flag("--no-checks", "maps alone, several times faster")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if options.run is None or options.output is None:
        parser.error("give RUN, images (or --split) and -o DIR; see --help")
    of_run = options.split or options.decisions is not None
    if options.images and of_run:
        parser.error("give images, or --split for images of the run's manifest")
    if options.decisions is not None and options.decisions < 1:
        parser.error("--decisions is at least 1")
    if options.n is not None and (
        not options.split or options.decisions or options.n < 1
    ):
        parser.error("--n goes with --split and is at least 1")
    registry.check("method", options.method, registry.names(_PACKAGE))
    if not options.images and not of_run and options.method not in _WITHOUT_IMAGES:
        parser.error("give images, or --split for images of the run's manifest")
    if options.layer and options.method not in _WITH_LAYER:
        parser.error(f"--layer goes with --method {', '.join(_WITH_LAYER)}")
    if options.signed and options.method != "gradcam":
        parser.error("--signed goes with gradcam; the other methods show both signs")
    if options.baseline and options.method != "integrated_gradients":
        parser.error("--baseline goes with --method integrated_gradients")
    if options.output.resolve() == options.run.resolve():
        raise InputError(
            f"-o {options.output} is the run itself; choose another folder."
        )


def _print(frame: "pd.DataFrame", folder: Path) -> None:
    """Print a line per image, what a reader must know, and where the page is."""
    from kerasfaces.explain import checks, trust_section
    from kerasfaces.run.folder import Explanation

    if "trust" in frame.attrs:  # no maps
        if len(frame):
            used = int((frame["reason"] == "").sum())
            print(f"{used} of {len(frame)} images used")
        printing.text(frame.attrs["trust"])
        printing.text(f"report: {Explanation(folder).report}")
        return
    checked = "deletion_gain" in frame
    for row in frame.to_dict("records"):
        if row["reason"]:
            printing.text(f"{plain(row['path'])}: {row['reason']}")
            continue
        line = f"{plain(row['path'])}: {row['verdict']}, score {row['score']:.3f}, "
        line += f"logit {row['logit']:+.2f}"
        if checked:
            line += f"; {trust_section.line(row)}"
        printing.text(line)
    columns = {
        "deletion_gain": "deletion gain",
        "insertion_gain": "insertion gain",
        "sanity_correlation": "re-drawn head",
        "jpeg_agreement": "agreement after JPEG",
        "shift_agreement": "agreement after a shift",
        "heat_in_face": "heat on the face",
    }
    for column, name in columns.items() if checked else ():
        values = frame[column][frame["reason"] == ""]
        mean, low, high = checks.mean_interval(values)
        if (n := values.count()) > 1:
            print(f"mean {name}: {mean:.2f}, 95 % {low:.2f} to {high:.2f}, n {n}")
    for text in checks.warnings(frame):
        print(f"note: {text}")
    printing.text(f"report: {Explanation(folder).report}")
