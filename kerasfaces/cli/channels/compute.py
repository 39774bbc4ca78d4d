"""Command `channels`: manifest or files -> store."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, MissingFileError

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
    source, mask, changes = arguments.recipe, arguments.mask, arguments.set
    if (arguments.manifest is None) == (arguments.files is None):
        raise InputError("Give either a manifest or --files LIST.txt.")
    if source and (arguments.channels, mask) != (None, None):
        raise InputError("--recipe says channels and mask; leave those options out.")
    # A list of files comes from another stage, which reads the reasons from the store
    # and may share it with others.
    listed = arguments.files is not None
    if listed:
        files, known = _listed(arguments.files), None
    else:
        files, known = of_manifest(arguments.manifest, arguments.root)
    from kerasfaces.channels import config, recipe, run

    folder = arguments.output
    if source:
        wanted = recipe.read(source)
        summary = run.build_as(
            wanted, str(source), files, folder, changes,
            known=known, spread=spread, wait=listed,
        )  # fmt: skip
    else:
        text = "lnp,spectrum" if arguments.channels is None else arguments.channels
        names = config.split_names(text)
        settings = config.from_names(names, "none" if mask is None else mask, changes)
        summary = run.build(
            files, folder, settings, known=known, spread=spread, wait=listed
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
        "`channels verify|repair|preview --help` tells about the other commands.",
        _EXAMPLES,
    )
    add = cli.Options(parser)
    add("manifest", type=Path, nargs="?", metavar="MANIFEST", help="manifest.csv")
    add.path("--root", "what relative paths in the manifest are relative to")
    text = "image files, one path per line, or each ended by NUL (find -print0)"
    add.path("--files", text, "LIST")
    add.folder(None, "STORE", required=True)
    text = f"some of {channels}; default: lnp,spectrum"
    add("--channels", metavar="NAMES", help=text)
    add("--mask", metavar="NAME", help=f"one of {masks}; default: none")
    text = "size_px=128, dtype=uint8, or an option of a plug-in: lnp.weights=FILE"
    add.repeated("--set", "KEY=VALUE", text)
    text = "make what this store or run (or their JSON) was made by, or refuse"
    add.path("--recipe", text, "STORE|RUN|JSON")
    cli.add_engine(parser)
    return parser


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
