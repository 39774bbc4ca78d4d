"""Landmarks by small graphs, and on real faces by the published ones."""

import dataclasses

import numpy as np
import pytest
from face_pictures import portrait
from graph_models import node, placeholder, save, texts

from kerasfaces.annotate.annotators import facemesh
from kerasfaces.annotate.contract import Weights
from kerasfaces.core.errors import ImageError
from kerasfaces.faces import main_face
from kerasfaces.graphs import collection


def constant(folder, name, side, outputs):
    """A graph whose outputs do not depend on the picture."""
    nodes = [placeholder(side), node("mean", "Mean", "input", "axes")]
    weights = {"axes": np.array([1, 2], np.int32)}
    for end, values in outputs.items():
        weights[f"{end}/w"] = np.zeros((3, len(values)), np.float32)
        weights[f"{end}/b"] = np.asarray(values, np.float32)
        inputs = "mean", f"{end}/w", f"{end}/b"
        nodes.append(
            node(f"{end}/d", "_FusedMatMul", *inputs, fused_ops=texts("BiasAdd"))
        )
        nodes.append(node(end, "Identity", f"{end}/d"))
    _, digests = save(folder, name, nodes, weights)
    ends = {
        key: (end, (len(outputs[end]),))
        for key, (end, _) in collection.GRAPHS[name].outputs.items()
    }
    return dataclasses.replace(
        collection.GRAPHS[name],
        json_sha256=digests[0],
        bin_sha256=digests[1],
        outputs=ends,
    )


def annotator(folder, monkeypatch, score):
    pytest.importorskip("onnx")
    if not collection.session.is_available():
        pytest.skip("no runtime is installed")
    mesh = np.full((468, 3), 96.0)
    mesh[33], mesh[133] = (60, 80, 0), (80, 80, 0)
    mesh[362], mesh[263] = (112, 80, 0), (132, 80, 0)
    eye = np.full((76, 3), 32.0)
    graphs = {
        "facemesh": (192, {"Identity_2": mesh.ravel(), "Identity_1": [score]}),
        "iris": (64, {"Identity": eye.ravel()}),
    }
    for name, (side, outputs) in graphs.items():
        graph = constant(folder, name, side, outputs)
        monkeypatch.setitem(collection.GRAPHS, name, graph)
    return facemesh.build(Weights(folder=folder))


def test_points_of_both_networks_are_in_the_picture(tmp_path, monkeypatch):
    image = np.asarray(portrait(0, 256))
    face = main_face(image)
    points = annotator(tmp_path, monkeypatch, 1.0).compute(image, face)
    points = points.reshape(facemesh.LANDMARKS)
    left, top, right, bottom = face.box
    middle = (left + right) / 2, (top + bottom) / 2
    np.testing.assert_allclose(points[0, :2], middle, atol=0.01)
    for iris, corners in ((468, (33, 133)), (473, (362, 263))):
        np.testing.assert_allclose(
            points[iris, :2], points[list(corners), :2].mean(axis=0), atol=0.01
        )


def test_where_the_network_sees_no_face_there_are_no_points(tmp_path, monkeypatch):
    image = np.asarray(portrait(0, 256))
    with pytest.raises(ImageError, match="sees no face"):
        annotator(tmp_path, monkeypatch, 0.1).compute(image, main_face(image))


@pytest.mark.slow
def test_landmarks_of_real_faces_agree(faces_folder):
    """Eyes, nose and irises are where the detector of faces has them."""
    from kerasfaces import images

    folder = faces_folder.parents[1] / "annotators"
    if not (folder / "iris.json").exists():
        pytest.skip("no graph model here (KERASFACES_DATA)")
    published = facemesh.build(Weights(folder=folder))
    offsets = []
    for file in sorted((faces_folder / "real" / "ffhq").glob("*.jpg"))[:12]:
        image = np.asarray(images.load(file))
        face = main_face(image)
        points = published.compute(image, face).reshape(facemesh.LANDMARKS)[:, :2]
        eyes = np.array(face.landmarks[:2])
        unit = np.hypot(*(eyes[1] - eyes[0]))
        pairs = [(points[468], eyes[0]), (points[473], eyes[1])]
        pairs.append((points[1], np.array(face.landmarks[2])))
        offsets.append([np.hypot(*(a - b)) / unit for a, b in pairs])
    assert np.median(offsets, axis=0).max() < 0.12
