"""Command `estimate`: a few images -> what many would take, for channels or a training."""

import argparse
import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import train
from kerasfaces.core import machine, registry
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.estimate.assumptions import Assumptions

if TYPE_CHECKING:
    from kerasfaces.estimate.workload import Rate

    # What is measured, in words, and what measures it on some files.
    Work = tuple[str, Callable[[Sequence[Path]], list[Rate]]]

_EXAMPLES = [
    "kerasfaces estimate channels --manifest M --images 100000 --mask grabcut",
    "kerasfaces estimate features --manifest M --images 100000000 --nodes 50",
    "kerasfaces estimate train --manifest M --model resnet50 --set epochs=20",
]


# What an estimate assumes, in the words of --help.
_MEANING = {
    "core_price": "price of one core for an hour, in any currency",
    "gpu_price": "price of one GPU for an hour, without its machine's cores",
    "disk_price": "price of one GB for a month",
    "gpu_cores": "cores of the machine with the GPU",
    "gpu_speedup": "how many times faster a network is on the GPU than on all cores here",
    "nodes": "nodes of the cluster",
    "node_cores": "cores of each node, as fast as one here",
    "efficiency": "share of a core's speed that remains when many work, above 0 to 1",
    "network": "bytes per second between the nodes and the machine that writes",
}


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, measure, print the table."""
    arguments = parser().parse_args(argv)
    from kerasfaces.api.loading import load_data
    from kerasfaces.estimate.workload import table

    for name in ("images", "sample"):
        number = getattr(arguments, name)
        if number < 1:
            raise InputError(f"`{name}`: expected 1 or more, got {number}.")
    names = [field.name for field in dataclasses.fields(Assumptions)]
    assumed = Assumptions(**{name: getattr(arguments, name) for name in names})
    subject, measure = arguments.work(arguments)  # refused before a sample is made
    manifest = load_data(arguments.manifest, arguments.root).manifest
    files = manifest.files()
    files = files[:: max(1, len(files) // arguments.sample)][: arguments.sample]
    rates = measure(files)
    cores = machine.usable_cores()
    print(
        f"{arguments.images:,} images, {subject}; measured on {rates[0].n_images} images, "
        f"{cores} cores"
    )
    print("\n".join(table(rates, arguments.images, assumed, cores)))
    values = ", ".join(f"{name} {value:g}" for name, value in vars(assumed).items())
    print(f"measured: core s/image and this machine; all else is assumed: {values}")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of `estimate`."""
    parser = cli.parser(
        "estimate",
        "Measure every stage on a few images, and say what many would take here, on a "
        "machine with a GPU and on a cluster.",
        _EXAMPLES,
    )
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    channels = stages.add_parser("channels", help="a channel store")
    add = cli.Options(channels)
    add.path("--manifest", "default: the built-in sample")
    add.path("--root", "what its paths are relative to")
    masks = ", ".join(registry.names("kerasfaces.channels.masks"))
    text = f"separated by commas, of: {', '.join(registry.names('kerasfaces.channels.kinds'))}"
    add("--channels", default="lnp,spectrum", metavar="NAMES", help=text)
    add("--mask", default="none", metavar="NAME", help=f"one of: {masks}")
    add.repeated("--set", "KEY=VALUE", "a setting of the channels, e.g. size_px=256")
    channels.set_defaults(work=_channels)
    for name, about in (
        ("features", "features of a frozen base"),
        ("train", "a whole training"),
    ):
        stage = stages.add_parser(name, help=about)
        train.add_detector_options(stage)
        stage.set_defaults(work=_training, seed=0, tensorboard=False)
    for stage in stages.choices.values():
        _add_assumptions(stage)
    return parser


def _add_assumptions(parser: argparse.ArgumentParser) -> None:
    add = cli.Options(parser)
    text = "how many the table is for, e.g. 1e8; default: 100000"
    add("--images", type=_count, default=100_000, metavar="N", help=text)
    add.number("--sample", 16, "images that are measured; default: 16")
    for field in dataclasses.fields(Assumptions):
        option, value = f"--{field.name.replace('_', '-')}", field.default
        text = f"{_MEANING[field.name]}; default: {value:g}"
        add(option, type=type(value), default=value, metavar="X", help=text)


def _count(text: str) -> int:
    """Return a whole number, which may be written as 1e8."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        number = 0.5
    if not number.is_integer():
        raise argparse.ArgumentTypeError(
            f"expected a whole number, e.g. 100000 or 1e8, got {quoted(text)}"
        )
    return int(number)


def _channels(arguments: argparse.Namespace) -> "Work":
    from kerasfaces.channels import config as configs
    from kerasfaces.estimate import channels

    names = configs.split_names(arguments.channels)
    config = configs.from_names(names, arguments.mask, arguments.set)
    subject = f"{config.size_px} px, channels {arguments.channels}, mask {config.mask}"
    return subject, functools.partial(channels.measure, config)


def _training(arguments: argparse.Namespace) -> "Work":
    cli.import_keras()
    from kerasfaces.baselines.config import BaselineConfig
    from kerasfaces.estimate import training
    from kerasfaces.models import catalogue

    detector = train.settings_of(arguments)
    on_sample = not arguments.manifest
    config = detector.configuration(on_sample)
    if isinstance(config, BaselineConfig) or arguments.store:
        raise InputError(
            "Only trainings of networks on pixels are measured; leave baselines and "
            "`store` out."
        )
    architecture = catalogue.load(config.model.name)
    base = detector.weights_for(on_sample)
    weights = architecture.find_weights(base, config.model)
    model = architecture.completed(config.model, weights)
    config = dataclasses.replace(config, model=model)
    subject = f"{config.input_spec.size_px} px, {config.model.name}"
    if arguments.stage == "train":
        return subject, functools.partial(training.training, config, weights)
    if weights is None or config.trains_whole(weights):
        raise InputError(
            f"{config.model.name} is trained as a whole: it has no frozen features; estimate "
            "`train` instead."
        )
    return subject, functools.partial(training.features, config, weights)
