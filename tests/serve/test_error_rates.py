"""How often a rule errs: counted on test images, said in words, kept by rule."""

import dataclasses
import json
import types

import numpy as np
import pytest
from detector_files import make_run
from PIL import Image
from stub_detector import FoundFace, Stub

from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import error_rates, measured_rates
from kerasfaces.serve.answer import Options, answer_all

LEVELS = {"real": (20, 30, 128, 250), "fake": (250, 240, 128, 127, 10)}


@pytest.fixture
def run(tmp_path):
    """A run whose test images are grey; the stub flags the bright ones."""
    folder = make_run(tmp_path / "run")
    lines = ["path,label,source,split", "gone.png,real,camera,train"]
    for label, levels in LEVELS.items():
        for number, level in enumerate(levels):
            path = tmp_path / f"{label}{number}.png"
            Image.new("RGB", (96, 96), (level,) * 3).save(path)
            lines.append(f"{path},{label},x,test")
    (tmp_path / "text.png").write_text("no image")
    lines.append(f"{tmp_path / 'text.png'},real,x,test")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder


@dataclasses.dataclass
class Own(Stub):
    folder: object = None


def test_rates_are_of_the_rule_that_is_applied(run):
    detector, rule = Own(folder=run), Options(provenance=False, find_faces=False)
    (answer,) = answer_all([Image.new("RGB", (96, 96))], detector, rule)
    assert answer.error_rates["measured"] is False
    assert "kerasfaces evaluate RUN --error-rates`" in answer.error_rates["sentence"]
    rates = measured_rates.measure(run, detector, rule)
    assert (rates["n_real"], rates["n_fake"], rates["n_unreadable"]) == (4, 5, 1)
    counts = {key: rates[key]["count"] for key in ("false_alarms", "misses")}
    assert counts == {"false_alarms": 1, "misses": 1}
    assert (rates["unsure_real"]["count"], rates["unsure_fake"]["count"]) == (1, 2)
    assert rates["false_alarms"]["low"] < 0.25 < rates["false_alarms"]["high"]
    assert rates["sentence"].startswith(
        "At this setting (the whole picture, six launderings) 25.0 % (0.6 to 80.6 %) of 4 "
        "real test images are flagged, 20.0 % (0.5 to 71.6 %) of 5 fakes pass as real"
    )
    (answer,) = answer_all([Image.new("RGB", (96, 96))], detector, rule)
    assert answer.error_rates["sentence"] == rates["sentence"]
    # Another rule, network or operating point has not been measured.
    faces = dataclasses.replace(rule, faces="largest")
    assert (
        "--faces largest"
        in error_rates.known(DetectorRun(run), detector, faces)["sentence"]
    )
    moved = dataclasses.replace(detector.operating_point, threshold=0.7)
    for other in (Own(version="2"), Own(operating_point=moved)):
        assert not error_rates.known(DetectorRun(run), other, rule)["measured"]


def test_faces_and_launderings_count(run):
    class Fragile(Own):
        def prepare(self, image):  # flips at half the size
            flips = image.width < 96 and np.asarray(image).mean() > 200
            return super().prepare(Image.new("RGB", (9, 9)) if flips else image)

    rule = Options()
    rates = measured_rates.measure(run, Fragile(folder=run), rule)
    assert rates["false_alarms"]["count"] == 0
    assert rates["unsure_real"]["count"] == 2
    corner = [FoundFace((0, 0, 90, 90))]
    rule = Options(faces="largest", stability=False)
    rates = measured_rates.measure(run, Own(folder=run), rule, lambda pixels: corner)
    assert rates["rule"] == "the largest face, no laundering"
    assert rates["false_alarms"]["count"] == 1


def test_measured_once_and_continued_after_a_kill(run, monkeypatch):
    from kerasfaces.serve import answer

    monkeypatch.setattr(answer, "BATCH", 7)  # a picture and its six launderings
    seen = []

    class Counting(Own):
        def logits(self, pixels):
            seen.append(1)
            if len(seen) == 4:
                raise KeyboardInterrupt
            return super().logits(pixels)

    rule = Options()
    with pytest.raises(KeyboardInterrupt):
        measured_rates.measure(run, Counting(folder=run, version="9"), rule)
    measured_rates.measure(run, Counting(folder=run, version="9"), rule)
    assert len(seen) == 4 + 9 - 3
    measured_rates.measure(run, Counting(folder=run, version="9"), rule)
    assert len(seen) == 10


def test_the_plain_rule_s_rates_are_those_of_the_test_predictions(run):
    detector, rule = (
        Own(folder=run, operating_point=DetectorRun(run).operating_point),
        None,
    )
    rule = Options.quick()
    rates = error_rates.known(DetectorRun(run), detector, rule)
    frame = DetectorRun(run).predictions("test")
    verdicts = detector.operating_point.verdicts(frame["score"])
    real = frame["label"] == "real"
    flagged = sum(v == "fake" for v, r in zip(verdicts, real, strict=True) if r)
    assert rates["false_alarms"]["count"] == flagged > 0
    assert rates["n_real"] == real.sum()
    assert len(read_json(run / "error_rates.json")) == 1
    json.dumps(rates, allow_nan=False)
    (run / "predictions_test.csv").write_text("junk\n")
    other = Own(folder=run, version="2")
    assert not error_rates.known(DetectorRun(run), other, rule)["measured"]


def test_images_that_are_not_here_are_not_guessed(run):
    path = run / "manifest.csv"
    path.write_text(path.read_text().replace("real0.png", "moved.png"))
    with pytest.raises(InputError, match="1 of its 10 test images are not on this"):
        measured_rates.measure(run, Own(folder=run), Options())
    path.write_text("path,label,source,split\n" + path.read_text().splitlines()[-1])
    with pytest.raises(
        InputError, match="0 real and 0 fake test images have a verdict"
    ):
        measured_rates.measure(run, Own(folder=run), Options())


def test_the_command_prints_the_sentence(run, monkeypatch, capsys):
    from kerasfaces.cli.evaluate import main
    from kerasfaces.serve.exported import ExportedDetector

    opened = types.SimpleNamespace(open=lambda folder, engine: Own(folder=folder))
    monkeypatch.setattr(ExportedDetector, "open", opened.open)
    assert main([str(run), "--error-rates", "--no-stability"]) == 0
    assert (
        "At this setting (the whole picture, no laundering)" in capsys.readouterr().out
    )
