"""A run folder put together without Keras, and a stub of Hugging Face."""

import io
import json
import zipfile

import hub_service
import pytest

from kerasfaces.core import config as configs
from kerasfaces.core.files import sha256, write_json
from kerasfaces.models.config import ModelConfig

POINT = {
    "calibrator": {"kind": "platt", "a": 1.0, "b": 0.0},
    "threshold": 0.5,
    "rule": "highest balanced accuracy on validation",
    "threshold_fpr_1pct": 0.9,
    "rule_fpr_1pct": "at most 1 % false alarms on validation",
    "abstain": [0.5, 0.5],
    "false_alarm_rate": 0.1,
    "miss_rate": 0.1,
    "chosen_on": {"split": "val", "n_real": 20, "n_fake": 20},
}


def estimate(value):
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "method": "x"}


def part(missed):
    names = ("auc", "balanced_accuracy", "false_alarm_rate", "tpr_at_fpr_1pct")
    numbers = {name: estimate(0.1 if "alarm" in name else 0.9) for name in names}
    return {"n": 40, "n_real": 20, "n_fake": 20, **numbers, "miss_rate": missed}


@pytest.fixture
def finished(tmp_path):
    """A finished run with everything private that a run can hold."""
    folder = tmp_path / "someones-run"
    folder.mkdir()
    model = configs.to_dict(ModelConfig(name="mobilenetv2", size_px=64))
    weights = {"kind": "file", "file": "bobs-weights.h5", "sha256": "ab" * 32}
    train = {"model": model, "unfreeze": 0}
    write_json(folder / "config.json", {"train": train, "weights": weights})
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3"}))
        archive.writestr("model.weights.h5", bytes(range(256)) * 40)
    spec = {"input": {"size_px": 64, "crop": "square", "filter": "bicubic"}}
    limits = {"limits": {"short_side_px": 32, "aspect": 3.0}}
    write_json(folder / "input_spec.json", spec | limits)
    write_json(folder / "operating_point.json", POINT)
    write_json(folder / "format.json", {"format": 1, "kerasfaces": "0.1.0"})
    lines = ["path,label,source,split,sha256"]
    for split, n in (("train", 6), ("val", 2), ("test", 2)):
        for label, source in (("real", "camera"), ("fake", "gan|<b>")):
            for number in range(n):
                name = f"{label}/IMG_{split}_{number}.jpg"
                lines.append(f"{name},{label},{source},{split},{number:064d}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    for split in ("val", "test"):
        (folder / f"predictions_{split}.csv").write_text("path,label\nIMG_1.jpg,real\n")
    all_of_it = {"all": part(estimate(0.2))}
    sources = {
        "source=camera": part(estimate(0.2)),
        "source=gan|<b>": part(estimate(0.4)),
    }
    metrics = {"test": all_of_it | sources, "val": all_of_it}
    warnings = [
        f"Weights come from the file {weights['file']}.",
        "Only 20 real images.",
    ]
    write_json(
        folder / "metrics.json",
        {"metrics": metrics, "warnings": warnings, "image_root": str(tmp_path)},
    )
    command = ["kerasfaces", "train", "--manifest", str(tmp_path / "m.csv")]
    machine = {"packages": {"keras": "3"}, "platform": "host-7", "command": command}
    write_json(folder / "environment.json", machine)
    (folder / "report.html").write_text('<img src="data:image/png;base64,AAAA">')
    export = folder / "exports" / "onnx"
    export.mkdir(parents=True)
    (export / "model.onnx").write_bytes(b"onnx" * 9)
    source = {"run": folder.name, "sha256": sha256(folder / "model.keras")}
    files = {"model.onnx": sha256(export / "model.onnx")}
    description = {"source": source, "operating_point": POINT, "files": files}
    write_json(export / "export.json", description)
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """The stub, which huggingface_hub and kerasfaces speak to, with caches of its own."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_TOKEN", hub_service.TOKEN)
    with hub_service.serve() as service:
        monkeypatch.setenv("HF_ENDPOINT", service.address)
        yield service


@pytest.fixture
def picture():
    """The bytes of a small JPEG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(buffer, "JPEG")
    return buffer.getvalue()
