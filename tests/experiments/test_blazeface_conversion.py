"""The converter of the detector's own weights."""

import numpy as np
import pytest
from graph_models import in_tensorflow, node, placeholder, save

from experiments.blazeface import __main__ as conversion
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json, sha256
from kerasfaces.faces import blazeface
from kerasfaces.graphs import graph_model

OUTPUTS = (("Identity", "Identity_1"), ("Identity_2", "Identity_3"))
WEIGHTS = {"w": np.ones((2, 2), np.float32)}


def test_another_architecture_is_refused(tmp_path):
    pytest.importorskip("onnx")
    nodes = [placeholder(256), node("sum", "AddV2", "input", "w")]
    source, _ = save(tmp_path, "model", nodes, WEIGHTS)
    with pytest.raises(InputError, match=r"does not end in logits, places"):
        conversion.convert(source, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    words = [str(tmp_path / "none.json"), "-o", str(tmp_path / "x.onnx")]
    assert conversion.main(words) == 2
    assert "none.json cannot be read" in capsys.readouterr().err


def test_the_shipped_weights_are_what_their_note_says():
    note = read_json(blazeface.WEIGHTS.with_suffix(".json"))
    assert note["sha256"] == sha256(blazeface.WEIGHTS)
    assert note["licence"].startswith("Apache-2.0")
    assert note["source"].startswith("github.com/google-ai-edge/mediapipe")
    assert note["bytes"] < 500_000


@pytest.mark.slow
def test_converting_again_gives_the_shipped_bytes(faces_folder, tmp_path):
    pytest.importorskip("onnx")
    source = faces_folder.parents[1] / "annotators" / "blazeface.json"
    if not source.exists():
        pytest.skip("no graph model here (KERASFACES_DATA)")
    conversion.convert(source, tmp_path / "blazeface.onnx")
    assert (tmp_path / "blazeface.onnx").read_bytes() == blazeface.WEIGHTS.read_bytes()


@pytest.mark.slow
@pytest.mark.tf
def test_the_conversion_computes_what_tensorflow_does(faces_folder, tmp_path):
    """Against the same operations called one by one in TensorFlow."""
    source = faces_folder.parents[1] / "annotators" / "blazeface.json"
    if not source.exists():
        pytest.skip("no graph model here (KERASFACES_DATA)")

    pixels = rng.generator(0, "pixels").integers(0, 256, (2, 256, 256, 3), np.uint8)
    logits, places = blazeface._network()(pixels)
    expected = in_tensorflow(graph_model.read(source), pixels / 127.5 - 1)
    joined = [np.concatenate([expected[a], expected[b]], 1) for a, b in OUTPUTS]
    np.testing.assert_allclose(logits, joined[0][..., 0], atol=1e-3)
    np.testing.assert_allclose(places, joined[1], atol=2e-2)
