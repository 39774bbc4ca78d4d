"""The console script: `kerasfaces STAGE ...` is `python -m kerasfaces.STAGE ...`."""

import importlib
import sys
from collections.abc import Sequence

from kerasfaces import __version__, cli
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import near_hint, quoted

STAGES = {
    "sample": "nothing -> simulated faces with a manifest",
    "manifest": "folders, tables or recipes -> manifest.csv: build, split, check, audit",
    "annotate": "manifest.csv -> the same with gender, age, race, expression, glasses, faces",
    "generate": "manifest.csv -> pairs: real photos and fakes made of them",
    "channels": "manifest.csv -> store of noise patterns, spectra, masks; verify, repair, preview",
    "train": "manifest.csv -> run folder with detector, predictions and report.html",
    "tune": "study, manifest.csv -> study folder: leaderboard, winner's run folder",
    "crossgen": "manifest.csv, several generators -> matrix of runs: who detects whom",
    "evaluate": "run folder -> metrics.json, report.html",
    "compare": "run folders, predictions.csv -> one table with paired tests",
    "ensemble": "run folders, predictions.csv -> several joined: run folder",
    "launder": "run folder -> what is left of it after JPEG, resize, blur ...: matrix, report.html",
    "attribute": "run folder -> which generator made it: run folder, report.html",
    "embed": "run folder, images -> a map of who is near whom to the detector: map.html",
    "explain": "run folder, images -> maps of where the logit comes from, and whether to believe them",
    "predict": "run folder, images -> a verdict and a score per image",
    "similar": "run folder, images -> the training images nearest to each; leaks of a manifest",
    "serve": "run folder -> a service that judges pictures by HTTP",
    "export": "run folder -> the network for ONNX, LiteRT, OpenVINO, TensorFlow",
    "app": "run folder -> a page in the browser that judges pictures",
    "publish": "run folder -> a repository of Hugging Face with weights, model card, app",
    "estimate": "a few images -> hours, bytes and cost of channels, features or a training of many",
    "cache": "nothing -> what the cache holds; makes it smaller",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one stage, or print what there is."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0
    if arguments[0] in ("-V", "--version"):
        print(f"kerasfaces {__version__}")
        return 0
    stage = arguments[0]
    if stage not in STAGES:
        raise InputError(
            f"There is no stage {quoted(stage)}; stages: {', '.join(STAGES)}. See kerasfaces "
            f"--help.{near_hint(stage, STAGES)}"
        )
    code: int = importlib.import_module(f"kerasfaces.cli.{stage}").main(arguments[1:])
    return code


def _overview() -> str:
    width = max(map(len, STAGES))
    lines = "\n".join(f"  {name:<{width}}  {io}" for name, io in STAGES.items())
    return (
        "kerasfaces: detect AI-generated face images, and know how well it works.\n\n"
        f"stages, in order (kerasfaces STAGE --help says more):\n{lines}"
        "\n\nexamples:\n  kerasfaces train\n  kerasfaces manifest build photos -o manifest.csv"
    )


def script() -> None:
    """Be the console script."""
    cli.run(main)


if __name__ == "__main__":
    cli.run(main)
