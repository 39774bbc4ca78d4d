"""What is given as a run folder and is none: one sentence on what it is and what to do."""

import importlib
import json
import re

import pytest
from detector_files import make_run

from kerasfaces.core.errors import KerasfacesError

HUGGING_FACE = {"architectures": ["ViTForImageClassification"], "model_type": "vit"}
COMMANDS = {
    "evaluate": lambda path: [path],
    "predict": lambda path: [path, path],
    "explain": lambda path: [path, path, "-o", path + "-maps"],
    "export": lambda path: [path, "--format", "savedmodel"],
    "attribute": lambda path: [path],
    "launder": lambda path: [path],
    "compare": lambda path: [path, path],
    "tune": lambda path: ["--report", path],
}


def _write(folder, names):
    for name, content in names.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text)


PLACES = {
    "hugging face": ({"config.json": HUGGING_FACE}, "a model of Hugging Face"),
    "weights": ({"model.safetensors": "x"}, "a model of Hugging Face"),
    "savedmodel": ({"saved_model.pb": "x"}, "a SavedModel of TensorFlow"),
    "keras": (
        {"config.json": {"module": "keras_hub", "class_name": "Vit"}},
        "a preset or model saved by Keras",
    ),
    "torch": ({"best.pth": "x"}, r"holds a model \(best\.pth\)"),
    "images": ({"a.jpg": "x"}, "holds images, not a run"),
    "store": ({"store.json": {}}, "a channel store"),
    "comparison": ({"compare.json": {}}, "a comparison"),
    "export": ({"export.json": {}}, "an export of a run"),
    "launder": ({"launder_request.json": {}}, "a laundering matrix of a run"),
    "explanation": ({"explain.json": {}}, "explanations of a run"),
    "study": ({"study.json": {}, "trial_1/trial.json": {}}, "a study without a winner"),
    "trial": ({"trial.json": {}}, "a trial of a study"),
    "crossgen": ({"request.json": {}}, "a matrix of generators"),
    "unfinished": ({"config.json": {"train": {}}}, "not a finished run"),
    "partly": ({"metrics.json": {}, "model.keras": "x"}, "metrics.json"),
    "unknown": ({"notes.txt": "x"}, r"it holds notes\.txt"),
    "empty": ({"x/y/z": ""}, "it holds x"),
}


def _sentence(command, path):
    main = importlib.import_module(f"kerasfaces.cli.{command}").main
    with pytest.raises(KerasfacesError) as caught:
        main(COMMANDS[command](str(path)))
    return str(caught.value)


def _is_one_sentence(message, path):
    assert message.isprintable()
    assert len(message) < 700
    assert str(path) in message
    assert message.endswith(".")


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "tune"])
def test_folders_that_are_no_run_are_named(tmp_path, command, kind):
    names, said = PLACES[kind]
    folder = tmp_path / "folder"
    _write(folder, names)
    message = _sentence(command, folder)
    _is_one_sentence(message, folder)
    if not (command == "attribute" and kind == "unfinished"):
        assert re.search(said, message), message


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "tune"])
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "net.onnx", "w.pt"])
def test_model_files_are_named(tmp_path, command, name):
    path = tmp_path / name
    path.write_bytes(b"\x89HDF\r\n\x1a\n\0\0")
    message = _sentence(command, path)
    _is_one_sentence(message, path)
    assert "not a run folder" in message


@pytest.mark.parametrize("command", ["evaluate", "predict", "explain", "export"])
def test_what_lies_in_or_above_runs_points_to_them(tmp_path, command):
    run = make_run(tmp_path / "all" / "seed-0")
    (run / "report.html").write_text("x")
    assert f"give its folder, {run}." in _sentence(command, run / "report.html")
    assert f"repeated runs: give one of them, e.g. {run}." in _sentence(
        command, tmp_path / "all"
    )
    assert f"1 run folders are below it: give one, e.g. {run}." in _sentence(
        command, tmp_path
    )
    inside = run / "evaluations" / "abc-test"
    inside.mkdir(parents=True)
    assert f"an evaluation of {run} on other images" in _sentence(command, inside)


def test_a_report_of_a_study_is_not_asked_of_a_run(tmp_path):
    run = make_run(tmp_path / "run")
    assert f"it is a run, whose report is {run / 'report.html'}." in _sentence(
        "tune", run
    )


@pytest.mark.parametrize("command", ["predict", "export"])
def test_a_run_of_another_version_says_which(tmp_path, command):
    run = make_run(tmp_path / "run")
    (run / "model.keras").write_text("x")
    model = {"name": "mobilenetv2", "size_px": 32, "a_new_option": 1}
    (run / "config.json").write_text(
        json.dumps({"train": {"model": model}, "weights": None})
    )
    environment = {"packages": {"kerasfaces": "99.0"}}
    (run / "environment.json").write_text(json.dumps(environment))
    (tmp_path / "a.jpg").write_text("x")
    words = [str(run), str(tmp_path / "a.jpg")]
    words = words if command == "predict" else [str(run), "--format", "savedmodel"]
    main = importlib.import_module(f"kerasfaces.cli.{command}").main
    with pytest.raises(KerasfacesError, match=r"made by kerasfaces 99\.0; this is"):
        main(words)
