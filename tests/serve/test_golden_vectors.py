"""Golden vectors: what an export must give, and what is refused when it does not."""

import json
import shutil

import numpy as np
import pytest

from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json, sha256, write_json
from kerasfaces.serve import export, golden, opening
from kerasfaces.serve.formats import PACKAGE

NAMES = registry.names(PACKAGE)
ZEROS, FULL = np.zeros(3), np.full(3, 255.0)


def made(logits=(0.5, -2.0, 30.0)):
    levels = golden.draw((32, 32, 3))
    return golden.Golden(levels, ZEROS, FULL, np.array(logits), 1e-3)


def test_drawn_inputs_are_pixels_and_the_same_everywhere():
    levels = golden.draw((70, 65, 3))
    assert levels.shape == (3, 70, 65, 3)
    assert levels.dtype == np.uint8
    np.testing.assert_array_equal(levels, golden.draw((70, 65, 3)))
    np.testing.assert_array_equal(golden.to_values(levels, ZEROS, FULL), levels)
    assert len({int(each.sum()) for each in levels}) == 3


def test_json_gives_them_back_and_channels_have_their_own_limits():
    low, high = np.array([-3.0, 0.0]), np.array([3.0, 14.75])
    levels = golden.draw((16, 8, 2))
    before = golden.Golden(levels, low, high, np.array([1.0, 2.0, 3.0]), 0.25)
    after = golden.Golden.from_json(json.loads(json.dumps(before.to_json())), "x")
    for name in ("levels", "low", "high", "logits", "limit"):
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert after.inputs.dtype == np.float32
    assert after.inputs[..., 0].min() >= -3
    assert 10 < after.inputs[..., 1].max() <= 14.75


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [3, 32, 32]},
        {"shape": [3, 32, 31, 3]},
        {"shape": [10**6, 10**6, 10**6, 3]},
        {"levels": "no base 64!"},
        {"levels": "aGVsbG8="},
        {"logits": [1.0, float("nan"), 2.0]},
        {"logits": [1.0]},
        {"low": [0.0]},
        {"limit": 0},
        {"limit": 1e9},
        {"limit": None},
    ],
)
def test_damaged_vectors_are_refused(change):
    with pytest.raises(RunError, match=r"^here is no golden\.json of an export \("):
        golden.Golden.from_json(made().to_json() | change, "here")
    with pytest.raises(RunError, match="export the run again"):
        golden.Golden.from_json("text", "here")


def test_other_logits_are_refused():
    def require(*logits):
        golden.require(lambda inputs: (np.array(logits)[:, None], None), made(), "x")

    require(0.5004, -2.001, 30.02)
    with pytest.raises(
        RunError, match=r"gives 30\.0400 .* was 30\.0000 .*limit 0\.001"
    ):
        require(0.5, -2, 30.04)
    with pytest.raises(RunError, match="gives nan for a golden input"):
        require(np.nan, -2, 30)
    with pytest.raises(RunError, match="gives 1 logits for 3"):
        require(0.5)


@pytest.fixture(scope="module")
def exports(trained, tmp_path_factory):
    """Folders that `kerasfaces export` wrote, by format."""
    run = shutil.copytree(trained, tmp_path_factory.mktemp("golden") / "run")
    written = {}

    def folder(name):
        for module in registry.load(PACKAGE, name).MODULES:
            pytest.importorskip(module)
        if name not in written:
            export.export(run, name)
            written[name] = run / "exports" / name
        return written[name]

    return folder


@pytest.fixture
def exported(exports, tmp_path):
    """Copies of them that a test may change."""
    return lambda name: shutil.copytree(exports(name), tmp_path / name)


@pytest.mark.tf
@pytest.mark.parametrize("name", NAMES)
def test_an_export_opens_by_its_folder_its_file_and_alone(name, exported, tmp_path):
    folder = exported(name)
    file = folder / registry.load(PACKAGE, name).FILE
    whole, by_file = opening.open_export(folder), opening.open_export(file)
    (folder / opening.DESCRIPTION).unlink()
    (folder / golden.FILE).unlink()
    alone = opening.open_export(file)
    for each in (whole, by_file, alone):
        assert each.content["input_spec"]["input"]["size_px"] == 32
        assert 0 < each.content["operating_point"]["threshold"] < 1
        assert len(each.golden.logits) == 3
        assert each.logits(each.golden.inputs[:2]).shape == (2, 1)
    if not registry.load(PACKAGE, name).QUANTISED:  # this detector tells little apart
        assert np.ptp(whole.golden.logits) > 1e-5
    assert "golden" not in alone.content


@pytest.mark.tf
@pytest.mark.parametrize("name", NAMES)
def test_another_network_under_the_same_name_is_refused(name, exported):
    folder = exported(name)
    vectors = read_json(folder / golden.FILE)
    vectors["logits"][1] += 0.1
    write_json(folder / golden.FILE, vectors)
    with pytest.raises(
        RunError, match=r"golden\.json is not the file that was exported"
    ):
        opening.open_export(folder)
    note = read_json(folder / opening.DESCRIPTION)
    note["files"][golden.FILE] = sha256(folder / golden.FILE)
    write_json(folder / opening.DESCRIPTION, note)
    with pytest.raises(RunError, match="for a golden input whose logit was"):
        opening.open_export(folder)


@pytest.mark.tf
def test_what_is_no_sound_export(exported, tmp_path):
    folder = exported("onnx")
    file = folder / "model.onnx"
    note = read_json(folder / opening.DESCRIPTION)
    whole = file.read_bytes()

    def refused(match, error=RunError, path=folder, **changes):
        write_json(folder / opening.DESCRIPTION, note | changes)
        with pytest.raises(error, match=match):
            opening.open_export(path)

    refused("written by an older version, without golden", layout=None)
    refused("layout 99, written by kerasfaces .* install the newer", layout=99)
    refused("describes no export", format=5)
    refused("There is no format named 'onxx'.*onnx", InputError, format="onxx")
    refused("does not list its files", files=None)
    refused(r"gone\.bin is missing", files={**note["files"], "gone.bin": "0"})
    refused(r"golden\.json is not the network", InputError, folder / golden.FILE)
    file.write_bytes(whole[:-100])
    refused(r"model\.onnx is not the file that was exported")
    digest = {**note["files"], "model.onnx": sha256(file)}
    refused("onnxruntime cannot run .*model.onnx", files=digest)
    (folder / opening.DESCRIPTION).unlink()
    with pytest.raises(RunError, match=r"model\.onnx cannot be read"):
        opening.open_export(file)
    (tmp_path / "other.txt").touch()
    for path in (tmp_path / "other.txt", tmp_path, tmp_path / "none.onnx"):
        with pytest.raises(InputError, match="is no export of kerasfaces"):
            opening.open_export(path)


@pytest.mark.tf
def test_opening_needs_no_framework(exports, run_python):
    folder = exports("onnx")
    told = run_python(
        "import sys, pathlib; from kerasfaces.serve import opening\n"
        f"export = opening.open_export(pathlib.Path({str(folder)!r}))\n"
        "print(len(export.golden.logits), sorted({'tensorflow', 'keras', 'pandas', 'onnx', "
        "'scipy', 'PIL'} & set(sys.modules)))"
    )
    assert told.strip() == "3 []"


def test_what_serving_imports_needs_no_pandas(run_python):
    told = run_python(
        "import sys; from kerasfaces.serve import export, opening\n"
        "from kerasfaces.serve.publish import fetch\n"
        "print(sorted({'tensorflow', 'keras', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    assert told.strip() == "[]"
