"""The command `export`: files that their own runtimes read, with Keras' logits."""

import errno
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from kerasfaces import images
from kerasfaces.cli.export import main
from kerasfaces.core import config as configs
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, LockedError, MissingExtraError, RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.serve import export, opening, parity

pytestmark = pytest.mark.tf
EXACT = [
    name
    for name in registry.names(export.PACKAGE)
    if not registry.load(export.PACKAGE, name).QUANTISED
]
LIGHT = "openvino"  # the quickest that is no folder of folders


def onnx(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    (given,) = session.get_inputs()
    assert given.name == "image"
    return lambda batch: session.run(None, {"image": batch})[0]


def litert(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path))

    def run(batch):
        (given,), (answer,) = (
            interpreter.get_input_details(),
            interpreter.get_output_details(),
        )
        interpreter.resize_tensor_input(given["index"], batch.shape, strict=True)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    return run


def openvino(path):
    import openvino

    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(path, "CPU", hint)
    return lambda batch: compiled(batch)[0]


def savedmodel(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    return lambda batch: (
        serve(image=tf.constant(batch))["logit"].numpy() + 0 * len(loaded.signatures)
    )


READERS = {"onnx": onnx, "litert": litert, "openvino": openvino}
READERS["savedmodel"] = savedmodel


def need(name):
    for module in registry.load(export.PACKAGE, name).MODULES:
        pytest.importorskip(module)


@pytest.fixture
def exported(run, capsys):
    def command(*words):
        assert main([str(run), *map(str, words)]) == 0
        return capsys.readouterr().out

    return command


@pytest.mark.parametrize("name", EXACT)
def test_another_runtime_gives_the_run_s_scores(name, run, test_rows, exported):
    need(name)
    told = exported("--format", name)
    folder = run / "exports" / name
    assert {path.name[0] for path in folder.parent.iterdir()} == {name[0]}
    file = folder / registry.load(export.PACKAGE, name).FILE
    assert told.splitlines()[0] == str(file)
    note = read_json(folder / "export.json")
    files, rows = test_rows
    spec = configs.from_dict(images.InputSpec, note["input_spec"]["input"], "")
    pixels = np.stack([images.load_array(path, spec) for path in files])
    assert note["input"]["shape"] == [None, *pixels.shape[1:]]
    moved = shutil.move(folder, run.parent / "elsewhere") / file.name
    logits = READERS[name](moved)
    batches = [pixels[:1], pixels[1:6], pixels[6:]]
    got = np.concatenate([logits(part.astype(np.float32)) for part in batches])[:, 0]
    np.testing.assert_allclose(got, rows["logit"], atol=1e-3)
    calibrator = note["operating_point"]["calibrator"]
    score = 1 / (1 + np.exp(-(calibrator["a"] * got + calibrator["b"])))
    np.testing.assert_allclose(score, rows["score"], atol=1e-3)
    assert max(note["parity"]["worst_by_batch"].values()) <= parity.LIMIT
    assert set(note["parity"]["worst_by_batch"]) == {"1", "5"}
    assert note["parity"]["on"] == "10 images of its test split"


def test_again_changes_nothing_and_damage_is_mended(run, exported):
    need(LIGHT)
    told = exported("--format", LIGHT)
    folder = run / "exports" / LIGHT
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert exported("--format", LIGHT) == told
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    content = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(content[:-4])
    assert exported("--format", LIGHT) == told
    assert (folder / "model.bin").read_bytes() == content
    (folder / "mine.txt").touch()
    with pytest.raises(RunError, match=r"mine\.txt.*which no export wrote"):
        exported("--format", LIGHT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda got: got + 0.01, "for a golden input"),
        (lambda got: got[:1], "gives 1 logits for 3 golden inputs"),
        (lambda got: got + 0.01 * (len(got) == 1), r"by .* with 1 at a time"),
        (lambda got: got * (np.nan if len(got) == 1 else 1), "from Keras' by nan"),
        (lambda got: got + 0.01 * (len(got) > 3), "with 5 at a time"),
        (lambda got: got[:3], r"gives logits of shape"),
        (lambda got: got.no_such_thing, "does not fit the format .*no_such_thing"),
    ],
)
def test_a_file_that_computes_something_else_is_not_kept(
    small_run, exported, monkeypatch, change, words
):
    form = _stand_in(monkeypatch)
    keras = _keras(small_run)
    _computes(monkeypatch, form, lambda inputs: change(keras(inputs)))
    with pytest.raises(RunError, match=f"cannot be exported as {LIGHT}: .*{words}"):
        exported("--format", LIGHT)
    assert list((small_run / "exports").iterdir()) == []


def test_without_test_images_random_ones_are_shown(
    small_run, exported, monkeypatch, caplog
):
    form = _stand_in(monkeypatch)
    _computes(monkeypatch, form, _keras(small_run))
    path = small_run / "manifest.csv"
    path.write_text(path.read_text().replace("/real/", "/gone/").replace("/fake/", "/"))
    assert "10 random images" in exported(
        "--format", LIGHT, "-o", small_run / "new" / "one"
    )
    assert "test images are not on this machine" in caplog.text
    assert (small_run / "new" / "one" / "export.json").is_file()


def test_channels_are_said_to_be_the_input(channel_run, monkeypatch, capsys, caplog):
    form = _stand_in(monkeypatch)
    seen, keras = [], _keras(channel_run)

    def logits(inputs):
        seen.append(inputs)
        return keras(inputs)

    def no_torch(*_):
        raise InputError("The channel stage: no torch.")

    _computes(monkeypatch, form, logits)
    monkeypatch.setattr("kerasfaces.channels.own_process.compute_as", no_torch)
    assert main([str(channel_run), "--format", LIGHT]) == 0
    assert "channel_recipe (kerasfaces channels), not photos" in capsys.readouterr().out
    assert "random images: The channel stage: no torch" in caplog.text
    note = read_json(channel_run / "exports" / LIGHT / "export.json")
    assert note["input"]["channels"] == list(
        read_json(channel_run / "input_spec.json")["channels"]
    )
    assert "channel_recipe" in note["input_spec"]
    assert {each.shape[1:] for each in seen} == {(32, 32, 5)}


def test_killed_while_writing_leaves_nothing_and_runs_again(tmp_path):
    code = (
        "import os, sys, pathlib; from kerasfaces.serve.export import replacing\n"
        "with replacing(pathlib.Path(sys.argv[1])) as part:\n"
        "    (part / 'model.onnx').write_text('half')\n"
        "    if sys.argv[2] == 'die': os.kill(os.getpid(), 9)\n"
        "    (part / 'model.onnx').write_text('whole')\n"
    )
    target = tmp_path / "exports" / "onnx"
    command = [sys.executable, "-c", code, str(target)]
    assert subprocess.run([*command, "die"], check=False).returncode == -signal.SIGKILL
    assert not target.exists()
    subprocess.run([*command, "live"], check=True)
    assert subprocess.run([*command, "die"], check=False).returncode == -signal.SIGKILL
    assert (target / "model.onnx").read_text() == "whole"
    subprocess.run([*command, "live"], check=True)
    assert os.listdir(target.parent) == ["onnx"]
    assert os.listdir(target) == ["model.onnx"]


def test_two_at_once_do_not_disturb_each_other(small_run, exported, monkeypatch):
    form = _stand_in(monkeypatch)
    keras = _keras(small_run)
    _computes(monkeypatch, form, keras)

    def write(traced, path):
        with pytest.raises(
            LockedError, match=r"another process .* writing this export"
        ):
            exported("--format", LIGHT)
        path.write_text("x")

    monkeypatch.setattr(form, "write", write)
    exported("--format", LIGHT)
    assert (small_run / "exports" / LIGHT / "model.xml").read_text() == "x"
    assert os.listdir(small_run / "exports") == [LIGHT]


def test_a_full_disk_is_said_and_leaves_what_was_there(
    small_run, exported, monkeypatch
):
    form = _stand_in(monkeypatch)
    keras = _keras(small_run)
    _computes(monkeypatch, form, keras)
    exported("--format", LIGHT)
    folder = small_run / "exports" / LIGHT
    (folder / "model.xml").write_text("damaged")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def full(traced, path):
        path.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(form, "write", full)
    with pytest.raises(OSError, match="No space left on device"):
        exported("--format", LIGHT)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert os.listdir(small_run / "exports") == [LIGHT]


@pytest.mark.slow
def test_the_command_killed_half_way_leaves_nothing_and_runs_again(run):
    need(LIGHT)
    code = (
        "import os, sys; from kerasfaces.serve.formats import openvino\n"
        "write = openvino.write\n"
        "def die(traced, path): write(traced, path); os.kill(os.getpid(), 9)\n"
        "if sys.argv[2] == 'die': openvino.write = die\n"
        "from kerasfaces.cli.export import main\n"
        "sys.exit(main([sys.argv[1], '--format', 'openvino']))\n"
    )
    command = [sys.executable, "-c", code, str(run)]
    done = subprocess.run([*command, "die"], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert not (run / "exports" / LIGHT).exists()
    subprocess.run([*command, "live"], check=True, capture_output=True)
    assert os.listdir(run / "exports") == [LIGHT]
    opening.open_export(run / "exports" / LIGHT)


def test_what_cannot_be_exported(run, exported, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[export\]'"):
        exported("--format", "openvino")
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="2"):  # a file
        exported("--format", "onnx", "-o", tmp_path / "file")
    (run / "ensemble.json").touch()
    with pytest.raises(InputError, match="is an ensemble, which has no network"):
        exported("--format", "onnx")


def test_a_damaged_run_is_not_the_format_s_fault(run, exported):
    need(LIGHT)
    spec = read_json(run / "input_spec.json")
    write_json(run / "input_spec.json", {"input": spec["input"]})
    content = (run / "manifest.csv").read_text()
    (run / "manifest.csv").write_text("")
    with pytest.raises(RunError, match=r"input_spec\.json has no value_range"):
        exported("--format", LIGHT)
    (run / "manifest.csv").write_text(content)
    (run / "model.keras").write_bytes(b"x")
    with pytest.raises(RunError, match=r"^\S*model\.keras is damaged"):
        exported("--format", LIGHT)
    (run / "exports" / LIGHT).mkdir(parents=True, exist_ok=True)
    (run / "exports" / LIGHT / "mine").touch()
    write_json(run / "exports" / LIGHT / "export.json", {"files": 5})
    with pytest.raises(RunError, match="'mine', which no export wrote"):
        exported("--format", LIGHT)


def test_a_baseline_is_no_network(run, exported):
    plugin = registry.load("kerasfaces.baselines.zoo", "hog_svm")
    config = {"train": configs.to_dict(plugin.CONFIG())}
    write_json(run / "config.json", config)
    with pytest.raises(InputError, match="hog_svm, which is no network"):
        exported("--format", "onnx")


def _stand_in(monkeypatch):
    """A format that writes quickly."""
    form = registry.load(export.PACKAGE, LIGHT)
    monkeypatch.setattr(form, "MODULES", ())
    monkeypatch.setattr(form, "RUNTIME", "numpy")
    monkeypatch.setattr(form, "write", lambda traced, path: path.write_text("x"))
    monkeypatch.setattr(form, "embed", lambda path, text: None)
    monkeypatch.setattr(form, "EMBEDS", False)
    return form


def _computes(monkeypatch, form, logits):
    """Let a format's files compute logits, and no final layer."""
    monkeypatch.setattr(form, "outputs", lambda path: lambda x: (logits(x), None))


def _keras(run):
    """Keras itself, in place of a runtime; loaded once."""
    from kerasfaces.features.engines import eagerly
    from kerasfaces.run.folder import DetectorRun

    model = DetectorRun(run).network.load()
    return lambda inputs: eagerly(model, inputs)
