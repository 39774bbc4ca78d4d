"""The engine without TensorFlow: the run's pixels, logits and verdicts."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tiny_runs import set_threshold

from kerasfaces import images
from kerasfaces.core.errors import (
    InputError,
    MissingExtraError,
    MissingFileError,
    RunError,
)
from kerasfaces.core.files import read_json, sha256, write_json
from kerasfaces.dataset.cache import FileArrays
from kerasfaces.serve.answer import Options, answer_all
from kerasfaces.serve.exported import ExportedDetector

pytestmark = pytest.mark.tf
HEAVY = ("tensorflow", "keras", "pandas", "scipy", "sklearn")


@pytest.fixture
def run(run):
    """The tiny run's logits all lie within 1e-3; this one's threshold is far from them."""
    set_threshold(run, -1.0)
    return run


@pytest.fixture(params=["onnxruntime", "openvino"])
def detector(request, exported_run):
    pytest.importorskip(request.param)
    return ExportedDetector.open(exported_run, engine=request.param)


def test_logits_are_evaluation_s(detector, test_rows):
    files, rows = test_rows
    pixels = np.stack([detector.prepare(images.load(path)) for path in files])
    expected = [images.load_array(path, detector.input_spec) for path in files]
    np.testing.assert_array_equal(pixels, expected)
    np.testing.assert_allclose(detector.logits(pixels), rows["logit"], atol=1e-3)
    assert detector.decide(detector.logits(pixels)) == ["fake"] * len(files)


def test_opening_and_judging_imports_no_framework(exported_run, test_rows, run_python):
    code = (
        "import sys; from kerasfaces import images\n"
        "from kerasfaces.serve.exported import ExportedDetector\n"
        f"detector = ExportedDetector.open({str(exported_run)!r})\n"
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


def test_near_an_edge_keras_decides_or_nobody(exported_run, test_rows):
    run = exported_run
    files, rows = test_rows
    logit = float(rows["logit"][0])
    set_threshold(run, logit + 2e-4)
    pixels = images.load_array(files[0], ExportedDetector.open(run).input_spec)[None]
    alone = ExportedDetector.open(run, keras=False)
    assert alone.near_an_edge(alone.logits(pixels)).all()
    assert alone.decide(alone.logits(pixels)) == ["unsure"]
    (answer,) = answer_all([pixels[0]], alone, Options.quick())
    assert (answer.verdict, "only Keras" in answer.doubt) == ("unsure", True)
    with_keras = ExportedDetector.open(run)
    given = with_keras.logits(pixels)
    assert with_keras.decide(given) == ["real"]
    np.testing.assert_allclose(given, [logit], atol=1e-6)
    set_threshold(run, -1.0, band=(logit + 2e-4, logit + 1))
    assert ExportedDetector.open(run, keras=False).decide(given) == ["unsure"]
    assert ExportedDetector.open(run).decide(given) == ["fake"]


def test_keras_is_asked_only_near_an_edge(exported_run, test_rows, monkeypatch):
    def fail(*_):
        raise AssertionError("Keras was asked")

    monkeypatch.setattr("kerasfaces.serve.reference.Reference.logits", fail)
    detector = ExportedDetector.open(exported_run)
    pixels = images.load_array(test_rows[0][0], detector.input_spec)[None]
    assert detector.decide(detector.logits(pixels)) == ["fake"]
    assert detector.decide(np.array([np.nan, np.inf, -5.0])) == ["unsure"] * 2 + [
        "real"
    ]


def test_the_export_is_made_once_and_again_for_another_network(run, caplog):
    caplog.set_level("INFO", "kerasfaces")
    file = run / "exports" / "onnx" / "model.onnx"
    first = ExportedDetector.open(run)
    assert (first.engine, first.name) == ("onnxruntime", "run")
    before = file.stat().st_mtime_ns
    assert ExportedDetector.open(run).version == first.version
    assert file.stat().st_mtime_ns == before
    assert caplog.text.count("as onnx, once") == 1
    other = read_json(run / "exports" / "onnx" / "export.json")
    other["source"]["sha256"] = "0" * 64
    write_json(run / "exports" / "onnx" / "export.json", other)
    ExportedDetector.open(run)
    assert file.stat().st_mtime_ns > before
    (run / "model.keras").unlink()  # an export is enough
    assert ExportedDetector.open(run).version == first.version


@pytest.mark.slow
def test_two_processes_make_it_at_once(run):
    code = (
        "import sys; from kerasfaces.serve.exported import ExportedDetector\n"
        "print(ExportedDetector.open(sys.argv[1]).engine)"
    )
    command = [sys.executable, "-c", code, str(run)]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [process.communicate(timeout=200)[0].strip() for process in started]
    assert answers == ["onnxruntime"] * 2
    assert sorted(os.listdir(run / "exports")) == [".lock", "onnx"]


def test_a_changed_export_is_refused(exported_run):
    run = exported_run
    golden = read_json(run / "exports" / "onnx" / "golden.json")
    golden["logits"][0] += 1
    write_json(run / "exports" / "onnx" / "golden.json", golden)
    with pytest.raises(RunError, match="not the file that was exported"):
        ExportedDetector.open(run)
    described = read_json(run / "exports" / "onnx" / "export.json")
    described["files"]["golden.json"] = sha256(run / "exports" / "onnx" / "golden.json")
    write_json(run / "exports" / "onnx" / "export.json", described)
    with pytest.raises(RunError, match="whose logit was"):
        ExportedDetector.open(run)


def test_where_no_export_can_be_had_keras_computes_and_that_is_said(
    run, test_rows, monkeypatch, caplog
):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("kerasfaces.serve.export.export", full)
    detector = ExportedDetector.open(run)
    assert detector.engine == "keras"
    assert "Keras computes, several times slower: [Errno 28] No space" in caplog.text
    files, rows = test_rows
    pixels = np.stack([detector.prepare(images.load(path)) for path in files])
    np.testing.assert_allclose(detector.logits(pixels), rows["logit"], atol=1e-6)
    with pytest.raises(OSError, match="No space"):
        ExportedDetector.open(run, engine="openvino")


def test_what_cannot_be_opened_is_one_sentence(run, tmp_path, monkeypatch):
    with pytest.raises(
        InputError, match="no engine 'tpu'; available: auto, onnxruntime"
    ):
        ExportedDetector.open(run, engine="tpu")
    with pytest.raises(MissingFileError, match="is no folder"):
        ExportedDetector.open(tmp_path / "nothing")
    (run / "model.keras").unlink()
    with pytest.raises(InputError, match="no export that this machine can use"):
        ExportedDetector.open(run)
    monkeypatch.setattr("kerasfaces.serve.engine_choice._has", lambda name: False)
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[export\]'"):
        ExportedDetector.open(run, engine="openvino")


def hide(monkeypatch, *names):
    """Let packages seem not to be installed."""
    there = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in names else there(name)
    )


def test_without_keras_its_engine_is_one_sentence(run, channel_run, monkeypatch):
    hide(monkeypatch, "keras", "tensorflow")
    for folder, engine in ((run, "keras"), (channel_run, "auto")):
        with pytest.raises(MissingExtraError, match="run: pip install keras tensorf"):
            ExportedDetector.open(folder, engine=engine)


@pytest.mark.parametrize("engine", ["auto", "onnxruntime"])
@pytest.mark.parametrize("missing", [[], ["keras"]])
def test_an_export_of_a_newer_version_stays(run, monkeypatch, engine, missing):
    file = run / "exports" / "onnx" / "export.json"
    write_json(file, {"layout": 99, "kerasfaces": "9.1"})
    content = file.read_bytes()
    hide(monkeypatch, *missing)
    with pytest.raises(RunError, match=r"layout 99, written by kerasfaces '9\.1'"):
        ExportedDetector.open(run, engine=engine)
    assert file.read_bytes() == content


def test_a_runtime_that_is_there_is_not_advised(run, monkeypatch):
    hide(monkeypatch, "keras")
    with pytest.raises(InputError, match=r"--format openvino\).* folder\.$"):
        ExportedDetector.open(run, engine="openvino")
    hide(monkeypatch, "keras", "onnxruntime", "openvino")
    with pytest.raises(InputError, match=r"--format onnx\).*pip install onnxruntime"):
        ExportedDetector.open(run)


def test_a_run_on_channels_is_judged_by_keras_and_that_is_said(
    channel_run, caplog, monkeypatch
):
    def channels(files, recipe, names):
        assert [file.suffix for file in files] == [".png"]
        keys = [str(n) for n in range(len(files))]
        return FileArrays(Arrays(images.load_array(files[0], spec)), keys, [""])

    class Arrays:
        def __init__(self, pixels):
            self.given = pixels

        def reader(self, keys):
            assert self.given.tobytes() == pixels.tobytes()
            return Reader(np.zeros((1, 32, 32, 5), np.float32))

    class Reader:
        def __init__(self, values):
            self.values = values

        def __len__(self):
            return 1

        def __call__(self, positions):
            return self.values[positions]

    monkeypatch.setattr("kerasfaces.run.inputs.channels_of", channels)
    detector = ExportedDetector.open(channel_run)
    assert detector.engine == "keras"
    assert "under the mask 'ellipse', which looks for a face" in caplog.text
    spec = detector.input_spec
    pixels = np.random.default_rng(0).integers(0, 256, spec.shape, np.uint8)
    assert np.isfinite(detector.logits(pixels[None])).all()
    with pytest.raises(InputError, match="give engine 'keras' or 'auto'"):
        ExportedDetector.open(channel_run, engine="onnxruntime")


def test_only_prepared_pixels_are_taken(detector):
    assert detector.logits(np.zeros((0, 32, 32, 3), np.uint8)).shape == (0,)
    for wrong in (np.zeros((1, 32, 32, 3)), np.zeros((1, 31, 32, 3), np.uint8)):
        with pytest.raises(InputError, match=r"uint8 of shape \(n, 32, 32, 3\)"):
            detector.logits(wrong)


@pytest.mark.slow
def test_keras_says_nothing_of_its_own_in_a_command(run, test_rows):
    words = [str(run), str(test_rows[0][0]), "--quick", "--engine", "keras"]
    done = subprocess.run(
        [sys.executable, "-m", "kerasfaces", "predict", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 3, 4)
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith("INFO: ") for line in lines), done.stderr
