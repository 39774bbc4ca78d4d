"""Command `experiments`: manifest -> runs, results.json, tables beside the document's."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.framework import catalogue
from kerasfaces import cli
from kerasfaces.cli import outputs
from kerasfaces.core import folders, registry
from kerasfaces.core.errors import InputError

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

_EXAMPLES = [
    "python -m experiments                                     # list them",
    "python -m experiments kabber2023 --manifest M -o DIR",
    "python -m experiments kabber2023 --part grids --manifest M -o DIR",
    "python -m experiments frozen_base --manifest M -o DIR --weights FILE --seeds 0-4",
    "python -m experiments kabber2023 --manifest M -o DIR --weights mobilenetv2=FILE",
    "python -m experiments wan2023 --manifest M -o DIR --budget-hours 10",
    "python -m experiments systems --manifest M -o DIR         # every detector, one page",
    "python -m experiments all --manifest M -o DIR --budget-hours 12   # overnight",
    "python -m experiments all --quick -o DIR                  # on the built-in sample",
    "python -m experiments tian2023 --manifest M -o DIR --workers 4   # or --engine ray",
]
_MASKS = "kerasfaces.channels.masks"
_QUICK_NOTE = (
    "--quick: this shows that the plumbing works, on the built-in simulation; the numbers "
    "say nothing about real photos."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run one experiment or all, print its tables."""
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = _parser().parse_args(words)
    if arguments.name is None:
        print(_list())
        return 0
    names = catalogue.names() if arguments.name == "all" else [arguments.name]
    for name in names:
        catalogue.check_name(name)
    if arguments.output is None:
        raise InputError("-o DIR is missing: where should splits, runs and results go?")
    manifest, notes = _manifest(arguments)
    if arguments.name != "all":
        from experiments.framework import launch

        job = launch.prepare(
            arguments.name, arguments.output, manifest, notes, arguments, words
        )
        results, printed = launch.execute(job)
        print(printed)
        return int(bool(launch.failures(results)))
    return _all(names, manifest, notes, arguments, words)


def _all(
    names: Sequence[str],
    manifest: "Manifest",
    notes: tuple[str, ...],
    arguments: argparse.Namespace,
    words: Sequence[str],
) -> int:
    """Run every experiment in a folder of its own; a mistyped option stops them all."""
    from experiments.framework import everything, launch

    folder = arguments.output
    jobs = [
        launch.prepare(name, folder / name, manifest, notes, arguments, words)
        for name in everything.order(names)
    ]
    with folders.lock(folder, "folder of experiments"):
        launch.claim(folder, {"experiment": "all", "manifest": manifest.digest()})
        return everything.run(jobs, folder, print)


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "experiments", "Repeat a document's experiments, on any manifest.", _EXAMPLES
    )
    parser.prog = "python -m experiments"
    add = parser.add_argument
    add("name", nargs="?", help=f"all, {', '.join(catalogue.names())}; none: list them")
    add("--manifest", type=Path, help="manifest.csv; it is split anew")
    add("--root", type=Path, help="what relative paths in the manifest are relative to")
    add(
        "-o",
        "--output",
        type=outputs.folder,
        metavar="DIR",
        help="splits, runs, results.json",
    )
    add("--part", metavar="PART", help="a part of its own, e.g. kabber2023's grids")
    add("--seeds", help="split seeds, e.g. 0-4; default: the experiment's")
    add(
        "--weights",
        action="append",
        default=[],
        metavar="[MODEL=]W",
        help="imagenet (default), forensic, none or a file; may be given per model",
    )
    add(
        "--budget-hours",
        type=float,
        metavar="H",
        help="start nothing new after H hours, earlier calls included; with all: theirs "
        "together",
    )
    add(
        "--mask",
        default="",
        choices=[name for name in registry.names(_MASKS) if name != "none"],
        help="what cuts faces out (wan2023, systems); default: sam where its checkpoint is, "
        "else grabcut",
    )
    add(
        "--stores",
        type=outputs.folder,
        metavar="DIR",
        help="channel stores, to share them between experiments; default: DIR/stores",
    )
    add(
        "--runs",
        type=outputs.folder,
        metavar="DIR",
        help="trainings, to share them between experiments; default: their own folders",
    )
    add(
        "--also",
        type=Path,
        metavar="MANIFEST",
        help="other images, to test the finished detectors on (lnp_fusion)",
    )
    cli.add_engine(parser, workers=True)
    add("--quick", action="store_true", help="on the built-in sample, in minutes")
    add(
        "--record",
        nargs="?",
        const="",
        metavar="AS",
        help="copy the results into experiments/NAME; AS names another set of images",
    )
    return parser


def _list() -> str:
    lines = [f"{name:<16}{catalogue.describe(name)}" for name in catalogue.names()]
    lines += [
        f"{name:<16}{line} (python -m experiments.{name})"
        for name, line in catalogue.own_commands().items()
    ]
    return "\n".join(lines)


def _manifest(arguments: argparse.Namespace) -> "tuple[Manifest, tuple[str, ...]]":
    from kerasfaces import manifest as manifests

    if arguments.quick:
        if arguments.manifest:
            raise InputError(
                "--quick makes its own images; leave --manifest or --quick out."
            )
        if arguments.record is not None:
            raise InputError("--record is for real results, not for --quick.")
        from kerasfaces import sample, store

        path = sample.make(store.cache_root() / "sample")
        return manifests.read(path), (_QUICK_NOTE,)
    if not arguments.manifest:
        raise InputError(
            "--manifest M is missing: which images? (--quick uses the built-in sample.)"
        )
    return manifests.read(arguments.manifest, arguments.root), ()


if __name__ == "__main__":
    cli.run(main)
