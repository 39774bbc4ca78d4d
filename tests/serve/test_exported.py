"""The engine without TensorFlow: the run's pixels, logits and verdicts."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces.core.files import read_json, write_json
from kerasfaces.serve.exported import ExportedDetector

pytestmark = pytest.mark.tf
HEAVY = ("tensorflow", "keras", "pandas", "scipy", "sklearn")


@pytest.fixture
def run(run):
    """The tiny run's logits all lie within 1e-3; this one's threshold is far from them."""
    set_threshold(run, -1.0)
    return run


def set_threshold(run, logit, band=(0.0, 0.0)):
    """Let scores be sigmoid(logit), fake from a logit on, unsure from .. to."""
    scores = 1 / (1 + np.exp(-np.array([logit, *band])))
    point = read_json(run / "operating_point.json")
    point["calibrator"] |= {"a": 1.0, "b": 0.0}
    point |= {"threshold": scores[0], "abstain": list(scores[1:])}
    write_json(run / "operating_point.json", point)


@pytest.fixture(params=["onnxruntime", "openvino"])
def detector(request, run):
    pytest.importorskip(request.param)
    return ExportedDetector.open(run, engine=request.param)


def test_logits_are_evaluation_s(detector, test_rows):
    files, rows = test_rows
    pixels = np.stack([detector.prepare(images.load(path)) for path in files])
    expected = [images.load_array(path, detector.input_spec) for path in files]
    np.testing.assert_array_equal(pixels, expected)
    np.testing.assert_allclose(detector.logits(pixels), rows["logit"], atol=1e-3)
    assert detector.decide(detector.logits(pixels)) == ["fake"] * len(files)


def test_opening_and_judging_imports_no_framework(run, test_rows, run_python):
    ExportedDetector.open(run, engine="onnxruntime")  # makes the export
    code = (
        "import sys; from kerasfaces import images\n"
        "from kerasfaces.serve.exported import ExportedDetector\n"
        f"detector = ExportedDetector.open({str(run)!r})\n"
        f"pixels = detector.prepare(images.load(__import__('pathlib').Path({str(test_rows[0][0])!r})))\n"
        "print(detector.decide(detector.logits(pixels[None])), detector.engine)\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    answer, heavy = run_python(code).splitlines()
    assert "onnxruntime" in answer
    assert heavy == "[]"


def test_a_turned_picture_is_turned_once(detector, tmp_path):
    picture = Image.fromarray(np.arange(60 * 40 * 3, dtype=np.uint8).reshape(60, 40, 3))
    exif = Image.Exif()
    exif[0x112] = 6
    path = tmp_path / "x.png"
    picture.save(path, exif=exif)
    expected = images.load_array(path, detector.input_spec)
    np.testing.assert_array_equal(detector.prepare(images.load(path)), expected)
    np.testing.assert_array_equal(detector.prepare(Image.open(path)), expected)
    np.testing.assert_array_equal(
        detector.prepare(np.asarray(images.load(path))), expected
    )
