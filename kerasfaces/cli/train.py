"""Command `train`: manifest -> run folder."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.train import detectors

if TYPE_CHECKING:
    from kerasfaces.api.data import Manifest
    from kerasfaces.train.settings import DetectorSettings
    from kerasfaces.train.training import Training

_EXAMPLES = [
    "kerasfaces train                                # built-in sample, nothing to download",
    "kerasfaces train --manifest manifest.csv        # our best frozen-base configuration",
    "kerasfaces train --manifest M --model resnet50 --preset kabber2023 -o runs/paper",
    "kerasfaces train --manifest M --weights mobilenetv2.h5 --set model.size_px=224",
    "kerasfaces train --manifest M --protocol unseen # for generators it has not seen",
    "kerasfaces train --add runs/mine --manifest NEW # a new generator joins the detector",
    "kerasfaces train --manifest M --repeat 3        # mean and sd over training seeds",
    "kerasfaces train --manifest M --engine ray      # frozen features on a cluster",
    "kerasfaces train --manifest M --store S         # wan2023's model on channels",
    "kerasfaces train --manifest M --model hog_svm   # no network: pip install '.[baselines]'",
    "kerasfaces train --manifest M --model deit_base_224 --weights model.weights.h5",
    "kerasfaces train --manifest M --model densenet121 --preset mudgal2023 --weights imagenet",
    "kerasfaces train --manifest M --store S --model mobilenetv2 --set model.inputs=rgb,lnp",
]


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse, train, print the test table and the report's path."""
    arguments = parser().parse_args(argv)
    cli.import_keras()
    from kerasfaces.api.loading import load_data
    from kerasfaces.evaluate import table
    from kerasfaces.run.folder import ScoredRun
    from kerasfaces.train.run import train, train_seeds
    from kerasfaces.train.training import Training

    if arguments.add:
        training, data = _addition(arguments)
    else:
        detector = settings_of(arguments)
        detector.check()  # before anything is read
        data = load_data(arguments.manifest, arguments.root)
        training = Training.of(
            detector,
            data.manifest,
            on_sample=data.is_sample,
            folder=arguments.output,
            tensorboard=arguments.tensorboard,
            notes=data.notes,
            spread=cli.engine_of(arguments),
            devices=arguments.devices,
        )
    several = arguments.repeat != 1
    folder = train_seeds(training, arguments.repeat) if several else train(training)
    for note in data.notes:
        print(cli.at_shell(f"note: {note}"))
    print(table.text(ScoredRun(folder).metrics))
    print(f"\nruns: {folder}" if several else f"\nreport: {ScoredRun(folder).report}")
    return 0


def _addition(arguments: argparse.Namespace) -> "tuple[Training, Manifest]":
    """Return the training of a run's images and those of the manifest."""
    from kerasfaces.api.data import Manifest
    from kerasfaces.train import add

    if arguments.manifest is None:
        raise InputError("`add` needs the new images: add --manifest NEW.")
    named = ("model", "preset", "set", "views", "launder", "unfreeze", "seed")
    given = {name: getattr(arguments, name) for name in named}
    add.refuse_settings(
        **given,
        mixed_precision=arguments.mixed_precision,
        protocol=arguments.protocol != "standard",
        repeat=arguments.repeat != 1,
    )
    data = Manifest.from_csv(arguments.manifest, arguments.root)
    training = add.training_of(
        arguments.add,
        data.manifest,
        name=str(arguments.manifest),
        weights=arguments.weights,
        store=arguments.store,
        folder=arguments.output,
        spread=cli.engine_of(arguments),
        tensorboard=arguments.tensorboard,
        devices=arguments.devices,
        notes=data.notes,
    )
    return training, data


def parser() -> argparse.ArgumentParser:
    """Return the parser of `train`."""
    parser = cli.parser(
        "train", "Train a detector and report how well it works.", _EXAMPLES
    )
    parser.epilog = f"{parser.epilog}\n\nmodels:\n{_listing()}"
    add_detector_options(parser, "listed below")
    add = cli.Options(parser)
    text = (
        "unseen: laundered views, everything chosen on families of fakes left out, and "
        "what the detector does on them (default: standard)"
    )
    add.choice("--protocol", "standard", ("standard", "unseen"), text)
    text = (
        "train RUN again with its images and those of --manifest, e.g. a new generator's; "
        "says what the old ones lost or gained"
    )
    add.path("--add", text, "RUN")
    add.number("--seed", 0, "of training; splits do not change with it", None)
    add.number("--repeat", 1, "K training seeds, mean and sd", "K")
    add.flag("--tensorboard", "write TensorBoard logs into the run")
    text = (
        "what trains end to end: gpu:0,gpu:1 or all (default: KERASFACES_DEVICES, "
        "else the first)"
    )
    add("--devices", default="", metavar="A,B", help=text)
    cli.add_engine(parser)
    add.folder("default: runs/MODEL-HASH", "RUN")
    return parser


def add_detector_options(
    parser: argparse.ArgumentParser,
    about_models: str = "kerasfaces train --help lists them",
) -> None:
    """Add what says which detector to train on which images, but for `--seed`."""
    add = cli.Options(parser)
    add.path("--manifest", "manifest.csv; default: the built-in sample")
    add.path("--root", "what relative paths in the manifest are relative to")
    models = detectors.names()
    add.path("--store", "channel store (kerasfaces channels) to train on")
    text = (
        f"one of: {', '.join(models)}; {about_models} (default: lnp_attention with "
        "--store, else mobilenetv2)"
    )
    add("--model", metavar="NAME", help=text)
    add(
        "--weights",
        help="forensic | imagenet | published | none | FILE | FOLDER | hf://OWNER/NAME | "
        "kaggle://... (default: forensic on the sample, none where everything is trained, "
        "else those its authors published); none trains the whole network",
    )
    presets = registry.names("kerasfaces.train.presets")
    add("--preset", help=f"a published configuration: {', '.join(presets)}")
    add.repeated("--set", "KEY=VALUE", "e.g. epochs=20")
    text = "squares cut at a picture's own resolution instead of the whole resized"
    add.number("--crops", None, text)
    text = (
        "what is shown of each picture: all of it, or its largest face, cut out with "
        "--set face_margin=0.3 (of files by `manifest crop-faces` nothing more is cut)"
    )
    add.choice("--faces", None, ("none", "largest"), text)
    text = "views of each training image, the first unchanged"
    add.number("--views", None, text, None)
    add.number(
        "--launder",
        None,
        "of the views after the first: compressed, resized, blurred ..., both classes alike",
        "SHARE",
        kind=float,
    )
    add.number("--unfreeze", None, "then fine-tune the last N base layers")
    add.flag("--mixed-precision", "half precision, on a GPU only")


def _listing() -> str:
    """Return each model's name and the first line of its file."""
    names = detectors.names()
    width = max(map(len, names))
    return "\n".join(f"  {name:{width}}  {detectors.summary(name)}" for name in names)


def settings_of(arguments: argparse.Namespace) -> "DetectorSettings":
    """Return what the detector options say."""
    changes = {
        "seed": arguments.seed,
        "views": arguments.views,
        "launder": arguments.launder,
        "unfreeze": arguments.unfreeze,
        "faces": arguments.faces,
        "mixed_precision": arguments.mixed_precision or None,
    }
    if arguments.crops is not None:
        changes["model"] = {"crops": arguments.crops}
    from kerasfaces.train.settings import DetectorSettings

    return DetectorSettings(
        model=arguments.model,
        weights=arguments.weights,
        preset=arguments.preset,
        store=arguments.store,
        protocol=getattr(arguments, "protocol", "").replace("standard", ""),
        changes={key: value for key, value in changes.items() if value is not None},
        assignments=arguments.set,
    )
