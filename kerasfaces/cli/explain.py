"""Command `explain`: where on an image a detector's logit comes from."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_PACKAGE = "kerasfaces.explain.methods"
_DEFAULT = "gradcam"
_EXAMPLES = [
    "kerasfaces explain RUN photo.jpg other.png -o maps",
    "kerasfaces explain RUN photos/*.jpg -o maps --method occlusion",
    "kerasfaces explain RUN --split test --n 40 -o maps   # images of the run's own manifest",
    "kerasfaces explain RUN photo.jpg -o maps --signed --no-checks",
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

    if options.split:
        n = 40 if options.n is None else options.n
        images = selection.draw(options.run, options.split, n, options.seed)
    else:
        images = selection.Selection(files=list(dict.fromkeys(options.images)))
    settings = Settings(
        method=options.method,
        signed=options.signed,
        baseline=options.baseline or "blurred",
        checks=not options.no_checks,
        seed=options.seed,
    )
    _print(explain(options.run, images, options.output, settings), options.output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "explain",
        "Show where on an image a finished detector's logit comes from, and measure whether "
        "the map\ncan be believed: against patches in random order, against the same network with "
        "a random head,\nafter JPEG and after a shift. Continues where it was stopped.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("run", nargs="?", type=Path, metavar="RUN", help="finished run folder")
    add("images", nargs="*", type=Path, metavar="IMAGE", help="image files")
    add("-o", "--output", type=Path, metavar="DIR", help="where to write")
    add(
        "--method",
        default=_DEFAULT,
        metavar="NAME",
        help=f"one of --list (default: {_DEFAULT})",
    )
    add("--list", action="store_true", help="list the methods and stop")
    add(
        "--split",
        choices=("train", "val", "test"),
        help="explain images of the run's own manifest, as many of each source",
    )
    add("--n", type=int, metavar="N", help="with --split: how many (default: 40)")
    add("--seed", type=int, default=0, help="of draws and random orders (default: 0)")
    add(
        "--signed",
        action="store_true",
        help="gradcam: show what speaks against the verdict too",
    )
    add(
        "--baseline",
        choices=("blurred", "grey"),
        help="integrated_gradients: where the path starts (default: blurred, the image's "
        "own blurred self)",
    )
    add("--no-checks", action="store_true", help="maps alone, several times faster")
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    if options.run is None or options.output is None:
        parser.error("give RUN, images (or --split) and -o DIR; see --help")
    if bool(options.images) == bool(options.split):
        parser.error("give images, or --split for images of the run's manifest")
    if options.n is not None and (not options.split or options.n < 1):
        parser.error("--n goes with --split and is at least 1")
    if options.method not in registry.names(_PACKAGE):
        registry.load(_PACKAGE, options.method)  # says which there are
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
    from kerasfaces.cli import printing
    from kerasfaces.core.texts import plain
    from kerasfaces.explain import checks, trust_section
    from kerasfaces.run.folder import Explanation

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
