"""Graph models -> ONNX: the same numbers as TensorFlow's, and what is refused."""

import base64

import numpy as np
import pytest
from file_server import serving
from graph_models import (
    classifier,
    in_tensorflow,
    ints,
    node,
    placeholder,
    save,
    text,
    texts,
)

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.graphs import collection, graph_model, session
from kerasfaces.graphs.writer import GraphWriter

ONE = {"w": np.ones((1, 1, 3, 2), np.float32), "size": np.array([8, 8], np.int32)}


def refused(tmp_path, *nodes):
    source, _ = save(tmp_path, "model", [placeholder(4), *nodes], ONE)
    writer = GraphWriter(graph_model.read(source), source, "annotate")
    with pytest.raises(InputError) as caught:
        writer.read_graph(1.0, 0.0)
    return str(caught.value)


@pytest.mark.parametrize(
    ("op", "attributes", "said"),
    [
        ("Eval", {}, "this operation is not known here"),
        ("Conv2D", {"strides": ints(1, 1, 1, 1)}, "KeyError: 'padding'"),
        (
            "Conv2D",
            {"strides": ints(1, 1, 1, 1), "padding": text("ODD")},
            "its padding is 'ODD'",
        ),
        (
            "Conv2D",
            {"fused_ops": {"list": {"s": [base64.b64encode(b"Elu").decode()]}}},
            r"it has ['Elu'] fused to it",
        ),
    ],
)
def test_what_cannot_be_converted_is_named(tmp_path, op, attributes, said):
    pytest.importorskip("onnx")
    words = refused(tmp_path, node("x", op, "input", "w", **attributes))
    assert f"node 'x' ({op}): {said}" in words


def test_a_graph_that_aligns_corners_is_refused(tmp_path):
    pytest.importorskip("onnx")
    odd = node("x", "ResizeBilinear", "input", "size", align_corners={"b": True})
    assert "it aligns corners" in refused(tmp_path, odd)


def test_a_file_without_a_placeholder_is_refused(tmp_path):
    pytest.importorskip("onnx")
    source, _ = save(tmp_path, "model", [node("x", "Relu", "w")], ONE)
    writer = GraphWriter(graph_model.read(source), source, "annotate")
    with pytest.raises(InputError, match="the first node is no Placeholder"):
        writer.read_graph(1.0, 0.0)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A graph of the collection that classifies by mean colour, and its folder."""
    pytest.importorskip("onnx")
    folder = tmp_path / "weights"
    _, (json_sha256, bin_sha256) = classifier(folder, "tiny", 8, 3, {"end": 4})
    graph = collection.PublishedGraph(
        name="tiny",
        json_sha256=json_sha256,
        bin_sha256=bin_sha256,
        outputs={"classes": ("end", (4,))},
        source="these tests",
        licence="none",
    )
    monkeypatch.setitem(collection.GRAPHS, "tiny", graph)
    return folder


def test_a_graph_is_converted_once_and_runs(tiny):
    if not session.is_available():
        pytest.skip("no runtime is installed")
    path = collection.find("tiny", tiny)
    pixels = rng.generator(0, "pixels").integers(0, 256, (3, 8, 8, 3), np.uint8)
    (classes,) = collection.open_graph(path, "tiny")(pixels)
    model = graph_model.read(tiny / "tiny.json")
    mean = (pixels / 255).mean(axis=(1, 2))
    logits = mean @ model.constants["end/w"] + model.constants["end/b"]
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(classes, expected, atol=1e-5)
    (tiny / "tiny.bin").unlink()
    assert collection.find("tiny", tiny) == path  # the cache has it


def test_missing_weights_are_one_sentence(tiny, tmp_path):
    with pytest.raises(
        MissingFileError, match=r"tiny\.json is not there.*download=True"
    ):
        collection.find("tiny", tmp_path / "empty")


def test_weights_of_another_version_are_refused(tiny):
    with (tiny / "tiny.bin").open("ab") as file:
        file.write(b"0")
    with pytest.raises(InputError, match=r"tiny\.bin is another version"):
        collection.find("tiny", tiny)


def test_a_download_is_checked_and_kept(tiny, monkeypatch, tmp_path):
    """By pooch from a server of the test's own."""
    pytest.importorskip("pooch")
    with serving(tiny) as address:
        monkeypatch.setattr(collection, "_ADDRESS", address)
        path = collection.find("tiny", tmp_path / "empty", download=True)
    assert path.is_file()
    assert (path.parent / "tiny.json").read_bytes() == (tiny / "tiny.json").read_bytes()


def test_a_wrong_download_is_one_sentence(tiny, monkeypatch, tmp_path):
    pytest.importorskip("pooch")
    (tiny / "tiny.bin").write_bytes(b"something else")
    with serving(tiny) as address:
        monkeypatch.setattr(collection, "_ADDRESS", address)
        with pytest.raises(MissingFileError, match=r"could not be downloaded.*hash"):
            collection.find("tiny", tmp_path / "empty", download=True)


def test_without_internet_the_address_is_said(tiny, monkeypatch, tmp_path):
    pytest.importorskip("pooch")
    monkeypatch.setattr(collection, "_ADDRESS", "http://127.0.0.1:9/models")
    with pytest.raises(MissingFileError, match=r"Get it from http://127\.0\.0\.1:9"):
        collection.find("tiny", tmp_path / "empty", download=True)


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("name", list(collection.GRAPHS))
def test_a_published_graph_computes_what_tensorflow_does(faces_folder, name):
    folder = faces_folder.parents[1] / "annotators"
    if not (folder / f"{name}.json").exists():
        pytest.skip("no graph model here (KERASFACES_DATA)")
    graph, model = collection.GRAPHS[name], graph_model.read(folder / f"{name}.json")
    sizes = model.nodes[0].attributes["shape"]["shape"]["dim"][1:]
    shape = [int(size["size"]) for size in sizes]
    random = rng.generator(0, "pixels", name)
    pixels = random.integers(0, 256, (2, *shape), np.uint8)
    values = in_tensorflow(model, pixels / graph.divisor - graph.offset)
    answers = collection.open_graph(collection.find(name, folder), name)(pixels)
    for answer, (end, _) in zip(answers, graph.outputs.values(), strict=True):
        expected = values[end]
        if expected.ndim == 4:
            expected = expected.transpose(0, 3, 1, 2)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(answer, expected, atol=1e-4 * scale)


@pytest.mark.slow
@pytest.mark.tf
def test_every_operation_computes_what_tensorflow_does(tmp_path):
    """A small graph with each of them; needs no published file."""
    pytest.importorskip("onnx")
    if not session.is_available():
        pytest.skip("no runtime is installed")
    random = rng.generator(0, "operations")

    def floats(*shape):
        return random.normal(0, 0.5, shape).astype(np.float32)

    one, two = ints(1, 1, 1, 1), ints(1, 2, 2, 1)
    same, valid = text("SAME"), text("VALID")
    weights = {
        "k": floats(3, 3, 3, 4),
        "b": floats(4),
        "slope": np.abs(floats(1, 1, 4)),
        "d": floats(3, 3, 4, 1),
        "scale": floats(4),
        "pads": np.array([[0, 0], [0, 0], [0, 0], [0, 2]], np.int32),
        "size": np.array([12, 12], np.int32),
        "up": floats(2, 2, 3, 6),
        "wanted": np.array([1, 24, 24, 3], np.int32),
        "axis": np.array(3, np.int32),
        "rows": np.array([-1, 6 * 6 * 6], np.int32),
        "m": floats(216, 5),
        "n": floats(5),
        "axes": np.array([1, 2], np.int32),
    }
    prelu, relu = texts("BiasAdd", "Prelu"), texts("BiasAdd", "Relu")
    nodes = [
        placeholder(12),
        node(
            "c",
            "_FusedConv2D",
            *("input", "k", "b", "slope"),
            strides=two,
            padding=same,
            fused_ops=prelu,
        ),
        node("dw", "DepthwiseConv2dNative", "c", "d", strides=one, padding=same),
        node("mul", "Mul", "dw", "scale"),
        node("p", "Prelu", "mul", "slope"),
        node("six", "Relu6", "p"),
        node("pad", "Pad", "six", "pads"),
        node("pool", "MaxPool", "pad", ksize=two, strides=one, padding=same),
        node("sum", "AddN", "pool", "pad"),
        node(
            "gate", "AvgPool", "sum", ksize=ints(1, 6, 6, 1), strides=one, padding=valid
        ),
        node("sigmoid", "Sigmoid", "gate"),
        node("gated", "Mul", "sum", "sigmoid"),
        node(
            "large", "ResizeBilinear", "gated", "size", half_pixel_centers={"b": True}
        ),
        node(
            "up24",
            "Conv2DBackpropInput",
            *("wanted", "up", "large"),
            strides=two,
            padding=same,
        ),
        node("both", "ConcatV2", "gated", "gated", "axis"),
        node("flat", "Reshape", "gated", "rows"),
        node("dense", "_FusedMatMul", "flat", "m", "n", fused_ops=relu),
        node("soft", "Softmax", "dense"),
        node("top", "Max", "both", "axes"),
    ]
    source, _ = save(tmp_path, "model", nodes, weights)
    model = graph_model.read(source)
    writer = GraphWriter(model, source, "annotate")
    writer.read_graph(255.0, 0.5)
    ends = {"up24": (3, 24, 24), "soft": (5,), "top": (12,)}
    data = writer.serialised("model", (12, 12, 3), ends)
    pixels = random.integers(0, 256, (3, 12, 12, 3), np.uint8)
    answers = session.open_graph(data, list(ends), "a graph", "missing")(pixels)
    expected = in_tensorflow(model, pixels / 255 - 0.5)
    for answer, end in zip(answers, ends, strict=True):
        values = expected[end]
        values = values.transpose(0, 3, 1, 2) if values.ndim == 4 else values
        np.testing.assert_allclose(answer, values, atol=1e-4)
