"""Command `channels`: manifest or files -> store."""

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces import cli
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, MissingFileError

if TYPE_CHECKING:
    from kerasfaces.channels.config import ChannelsConfig

_EXAMPLES = [
    "kerasfaces channels manifest.csv -o STORE --channels lnp,spectrum --mask grabcut",
    "kerasfaces channels M -o STORE --channels lnp --set lnp.weights=sidd_rgb.pth",
    "kerasfaces channels M -o STORE --channels rgb,spectrum --set spectrum.of=rgb",
    "kerasfaces channels M -o STORE --engine ray      # on the cluster at RAY_ADDRESS",
    "kerasfaces channels M -o STORE --recipe RUN      # as the run's training had them",
    "kerasfaces channels verify STORE                 # exit 1 on findings",
    "kerasfaces channels repair STORE [MANIFEST]      # with a manifest: computes again",
    "kerasfaces channels preview STORE MANIFEST -o sheet.png",
    "kerasfaces estimate channels --manifest MANIFEST --images 100000   # hours, bytes, cost",
]


def main(argv: Sequence[str]) -> int:
    """Parse, compute, print what was done."""
    arguments = parser().parse_args(argv)
    spread = cli.engine_of(arguments)
    if (arguments.manifest is None) == (arguments.files is None):
        raise InputError("Give either a manifest or --files LIST.txt.")
    chosen = (arguments.channels, arguments.mask)
    if arguments.recipe and chosen != (None, None):
        raise InputError("--recipe says channels and mask; leave those options out.")
    files, known = _inputs(arguments)
    from kerasfaces.channels import engines, recipe, run

    wanted = recipe.read(arguments.recipe) if arguments.recipe else None
    config = _config(arguments, wanted)
    made = None
    if wanted is not None:
        if any(".engine=" in assignment for assignment in arguments.set):
            wanted = engines.named(wanted, config)
        made = recipe.recipe_of(config)
        recipe.refuse_difference(wanted, made, str(arguments.recipe))
        made = wanted
    # A list of files comes from another stage, which reads the reasons from the store
    # and may share it with others.
    listed = arguments.files is not None
    summary = run.build(
        files,
        arguments.output,
        config,
        known=known,
        spread=spread,
        made=made,
        wait=listed,
    )
    print(summary.text())
    return 0 if summary.n_ok or listed or not files else 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of `channels`."""
    channels = ", ".join(registry.names("kerasfaces.channels.kinds"))
    masks = ", ".join(registry.names("kerasfaces.channels.masks"))
    parser = cli.parser(
        "channels",
        "Compute forensic channels of images once, into a store of arrays. The same "
        "command continues where it was interrupted and computes nothing twice.\n"
        "`channels verify|repair|preview|estimate --help` tells about the other commands.",
        _EXAMPLES,
    )
    add = parser.add_argument
    add("manifest", type=Path, nargs="?", metavar="MANIFEST", help="manifest.csv")
    add("--root", type=Path, help="what relative paths in the manifest are relative to")
    add(
        "--files",
        type=Path,
        metavar="LIST",
        help="image files, one path per line, or each ended by NUL (find -print0)",
    )
    add("-o", "--output", type=Path, required=True, metavar="STORE")
    add(
        "--channels",
        metavar="NAMES",
        help=f"some of {channels}; default: lnp,spectrum",
    )
    add("--mask", metavar="NAME", help=f"one of {masks}; default: none")
    add(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="size_px=128, dtype=uint8, or an option of a plug-in: lnp.weights=FILE",
    )
    add(
        "--recipe",
        type=Path,
        metavar="STORE|RUN|JSON",
        help="make what this store or run (or their JSON) was made by, or refuse",
    )
    cli.add_engine(parser)
    return parser


def _config(
    arguments: argparse.Namespace, wanted: Mapping[str, Any] | None
) -> "ChannelsConfig":
    from kerasfaces.channels import config, recipe

    if wanted is not None:
        made = recipe.config_from(wanted, str(arguments.recipe))
        return config.override(made, arguments.set)
    text = "lnp,spectrum" if arguments.channels is None else arguments.channels
    mask = "none" if arguments.mask is None else arguments.mask
    return config.make(config.split_names(text), mask, arguments.set)


def _inputs(arguments: argparse.Namespace) -> tuple[list[Path], list[str] | None]:
    """Return the files, and per file the sha256 if the manifest has it."""
    if arguments.files:
        return _listed(arguments.files), None
    return of_manifest(arguments.manifest, arguments.root)


def of_manifest(
    path: Path, root: Path | None = None
) -> tuple[list[Path], list[str] | None]:
    """Return a manifest's files, and per file the sha256 if it has that column."""
    from kerasfaces import manifest as manifests

    read = manifests.read(path, root)
    known = list(read.rows["sha256"]) if "sha256" in read.rows else None
    return read.files(), known


def _listed(path: Path) -> list[Path]:
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingFileError(f"--files {path} does not exist.") from error
    end = b"\0" if b"\0" in text else b"\n"
    return [Path(os.fsdecode(part)).absolute() for part in text.split(end) if part]
