"""Right and wrong decisions, face crops, exports: which images are explained, and as what."""

import dataclasses
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_detector
from face_pictures import scene
from PIL import Image

from kerasfaces.cli import evaluate
from kerasfaces.cli import explain as command
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import write_json
from kerasfaces.evaluate import run as evaluation
from kerasfaces.evaluate.sections import decisions as section
from kerasfaces.explain import selection
from kerasfaces.explain.contract import Settings
from kerasfaces.explain.run import explain
from kerasfaces.explain.selection import Selection
from kerasfaces.images import InputSpec
from kerasfaces.run import predictions
from kerasfaces.run.folder import DetectorRun

pytestmark = pytest.mark.tf


@pytest.fixture
def run(tiny_run, tmp_path):
    """A copy of the run with predictions: of eight images two are wrong, both fakes."""
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    files = sorted(tiny_run.glob("*.png"))
    rows = [
        {
            "path": str(file),
            "label": file.name[:4],
            "source": "gan" if file.name[:4] == "fake" else "camera",
            "split": "test",
            "logit": 1.0 if file.name[:4] == "fake" else -1.0,
            "reason": "",
        }
        for file in files
    ]
    rows[0]["logit"] = rows[1]["logit"] = -2.0
    frame = pd.DataFrame(rows)
    frame["score"] = 1 / (1 + np.exp(-frame["logit"]))
    predictions.write(frame, folder / "predictions_test.csv")
    return folder


def test_right_and_wrong_ones_are_drawn(run):
    chosen = selection.of_decisions(run, "test", 4)
    assert chosen.decisions == ["right"] * 4 + ["wrong"] * 2
    assert chosen.labels == ["real"] * 2 + ["fake"] * 2 + ["fake"] * 2
    assert [file.name for file in chosen.files[4:]] in (
        ["fake100.png", "fake101.png"],
        ["fake101.png", "fake100.png"],
    )
    assert "4 right and 2 wrong decisions on test" in chosen.note
    assert "from 6 and 2" in chosen.note
    filled = selection.of_decisions(run, "test", 6)
    assert filled.labels[:6] == ["real"] * 4 + ["fake"] * 2


def test_the_report_shows_them(run, tmp_path):
    folder = DetectorRun(run).decisions_folder("gradcam")
    chosen = selection.of_decisions(run, "test", 2)
    explain(run, chosen, folder, Settings(method="gradcam"))
    assert DetectorRun(run).decisions == {"gradcam": folder}
    body = section.report(SimpleNamespace(decisions={"gradcam": folder})).html
    assert body.count("<figure>") == 4
    assert "Right (2)" in body
    assert "Wrong (2)" in body
    assert f'href="decisions/{folder.name}/explain.html"' in body
    page = (folder / "explain.html").read_text(encoding="utf-8")
    assert page.index("Right decisions") < page.index("Wrong decisions")
    next(iter((folder / "images").glob("*.png"))).unlink()
    body = section.report(SimpleNamespace(decisions={"gradcam": folder})).html
    assert body.count("the map is missing") == 1
    assert section.report(SimpleNamespace(decisions={})) is None
    # Another threshold: what was explained are other decisions.
    point = tiny_detector.POINT | {"threshold": 0.7}
    write_json(run / "operating_point.json", point)
    assert DetectorRun(run).decisions == {}


def test_by_the_command(run, tmp_path, capsys):
    arguments = [str(run), "--decisions", "1", "-o", str(tmp_path / "maps")]
    assert command.main([*arguments, "--no-checks"]) == 0
    frame = pd.read_csv(tmp_path / "maps" / "explanations.csv", keep_default_na=False)
    assert frame["decision"].tolist() == ["right", "wrong"]


@pytest.mark.slow
def test_evaluates_report_has_twelve_right_and_twelve_wrong_ones(tiny_run, tmp_path):
    """A finished run of 28 images, every second with the other label, by the command alone."""
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    rows = []
    for number, file in enumerate(tiny_detector.write_images(folder, 14)):
        drawn = file.name[:4]
        label = drawn if number % 2 else {"fake": "real", "real": "fake"}[drawn]
        source = "gan" if label == "fake" else "camera"
        logit = 2.0 if drawn == "fake" else -2.0
        row = {"path": str(file), "label": label, "source": source, "logit": logit}
        rows.append(row | {"split": "test", "reason": ""})
    test = pd.DataFrame(rows)
    test["score"] = 1 / (1 + np.exp(-test["logit"]))
    frames = {"val": test[1::2].assign(split="val"), "test": test}
    written = {"config": {"model": "x"}, "environment": {}, "bootstrap": 50}
    evaluation.finish(folder, frames, **written)
    evaluate.main([str(folder), "--explain"])
    page = (folder / "report.html").read_text(encoding="utf-8")
    part = page.partition('<section id="decisions"')[2].partition("<section")[0]
    assert "Right (12)" in part
    assert "Wrong (12)" in part
    assert part.count("<figure>") == part.count('src="data:image/jpeg;base64,') == 24
    assert part.count("real, called real") == part.count("fake, called fake") == 6
    assert part.count("real, called fake") == part.count("fake, called real") == 6
    evaluate.main([str(folder)])  # the page stays in the report of another call
    assert "Wrong (12)" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def of_faces(tiny_run, tmp_path):
    """Return the run as one that was shown faces, cut here or beforehand."""

    def make(policy):
        folder = tmp_path / policy
        shutil.copytree(tiny_run, folder)
        spec = InputSpec(size_px=tiny_detector.SIZE_PX, faces=policy, face_margin=0.2)
        write_json(folder / "input_spec.json", {"input": configs.to_dict(spec)})
        return folder, spec

    return make


@pytest.mark.parametrize("policy", ["largest", "cut"])
def test_a_detector_of_faces_is_explained_on_what_predict_shows_it(
    of_faces, tmp_path, policy
):
    pytest.importorskip("onnxruntime")
    from kerasfaces import images
    from kerasfaces.run.predictor import Predictor

    folder, spec = of_faces(policy)
    photo = tmp_path / "photo.png"
    Image.fromarray(scene((420, 300), [(200, 60, 200)])).save(photo)
    settings = Settings(method="gradcam", checks=False)
    frame = explain(folder, Selection(files=[photo]), tmp_path / "maps", settings)
    shown = images.load_array(photo, dataclasses.replace(spec, faces="largest"))
    whole = images.load_array(photo, InputSpec(size_px=spec.size_px))
    assert not np.array_equal(shown, whole)
    logit = Predictor(folder).array_logits(shown[None])[0]
    assert frame["logit"][0] == pytest.approx(logit, abs=1e-3)
    empty = tmp_path / "empty.png"
    Image.fromarray(tiny_detector.picture(True, 3)).save(empty)
    both = Selection(files=[photo, empty])
    frame = explain(folder, both, tmp_path / "both", settings)
    assert frame["reason"].tolist() == ["", "no face found"]


def test_crops_of_the_runs_own_manifest_are_not_cut_again(of_faces, tmp_path):
    folder, _ = of_faces("cut")
    own = selection.draw(folder, "test", 2, 0)
    settings = Settings(method="gradcam", checks=False)
    frame = explain(folder, own, tmp_path / "maps", settings)
    assert (frame["reason"] == "").all()


def test_an_export_alone_is_one_sentence(tiny_run, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(tiny_run, folder)
    (folder / "model.keras").unlink()
    write_json(folder / "exports" / "onnx" / "export.json", {"format": "onnx"})
    photo = tiny_detector.write_images(folder, 1)[0]
    with pytest.raises(InputError, match="holds an export and not the network"):
        explain(
            folder, Selection(files=[photo]), tmp_path / "o", Settings(method="gradcam")
        )
    assert not (tmp_path / "o").exists()
