"""What a path is that was taken for a run folder and is none, and what to do instead."""

import json
import os
from pathlib import Path

from kerasfaces.core.files import Json
from kerasfaces.core.texts import listed
from kerasfaces.images import EXTENSIONS

POINT = "operating_point.json"
_MODEL_FILES = {
    **dict.fromkeys((".keras", ".h5", ".hdf5"), "a Keras model file"),
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), "a PyTorch checkpoint"),
    ".safetensors": "a weights file of Hugging Face",
    ".onnx": "an ONNX network",
    ".tflite": "a LiteRT network",
    ".pb": "a TensorFlow graph",
    ".xml": "a network of OpenVINO",
    ".npz": "a file of arrays",
    ".pkl": "a pickle of Python",
    ".joblib": "a pickle of scikit-learn",
}
_NEEDS = (
    "A run folder also says how pixels are prepared and where the threshold lies: train one "
    "(kerasfaces train), or compare the model's scores as a CSV file (kerasfaces evaluate "
    "compare RUN theirs.csv)."
)
_UNFINISHED = f"is not a finished run (no {POINT}"
_OURS = {  # folders that our commands write, by a file of their own
    "ensemble.json": "is an ensemble, which has no network of its own: give one of its "
    "members (they are named in ensemble.json).",
    "attribution.json": "is an attribution: kerasfaces attribute {folder}, with a manifest, says "
    "which generator made an image; give a detector's run folder here.",
    "export.json": "is an export of a run, for other programs: give the run itself.",
    "compare.json": "is a comparison: give one of the runs that were compared.",
    "explain.json": "holds explanations of a run: give the run itself.",
    "map_request.json": "is a map of a run's images: give the run itself.",
    "launder_request.json": "is a laundering matrix of a run: give the run itself.",
    "store.json": "is a channel store, the input of training: "
    "`Detector(store={folder!r}).fit(data)` makes a run of it.",
    "trial.json": "is a trial of a study: give the study's winner, in {parent}/winner.",
}


def why_no_run(path: Path) -> str:
    """Return what follows the path in a sentence: what it is, and what to do.

    Args:
        path: A file, a folder without a finished run, or nothing.
    """
    try:
        if path.is_dir():
            return _ours(path) or _foreign(path) or _other(path)
        if os.path.lexists(path):
            return _file(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}."
    return "is no folder; expected a run folder made by train."


def is_evaluation(folder: Path) -> bool:
    """Tell whether a folder is a run's measurement on other images."""
    return folder.parent.name == "evaluations"


def is_foreign_model(path: Path) -> bool:
    """Tell whether a path is a model in a form that no table of predictions has."""
    return path.is_file() and path.suffix.lower() in _MODEL_FILES


def _file(path: Path) -> str:
    suffix = path.suffix.lower()
    if (path.parent / POINT).is_file():
        return f"is a file of a run: give its folder, {path.parent}."
    if suffix in _MODEL_FILES:
        return f"is {_MODEL_FILES[suffix]}, not a run folder. {_NEEDS}"
    if suffix in EXTENSIONS:
        return "is an image, not a run folder; the run comes first, then the images."
    if suffix in (".csv", ".tsv", ".jsonl", ".parquet"):
        return (
            "is a table, not a run folder; detectors' tables are compared with: kerasfaces "
            "compare A.csv B.csv."
        )
    return "is a file; expected a run folder made by train."


def _ours(folder: Path) -> str:
    """Say what a folder is that one of our commands wrote; empty for others."""
    runs = sorted(folder.glob(f"seed-*/{POINT}"))
    runs = runs or sorted(folder.glob("seed-*/config.json"))
    if runs:
        return f"{_UNFINISHED}); it holds repeated runs: give one of them, e.g. {runs[0].parent}."
    for name, what in _OURS.items():
        if (folder / name).is_file():
            return what.format(folder=folder, parent=folder.parent)
    winner = folder / "winner"
    if winner.is_dir():
        runs = [run for run in (winner, *sorted(winner.glob("*"))) if _has_point(run)]
        return f"is a study: give its winner, {runs[0] if runs else winner}."
    if (folder / "study.json").is_file():
        return (
            "is a study without a winner yet; the same tune command continues it, and writes "
            f"the winner's run to {winner}."
        )
    if any((folder / name).is_file() for name in ("crossgen.json", "request.json")):
        return f"is a matrix of generators (kerasfaces crossgen){_one_below(folder)}"
    if is_evaluation(folder):
        return (
            f"is an evaluation of {folder.parents[1]} on other images; give that run."
        )
    if "train" in _configuration(folder):
        return f"{_UNFINISHED}); the same train command continues an unfinished run."
    names = ("metrics.json", "report.html", "input_spec.json")
    files = [name for name in names if (folder / name).is_file()]
    files += sorted(each.name for each in folder.glob("predictions_*.csv"))
    if files:
        return (
            f"is not a finished run: it holds {listed(files, 3)} and no {POINT}; restore that "
            "file, or train the run again."
        )
    return ""


def _foreign(folder: Path) -> str:
    """Recognise what other tools save, by files that only they write."""
    names = {each.name for each in folder.iterdir()}
    config = _configuration(folder)
    if names & {"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb"}:
        return f"is a SavedModel of TensorFlow, not a run folder. {_NEEDS}"
    if config.keys() & {"architectures", "model_type", "transformers_version"} or (
        names & {"pytorch_model.bin", "model.safetensors", "preprocessor_config.json"}
    ):
        return f"is a model of Hugging Face, not a run folder. {_NEEDS}"
    if config.keys() & {"registered_name", "class_name", "module"}:
        return f"is a preset or model saved by Keras itself, not a run folder. {_NEEDS}"
    models = sorted(n for n in names if Path(n).suffix.lower() in _MODEL_FILES)
    if models and POINT not in names:
        return f"holds a model ({listed(models, 3)}) and is no run folder. {_NEEDS}"
    return ""


def _other(folder: Path) -> str:
    files = sorted(folder.iterdir())
    if _runs_below(folder):
        return f"is no run folder itself{_one_below(folder)}"
    if (folder / "manifest.csv").is_file() or any(
        file.suffix.lower() in EXTENSIONS for file in files
    ):
        return (
            "holds images, not a run; make one of them first (kerasfaces manifest build, then "
            "train)."
        )
    names = listed([file.name for file in files], 4)
    holds = f"it holds {names}" if files else "it is empty"
    return (
        f"{_UNFINISHED}; {holds}); expected a run folder made by train. The same train command "
        "continues an unfinished run."
    )


def _has_point(folder: Path) -> bool:
    return (folder / POINT).is_file()


def _configuration(folder: Path) -> Json:
    try:
        value = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _runs_below(folder: Path) -> list[Path]:
    patterns = (f"*/{POINT}", f"*/*/{POINT}", f"*/*/*/{POINT}")
    files = (file for pattern in patterns for file in sorted(folder.glob(pattern)))
    return [file.parent for file in files]


def _one_below(folder: Path) -> str:
    runs = _runs_below(folder)
    if not runs:
        return " without a finished run; the same command continues it."
    return f"; {len(runs):,} run folders are below it: give one, e.g. {runs[0]}."
