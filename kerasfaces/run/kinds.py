"""What a path is that was given as a run folder and is none, and what to do instead."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def why_no_run(path: Path) -> str:
    """Return what follows the path in a sentence: what it is, and what to do.

    Args:
        path: A file, a folder without a finished run, or nothing.
    """
    try:
        if path.is_dir():
            return next(filter(None, (rule(path) for rule in _FOLDERS)), _unknown(path))
        if os.path.lexists(path):
            return _file(path)
    except OSError as error:
        return f"cannot be read: {error.strerror}."
    return "is no folder; expected a run folder made by train."


def is_evaluation(folder: Path) -> bool:
    """Tell whether a folder is a run's measurement on other images."""
    return folder.parent.name == "evaluations"


def _configuration(folder: Path) -> dict[str, Any]:
    try:
        value = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def is_foreign_model(path: Path) -> bool:
    """Say whether a path is a model in a form that no table of predictions has."""
    return path.is_file() and path.suffix.lower() in _MODEL_FILES


def _file(path: Path) -> str:
    if (path.parent / POINT).is_file():
        return f"is a file of a run: give its folder, {path.parent}."
    kind = _MODEL_FILES.get(path.suffix.lower())
    if kind:
        return f"is {kind}, not a run folder. {_NEEDS}"
    if path.suffix.lower() in EXTENSIONS:
        return "is an image, not a run folder; the run comes first, then the images."
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".parquet"):
        return (
            "is a table, not a run folder; detectors' tables are compared with: kerasfaces "
            "compare A.csv B.csv."
        )
    return "is a file; expected a run folder made by train."


def _repeats(folder: Path) -> str:
    runs = sorted(folder.glob(f"seed-*/{POINT}"))
    runs = runs or sorted(folder.glob("seed-*/config.json"))
    if not runs:
        return ""
    return (
        f"is not a finished run (no {POINT}); it holds repeated runs: give one of them, e.g. "
        f"{runs[0].parent}."
    )


def _ours(folder: Path) -> str:
    """Recognise other folders that our commands write, by their own file."""
    for name, what in _OURS.items():
        if (folder / name).is_file():
            return what.format(folder=folder, parent=folder.parent)
    return ""


_OURS = {
    "ensemble.json": "is an ensemble, which has no network of its own: give one of its "
    "members (they are named in ensemble.json).",
    "attribution.json": "is an attribution: kerasfaces attribute {folder}, with a manifest, says "
    "which generator made an image; give a detector's run folder here.",
    "export.json": "is an export of a run, for other programs: give the run itself.",
    "compare.json": "is a comparison: give one of the runs that were compared.",
    "explain.json": "holds explanations of a run: give the run itself.",
    "store.json": "is a channel store, the input of training: "
    "`Detector(store={folder!r}).fit(data)` makes a run of it.",
    "trial.json": "is a trial of a study: give the study's winner, in {parent}/winner.",
}


def _study(folder: Path) -> str:
    if not ((folder / "study.json").is_file() or (folder / "winner").is_dir()):
        return ""
    winner = folder / "winner"
    runs = [winner, *sorted(winner.glob("*"))]
    finished = next((run for run in runs if (run / POINT).is_file()), None)
    if finished or winner.is_dir():
        return f"is a study: give its winner, {finished or winner}."
    return (
        "is a study without a winner yet; the same tune command continues it, and writes the "
        f"winner's run to {winner}."
    )


def _matrix(folder: Path) -> str:
    names = ("crossgen.json", "request.json")
    if not any((folder / name).is_file() for name in names):
        return ""
    return (
        f"is a matrix of generators (kerasfaces crossgen){_one_of(_runs_below(folder))}"
    )


def _evaluation(folder: Path) -> str:
    if not is_evaluation(folder):
        return ""
    return f"is an evaluation of {folder.parents[1]} on other images; give that run."


def _unfinished(folder: Path) -> str:
    """Recognise a run that training has not finished."""
    config = _configuration(folder)
    if "train" not in config:
        return ""
    return (
        f"is not a finished run (no {POINT}); the same train command continues an unfinished "
        "run."
    )


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
    if models and POINT not in names and "train" not in config:
        return f"holds a model ({listed(models, 3)}) and is no run folder. {_NEEDS}"
    return ""


def _partly(folder: Path) -> str:
    """Recognise a run of which files are gone."""
    files = [
        name
        for name in ("metrics.json", "report.html", "input_spec.json")
        if (folder / name).is_file()
    ]
    files += sorted(each.name for each in folder.glob("predictions_*.csv"))
    if not files:
        return ""
    return (
        f"is not a finished run: it holds {listed(files, 3)} and no {POINT}; restore that file, or "
        "train the run again."
    )


def _several(folder: Path) -> str:
    runs = _runs_below(folder)
    return f"is no run folder itself{_one_of(runs)}" if runs else ""


def _images(folder: Path) -> str:
    if (folder / "manifest.csv").is_file() or any(
        name.suffix.lower() in EXTENSIONS for name in folder.iterdir()
    ):
        return (
            "holds images, not a run; make one of them first (kerasfaces manifest build, then "
            "train)."
        )
    return ""


def _unknown(folder: Path) -> str:
    files = sorted(each.name for each in folder.iterdir())
    holds = f"it holds {listed(files, 4)}" if files else "it is empty"
    return (
        f"is not a finished run (no {POINT}; {holds}); expected a run folder made by train. The "
        "same train command continues an unfinished run."
    )


_FOLDERS: tuple[Callable[[Path], str], ...] = (
    _repeats,
    _ours,
    _study,
    _matrix,
    _evaluation,
    _unfinished,
    _partly,
    _foreign,
    _several,
    _images,
)


def _runs_below(folder: Path) -> list[Path]:
    patterns = (f"*/{POINT}", f"*/*/{POINT}", f"*/*/*/{POINT}")
    return [
        each.parent for pattern in patterns for each in sorted(folder.glob(pattern))
    ]


def _one_of(runs: list[Path]) -> str:
    if not runs:
        return " without a finished run; the same command continues it."
    return f"; {len(runs):,} run folders are below it: give one, e.g. {runs[0]}."
