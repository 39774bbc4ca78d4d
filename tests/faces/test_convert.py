import base64
import json

import numpy as np
import pytest

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import read_json, sha256
from kerasfaces.faces import blazeface, convert, graph_model

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
            lambda v: v["weightsManifest"][0]["weights"][0].update(dtype="uint8"),
            bytes(16),
            r"of type 'uint8'",
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
    ("change", "said"),
    [
        (
            lambda node: node.update(op="Eval"),
            r"'sum' \(Eval\): this operation is not known",
        ),
        (
            lambda node: node.update(
                op="Pad", attr={"padding": {"s": base64.b64encode(b"ODD").decode()}}
            ),
            r"is not",
        ),
        (lambda node: None, r"does not end in 896 places"),
    ],
)
def test_another_architecture_is_refused(tmp_path, change, said):
    pytest.importorskip("onnx")
    source = write(tmp_path, lambda value: change(value["modelTopology"]["node"][2]))
    with pytest.raises(InputError, match=said):
        convert.convert(source, tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    words = [str(tmp_path / "none.json"), "-o", str(tmp_path / "x.onnx")]
    assert convert.main(words) == 2
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
    convert.convert(source, tmp_path / "blazeface.onnx")
    assert (tmp_path / "blazeface.onnx").read_bytes() == blazeface.WEIGHTS.read_bytes()


@pytest.mark.slow
@pytest.mark.tf
def test_the_conversion_computes_what_tensorflow_does(faces_folder, tmp_path):
    """Against the same operations called one by one in TensorFlow."""
    source = faces_folder.parents[1] / "annotators" / "blazeface.json"
    if not source.exists():
        pytest.skip("no graph model here (KERASFACES_DATA)")
    from kerasfaces.core import rng

    pixels = rng.generator(0, "pixels").integers(0, 256, (2, 256, 256, 3), np.uint8)
    logits, places = blazeface._network()(pixels)
    expected = in_tensorflow(graph_model.read(source), pixels / 127.5 - 1)
    joined = [np.concatenate([expected[a], expected[b]], 1) for a, b in OUTPUTS]
    np.testing.assert_allclose(logits, joined[0][..., 0], atol=1e-3)
    np.testing.assert_allclose(places, joined[1], atol=2e-2)


OUTPUTS = (("Identity", "Identity_1"), ("Identity_2", "Identity_3"))


def in_tensorflow(model, pixels):
    import tensorflow as tf

    values = {"input": tf.constant(pixels, tf.float32), **model.constants}

    def option(node, key, kind):
        return [int(v) for v in node.attributes[key]["list"][kind]]

    for node in model.nodes[1:]:
        inputs = [values[name] for name in node.inputs]
        padding = node.attributes.get("padding", {}).get("s", "")
        padding = base64.b64decode(padding).decode()
        if node.op in ("_FusedConv2D", "DepthwiseConv2dNative"):
            strides = option(node, "strides", "i")
            fused = node.op == "_FusedConv2D"
            call = tf.nn.conv2d if fused else tf.nn.depthwise_conv2d
            result = call(*inputs[:2], strides=strides, padding=padding)
            ops = node.attributes.get("fused_ops", {}).get("list", {}).get("s", [])
            if ops:
                result = result + inputs[2]
            if len(ops) > 1:
                result = tf.nn.relu(result)
        elif node.op == "MaxPool":
            sizes = option(node, "ksize", "i"), option(node, "strides", "i")
            result = tf.nn.max_pool2d(inputs[0], *sizes, padding)
        elif node.op == "Reshape":
            result = tf.reshape(inputs[0], [-1, *map(int, inputs[1][1:])])
        else:
            calls = {"AddV2": tf.add, "Relu": tf.nn.relu, "Pad": tf.pad}
            result = calls.get(node.op, tf.identity)(*inputs)
        values[node.name] = result
    return {name: values[name].numpy() for pair in OUTPUTS for name in pair}
