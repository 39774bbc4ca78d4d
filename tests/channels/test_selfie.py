"""Mask `selfie`, by a small graph that takes what is redder than blue for a person."""

import dataclasses

import numpy as np
import pytest
from graph_models import ints, node, placeholder, save, text

from kerasfaces.channels.masks import _contract, selfie
from kerasfaces.core.errors import ImageError, InputError, MissingFileError
from kerasfaces.faces import Face
from kerasfaces.graphs import collection


@pytest.fixture
def weights(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    if not collection.session.is_available():
        pytest.skip("no runtime is installed")
    nodes = [
        placeholder(256),
        node(
            "red",
            "Conv2D",
            "input",
            "w",
            strides=ints(1, 1, 1, 1),
            padding=text("SAME"),
        ),
        node("activation_10", "Sigmoid", "red"),
    ]
    kernel = np.array([30, 0, -30], np.float32).reshape(1, 1, 3, 1)
    _, digests = save(tmp_path / "weights", "selfie", nodes, {"w": kernel})
    graph = dataclasses.replace(
        collection.GRAPHS["selfie"], json_sha256=digests[0], bin_sha256=digests[1]
    )
    monkeypatch.setitem(collection.GRAPHS, "selfie", graph)
    return str(tmp_path / "weights")


def picture():
    """A red person with shoulders on a blue wall, and the face."""
    points = ((80, 90), (120, 90), (100, 110), (100, 130), (65, 95), (135, 95))
    face = Face((70.0, 75.0, 130.0, 145.0), 0.9, points)
    person = _contract.ellipse((320, 200), face, 1.1, 1.5, 0.0)
    person[240:] = True
    return (
        np.where(person[..., None], (220, 150, 120), (40, 80, 200)).astype(np.uint8),
        face,
        person,
    )


def build(weights, **options):
    return selfie.build(selfie.Options(weights=weights, **options))


def test_the_head_is_kept_and_shoulders_are_not(weights):
    image, face, person = picture()
    mask = build(weights).compute(image, face)
    head = person.copy()
    head[240:] = False
    assert (mask & head).sum() / (mask | head).sum() > 0.9
    assert not mask[260:].any()


def test_the_person_has_shoulders(weights):
    image, face, person = picture()
    mask = build(weights, region="person").compute(image, face)
    assert (mask & person).sum() / (mask | person).sum() > 0.95


def test_a_mask_beside_the_face_is_no_mask(weights):
    image, face, _ = picture()
    with pytest.raises(ImageError, match=_contract.MISSED):
        build(weights).compute(image[:, :, ::-1], face)
    with pytest.raises(ImageError, match=_contract.NO_FACE):
        build(weights).compute(image, None)


def test_options_and_weights_are_checked(weights, tmp_path):
    with pytest.raises(InputError, match=r"min_share between 0 and 1, got 1\.0"):
        build(weights, min_share=1.0)
    with pytest.raises(MissingFileError, match=r"selfie\.json is not there"):
        build(str(tmp_path / "none"))


def test_the_graph_is_in_the_recipe(weights):
    mask = build(weights)
    assert mask.made_by["graph"] == collection.GRAPHS["selfie"].digest
