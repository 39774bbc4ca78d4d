"""Command `similar`: the training images nearest to pictures, and leaks of a manifest."""

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import printing
from kerasfaces.core.texts import plain

if TYPE_CHECKING:
    from kerasfaces.serve.leaks import Leaks

FOUND = 3  # exit code; 1 is what Python ends with when a program crashes
_EXAMPLES = [
    "kerasfaces similar RUN photo.jpg                  # the 5 nearest training images",
    "kerasfaces similar RUN photos/ --count 1 --csv nearest.csv",
    "kerasfaces similar RUN --leaks manifest.csv       # near-copies among its test images",
    "kerasfaces similar RUN --leaks other.csv --split all --csv leaks.csv",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, search, print."""
    parser = _parser()
    arguments = parser.parse_intermixed_args(argv)
    if bool(arguments.images) == (arguments.leaks is not None):
        parser.error("give images, or --leaks M for the images of a manifest")
    return _leaks(arguments) if arguments.leaks else _nearest(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "similar",
        "Show which training images are most like a picture to a detector, in the layer by "
        "which it\ndecides, with their labels; or look through a manifest for near-copies of "
        "training images,\nwhich make test results too good.",
        _EXAMPLES,
    )
    parser.epilog = (
        f"{parser.epilog}\n\nexit codes: 0; 2 a mistake in the input, or no image can be read; {FOUND} with --leaks, when "
        "a near-copy was found"
    )
    add = cli.Options(parser)
    add("run", type=Path, metavar="RUN", help="run folder made by train, on pixels")
    add("images", nargs="*", metavar="IMAGE", help="image files or folders")
    add.number("--count", 5, "neighbours; default: 5")
    add.path("--leaks", "manifest of images that should be new", "M")
    add.path("--root", "what relative paths in the manifest are relative to")
    text = "with --leaks: of the manifest, where it has splits (default: test)"
    add.choice("--split", "test", ("train", "val", "test", "all"), text)
    text = "what computes the layer of IMAGEs; default: the first that can be had"
    add.choice("--engine", "auto", ("auto", "onnxruntime", "openvino", "keras"), text)
    add.file("--csv", "write the rows as a table, too")
    return parser


def _nearest(arguments: argparse.Namespace) -> int:
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve import predict, similar
    from kerasfaces.serve.pictures import Named

    files = predict.files_of(arguments.images)
    search = similar.Search(DetectorRun.open(arguments.run), arguments.engine)
    rows = []
    for file in files:
        ((neighbours, reason),) = search.near([Named(str(file), file)], arguments.count)
        printing.text(f"{plain(str(file))}{f': {reason}' if reason else ''}")
        width = max((len(each.source) for each in neighbours), default=0)
        for rank, each in enumerate(neighbours, 1):
            rows.append(similar.row(str(file), rank, each))
            printing.text(
                f"  {rank}  {each.label:<4}  {each.source:<{width}}  distance "
                f"{each.distance:8.2f}, {each.percentile:5.1f} % of validation nearer  "
                f"{each.name}"
            )
        if reason:
            rows.append({"image": str(file), "reason": reason})
    _write(arguments.csv, rows)
    return 0 if any("rank" in row for row in rows) else 2


def _leaks(arguments: argparse.Namespace) -> int:
    from kerasfaces import manifest as manifests
    from kerasfaces.run.folder import DetectorRun
    from kerasfaces.serve import leaks

    result = leaks.find(
        DetectorRun.open(arguments.run),
        manifests.read(arguments.leaks, arguments.root),
        None if arguments.split == "all" else arguments.split,
    )
    _print(result)
    _write(arguments.csv, result.rows)
    return FOUND if any(row["evidence"] != "features" for row in result.rows) else 0


def _print(result: "Leaks") -> None:
    facts = result.facts
    for row in result.rows:
        numbers = "" if row["bits"] is None else f", {row['bits']} of 256 bits differ"
        if row["distance"] is not None:
            numbers += f", distance {row['distance']:.2f} (near: {facts['limit']:.2f})"
        printing.text(
            f"{row['evidence']:<19}  {plain(row['path'])} ({row['label']}) and training "
            f"image {row['training_image']}{numbers}"
        )
    alone = sum(row["evidence"] == "features" for row in result.rows)
    copies = len(result.rows) - alone
    print(
        f"\n{copies:,} of {facts['n']:,} images are near-copies of training images by their "
        f"pixels; {alone:,} more are suspects by the detector's features alone, of which "
        f"{facts['by_chance']:.1f} are expected by chance."
    )
    if n := facts["n_unreadable"]:
        print(f"{n:,} image{'' if n == 1 else 's'} cannot be read.")
    print(
        f"Compared with {facts['n_train']:,} training images by features and with the "
        f"{facts['n_train_files']:,} of them on this machine by pixels."
    )
    if not facts["copies"]:
        print("What would be found could not be measured: no training image is here.")
        return
    print("What is found of copies made of training images for this report:\n")
    printing.table(
        ["copy", "n", "by features", "by pixels", "by either"],
        [
            [
                each["copy"],
                *(str(each[k]) for k in ("n", "features", "pixels", "either")),
            ]
            for each in facts["copies"]
        ],
    )


def _write(path: Path | None, rows: Sequence[dict[str, object]]) -> None:
    """Write rows as CSV."""
    if path is None:
        return
    from kerasfaces.core.files import write_text

    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    table = csv.DictWriter(text, names, lineterminator="\n", restval="")
    table.writeheader()
    table.writerows(rows)
    write_text(path, text.getvalue())
    printing.text(str(path))
