import json

import numpy as np
import pytest

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.graphs import graph_model

MODEL = {
    "format": "graph-model",
    "modelTopology": {
        "node": [
            {"name": "input", "op": "Placeholder"},
            {"name": "w", "op": "Const"},
            {"name": "sum", "op": "AddV2", "input": ["input", "w"]},
        ]
    },
    "weightsManifest": [
        {
            "paths": ["model.bin"],
            "weights": [{"name": "w", "shape": [2, 2], "dtype": "float32"}],
        }
    ],
}


def write(folder, change=None, data=bytes(16)):
    value = json.loads(json.dumps(MODEL))
    if change:
        change(value)
    (folder / "model.bin").write_bytes(data)
    (folder / "model.json").write_text(json.dumps(value))
    return folder / "model.json"


def test_a_graph_model_is_read(tmp_path):
    data = np.arange(4, dtype="<f4").tobytes()
    model = graph_model.read(write(tmp_path, data=data))
    assert [node.op for node in model.nodes] == ["Placeholder", "AddV2"]
    assert model.nodes[1].inputs == ("input", "w")
    np.testing.assert_array_equal(model.constants["w"], [[0, 1], [2, 3]])


@pytest.mark.parametrize(
    ("change", "data", "said"),
    [
        (None, bytes(12), r"weights end at byte 12, in the middle of 'w'"),
        (None, bytes(20), r"expected 16 bytes of weights, got 20"),
        (lambda v: v.update(format="layers-model"), bytes(16), r"got 'layers-model'"),
        (lambda v: v.pop("modelTopology"), bytes(16), r"no graph model.*KeyError"),
        (
            lambda v: v["weightsManifest"][0]["weights"][0].update(dtype="complex64"),
            bytes(16),
            r"of type 'complex64'",
        ),
        (
            lambda v: v["weightsManifest"][0]["weights"][0].update(shape=[-2, 2]),
            bytes(16),
            r"has the shape \[-2, 2\]",
        ),
        (
            lambda v: v["weightsManifest"][0].update(weights=[3]),
            bytes(16),
            r"no graph model.*TypeError",
        ),
    ],
)
def test_a_broken_model_is_one_sentence(tmp_path, change, data, said):
    with pytest.raises(InputError, match=said):
        graph_model.read(write(tmp_path, change, data))


def test_weights_are_looked_for_beside_the_model_only(tmp_path):
    def escape(value):
        value["weightsManifest"][0]["paths"] = ["../../../etc/passwd"]

    with pytest.raises(MissingFileError, match=f"{tmp_path}/passwd cannot be read"):
        graph_model.read(write(tmp_path, escape))


@pytest.mark.parametrize(
    ("how", "data", "expected"),
    [
        ({"dtype": "float16"}, np.array([1, 2, 3, 0.5], "<f2"), [[1, 2], [3, 0.5]]),
        (
            {"dtype": "uint8", "scale": 0.5, "min": -1},
            np.array([0, 2, 4, 255], "u1"),
            [[-1, 0], [1, 126.5]],
        ),
    ],
)
def test_quantised_weights_become_float32(tmp_path, how, data, expected):
    def quantise(value):
        value["weightsManifest"][0]["weights"][0]["quantization"] = how

    weight = graph_model.read(write(tmp_path, quantise, data.tobytes())).constants["w"]
    assert weight.dtype == np.float32
    np.testing.assert_array_equal(weight, expected)


def test_nodes_are_brought_into_order(tmp_path):
    def reverse(value):
        value["modelTopology"]["node"].reverse()

    model = graph_model.read(write(tmp_path, reverse))
    assert [node.op for node in model.nodes] == ["Placeholder", "AddV2"]


def test_a_circle_is_one_sentence(tmp_path):
    def circle(value):
        value["modelTopology"]["node"][0]["input"] = ["sum"]

    with pytest.raises(InputError, match="in a circle"):
        graph_model.read(write(tmp_path, circle))
