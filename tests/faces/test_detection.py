import importlib.util
import shutil

import numpy as np
import pytest
from face_pictures import portrait, scene
from PIL import Image

from kerasfaces import faces
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError, MissingExtraError, RunError
from kerasfaces.faces import blazeface, detection, windows
from kerasfaces.graphs import session


def found(image):
    return faces.detect(np.asarray(image))


def test_a_face_has_its_box_and_landmarks_where_they_are():
    (face,) = found(portrait())
    left, top, right, bottom = face.box
    assert 0 <= left < right <= 160
    assert 0 <= top < bottom <= 160
    assert 0.5 <= face.score <= 1
    eye, other_eye, nose, mouth, ear, other_ear = face.landmarks
    assert ear[0] < eye[0] < nose[0] < other_eye[0] < other_ear[0]
    assert max(eye[1], other_eye[1]) < nose[1] < mouth[1] < bottom
    assert face.size_px == pytest.approx(min(right - left, bottom - top))


def test_the_answer_follows_the_picture_through_mirror_size_and_place():
    (face,) = found(portrait())
    mirrored = portrait().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    (other,) = found(mirrored)
    assert np.allclose(160 - other.box[2], face.box[0], atol=5)
    assert other.landmarks[0][0] == pytest.approx(160 - face.landmarks[1][0], abs=5)
    (large,) = found(portrait().resize((480, 480)))
    assert np.allclose(np.array(large.box) / 3, face.box, atol=3)
    (wide,) = found(scene((400, 160), [(200, 0, 160)]))
    assert np.allclose(np.array(wide.box) - (200, 0, 200, 0), face.box, atol=6)


def test_several_faces_come_largest_first():
    sides = [220, 160, 110]
    image = scene((900, 300), [(20, 20, 220), (300, 60, 160), (600, 90, 110)])
    several = found(image)
    assert len(several) == 3
    sizes = [face.size_px for face in several]
    assert sizes == sorted(sizes, reverse=True)
    for face, side, left in zip(several, sides, (20, 300, 600), strict=True):
        assert left < face.box[0] < face.box[2] < left + side


@pytest.mark.parametrize("side", [24, 48, 100])
def test_pictures_smaller_than_what_the_network_sees(side):
    (face,) = found(portrait().resize((side, side)))
    assert max(face.box) <= side


def test_a_small_face_in_a_large_photo():
    """Some 64 px of 3,000: 5 of the 256 that the network would see of the whole."""
    image = scene((3000, 2000), [(2210, 1330, 170)])
    (face,) = found(image)
    assert 55 < face.size_px < 80
    assert 2210 < face.box[0] < face.box[2] < 2380
    whole_only = windows.windows(2000, 3000)[:1]
    assert len(windows.windows(2000, 3000)) > 30
    view = windows.seen(Image.fromarray(image), whole_only[0])
    assert not len(blazeface.candidates(view[None], 0.5)[0][1])  # hence the windows


def test_the_main_face_is_the_largest_central_one():
    image = scene((900, 300), [(20, 10, 240), (370, 60, 180), (700, 90, 110)])
    assert faces.main_face(image).box[0] > 370
    assert faces.main_face(scene((900, 300), [(20, 10, 240)])).box[0] < 260
    assert faces.main_face(np.zeros((50, 60, 3), np.uint8)) is None


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (3000, 2), (96, 96), (700, 900), (1, 5000)]
)
def test_no_face_in_flat_pictures_and_noise(shape):
    assert found(np.full((*shape, 3), 90, np.uint8)) == ()
    noise = rng.generator(0, "noise").integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert found(noise) == ()


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((9, 9), np.uint8),
        np.zeros((9, 9, 4), np.uint8),
        np.zeros((9, 9, 3), np.float32),
        np.zeros((0, 9, 3), np.uint8),
    ],
)
def test_another_array_is_refused(array):
    with pytest.raises(InputError, match=r"expected uint8 of shape \(h, w, 3\), got"):
        faces.detect(array)


@pytest.mark.parametrize("size", [(256, 256), (4000, 3000), (600, 5000), (1500, 1500)])
def test_each_face_of_64_px_fits_whole_into_some_window(size):
    width, height = size
    views = windows.windows(height, width)
    for number in range(200):
        random = rng.generator(0, "place", number)
        side = random.uniform(64, min(width, height))
        left, top = random.uniform(0, (width - side, height - side))
        box = np.array([[(left, top), (left + side, top + side)]])
        assert any(
            detection._whole(box, view, size)[0]
            and side >= view.side / 10
            and left >= view.left
            and top >= view.top
            and left + side <= view.left + view.side
            and top + side <= view.top + view.side
            for view in views
        )


def test_the_runtimes_agree(monkeypatch):
    pytest.importorskip("openvino")
    pytest.importorskip("onnxruntime")
    pictures = np.stack([np.asarray(portrait(n).resize((256, 256))) for n in range(3)])
    names = ["logits", "places"]
    first = session._in_onnxruntime(blazeface._bytes(), names)(pictures)
    second = session._in_openvino(blazeface._bytes(), names)(pictures)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def test_without_a_runtime_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    blazeface._network.cache_clear()
    assert not faces.is_available()
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[faces\]'"):
        found(portrait())


def test_damaged_weights_are_refused(monkeypatch, tmp_path):
    for file in blazeface.WEIGHTS.parent.iterdir():
        shutil.copy(file, tmp_path)
    data = bytearray(blazeface.WEIGHTS.read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / blazeface.WEIGHTS.name).write_bytes(data)
    monkeypatch.setattr(blazeface, "WEIGHTS", tmp_path / blazeface.WEIGHTS.name)
    blazeface._network.cache_clear()
    with pytest.raises(RunError, match=r"damaged \(its SHA-256 differs\)"):
        found(portrait())


def test_finding_faces_imports_no_framework(run_python):
    code = (
        "import sys, numpy as np; from kerasfaces import faces;"
        "faces.detect(np.zeros((99, 99, 3), np.uint8));"
        "print([m for m in ('torch', 'tensorflow', 'keras', 'pandas', 'cv2')"
        " if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"
