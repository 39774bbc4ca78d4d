"""Command `channels estimate`: a few images -> what many would take."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli
from kerasfaces import manifest as manifests
from kerasfaces.core import machine
from kerasfaces.core.errors import InputError


def main(argv: Sequence[str]) -> int:
    """Parse, measure, print the table."""
    from kerasfaces.channels import config as stage_config
    from kerasfaces.channels.estimate import Assumptions, measure, table

    parser = cli.parser(
        "channels estimate",
        "Measure every stage on a few images, and say what many would take here, on a "
        "machine with a GPU and on a cluster.",
        ["kerasfaces channels estimate MANIFEST --images 100000 --mask grabcut"],
    )
    add = parser.add_argument
    add("manifest", type=Path, metavar="MANIFEST", help="images to measure on")
    add("--root", type=Path, help="what relative paths in the manifest are relative to")
    add("--images", type=int, default=100_000, help="default: 100000")
    add("--sample", type=int, default=16, help="images measured; default: 16")
    add("--channels", default="lnp,spectrum", metavar="NAMES")
    add("--mask", default="none", metavar="NAME")
    add("--set", action="append", default=[], metavar="KEY=VALUE")
    for field in dataclasses.fields(Assumptions):
        option = f"--{field.name.replace('_', '-')}"
        add(option, type=type(field.default), default=field.default)
    given = parser.parse_args(argv)
    for name in ("images", "sample"):
        if getattr(given, name) < 1:
            raise InputError(
                f"--{name}: expected 1 or more, got {getattr(given, name)}."
            )
    assumed = Assumptions(**{key: getattr(given, key) for key in vars(Assumptions())})
    channels = stage_config.split_names(given.channels)
    config = stage_config.make(channels, given.mask, given.set)
    files = manifests.read(given.manifest, given.root).files()
    step = max(1, len(files) // given.sample)
    chosen = files[::step][: given.sample]
    cores = machine.usable_cores()
    lines = [
        f"{given.images:,} images of {config.size_px} px, channels {given.channels}, "
        f"mask {given.mask}; measured on {len(chosen)} images, {cores} cores",
        *table(measure(config, chosen), given.images, assumed, cores),
        "measured: this machine; all else is assumed: "
        + ", ".join(f"{name} {value:g}" for name, value in vars(assumed).items()),
    ]
    print("\n".join(lines))
    return 0
