import dataclasses

import numpy as np
import pytest

from kerasfaces.channels.kinds import mask as mask_channel
from kerasfaces.channels.masks import _contract, grabcut
from kerasfaces.core import registry, rng
from kerasfaces.core.errors import ImageError, InputError, MissingExtraError
from kerasfaces.faces import Face

MASKS = "kerasfaces.channels.masks"
WITH_FACES = ("ellipse", "grabcut")


def build(name, **options):
    module = registry.load(MASKS, name)
    return module.build(module.Options(**options))


def face_at(x, y, unit):
    """A frontal face: eyes `unit` apart, the mouth `unit` below them; (x, y) between."""
    half = unit / 2
    points = (
        *((x - half, y - half), (x + half, y - half)),
        *((x, y), (x, y + half)),
        *((x - unit, y - half), (x + unit, y - half)),
    )
    box = (x - unit, y - 1.3 * unit, x + unit, y + 1.3 * unit)
    return Face(box, 0.99, points)


def portrait(side, x, y, unit):
    """A skin-coloured head with dark eyes and mouth on a blue, noisy wall."""
    face = face_at(x, y, unit)
    shape = (side, side)
    head = _contract.ellipse(shape, face, 1.3, 1.7, -0.1)
    image = np.empty((*shape, 3), np.float64)
    image[:] = (60, 90, 160)
    image[head] = (205, 160, 130)
    rows, columns = np.mgrid[:side, :side]
    for px, py in face.inner:
        image[np.hypot(columns - px, rows - py) < unit / 6] = (80, 40, 40)
    image += rng.generator(0, "portrait").normal(0, 6, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), face, head


def overlap(a, b):
    return (a & b).sum() / (a | b).sum()


def test_names_are_the_files():
    assert registry.names(MASKS) == ["ellipse", "grabcut", "none", "sam", "selfie"]


def test_none_keeps_everything_and_asks_for_no_face():
    mask = build("none")
    assert not mask.needs_faces
    assert mask.compute(np.zeros((5, 7, 3), np.uint8), None).all()


@pytest.mark.parametrize("name", WITH_FACES)
def test_no_face_is_a_reason(name):
    mask = build(name)
    assert mask.needs_faces
    with pytest.raises(ImageError, match=r"^no face found$"):
        mask.compute(np.zeros((64, 64, 3), np.uint8), None)


@pytest.mark.parametrize("name", WITH_FACES)
def test_made_by_names_what_decides_the_mask(name):
    made = build(name).made_by
    assert made["faces"]["detector"] == "blazeface"
    assert ("opencv" in made) == (name == "grabcut")


@pytest.mark.parametrize(("side", "unit"), [(32, 6), (128, 25), (256, 50), (700, 130)])
def test_the_head_is_kept_at_any_size(side, unit):
    image, face, head = portrait(side, side / 2, side / 2, unit)
    cut = build("grabcut").compute(image, face)
    assert cut.dtype == bool
    assert overlap(cut, head) > (0.75 if side == 32 else 0.9)
    oval = build("ellipse").compute(image, face)
    assert overlap(oval, head) > 0.6
    assert 0.1 < oval.mean() < 0.5


@pytest.mark.parametrize("place", [(10, 64), (118, 64), (64, 14), (64, 118), (4, 4)])
@pytest.mark.parametrize("name", WITH_FACES)
def test_a_face_at_the_border(name, place):
    image, face, head = portrait(128, *place, 25)
    kept = build(name).compute(image, face)
    assert kept.shape == (128, 128)
    assert (kept & head).sum() > 0.5 * head.sum()


def test_greyscale():
    image, face, head = portrait(128, 64, 64, 25)
    grey = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert overlap(build("grabcut").compute(grey, face), head) > 0.85


def test_a_picture_that_is_not_square():
    image, face, head = portrait(128, 64, 64, 25)
    kept = build("grabcut", work_px=64).compute(image[:100], face)
    assert kept.shape == (100, 128)
    assert overlap(kept, head[:100]) > 0.85


def test_the_same_image_gives_the_same_mask():
    image, face, _ = portrait(128, 64, 64, 25)
    mask = build("grabcut")
    first = mask.compute(image, face)
    mask.compute(image[::-1], face)
    np.testing.assert_array_equal(mask.compute(image, face), first)


@pytest.mark.parametrize("name", WITH_FACES)
def test_a_face_outside_the_picture_is_missed(name):
    image, _, _ = portrait(128, 64, 64, 25)
    with pytest.raises(ImageError, match=r"^mask misses the face$"):
        build(name).compute(image, face_at(400, 400, 25))


def test_a_constant_picture_keeps_at_least_the_certain_part():
    face = face_at(64, 64, 25)
    kept = build("grabcut").compute(np.full((128, 128, 3), 90, np.uint8), face)
    assert _contract.covers(kept, face)


def test_landmarks_in_one_place_do_not_break_the_frame():
    face = dataclasses.replace(face_at(64, 64, 25), box=(60.0, 60.0, 68.0, 68.0))
    face = dataclasses.replace(face, landmarks=((64.0, 64.0),) * 6)
    middle, axis, unit = _contract.frame(face)
    assert middle.tolist() == [64, 64]
    assert axis.tolist() == [0, 1]
    assert unit == 1


def test_a_rolled_head_is_followed():
    face = face_at(64, 64, 25)
    turned = tuple((64 - (y - 64), 64 + (x - 64)) for x, y in face.landmarks)
    sideways = Face((40, 40, 90, 90), 1.0, turned)
    upright = _contract.ellipse((128, 128), face, 1.0, 1.5, -0.1)
    lying = _contract.ellipse((128, 128), sideways, 1.0, 1.5, -0.1)
    assert overlap(np.rot90(upright, -1), lying) > 0.95


def test_a_mask_of_one_eye_does_not_cover_the_face():
    face = face_at(64, 64, 25)
    mask = np.zeros((128, 128), bool)
    mask[45:58, 45:58] = True
    assert not _contract.covers(mask, face)
    points = face.inner.astype(int)
    mask[points[:, 1], points[:, 0]] = True  # all landmarks, hardly any of the box
    assert not _contract.covers(mask, face)
    assert _contract.covers(np.ones((128, 128), bool), face)


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("ellipse", {"half_width": 0.0}, r"above 0, got 0\.0"),
        ("grabcut", {"iterations": 0}, "iterations of 1 or more"),
        ("grabcut", {"work_px": 8}, "work_px of 32 or more"),
    ],
)
def test_options_out_of_range(name, options, match):
    with pytest.raises(InputError, match=match):
        build(name, **options)


def test_opencv_missing(monkeypatch):
    import importlib

    real = importlib.import_module

    def without(name, *rest):
        if name == "cv2":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(MissingExtraError, match=r"cv2 is not installed.*\[channels\]"):
        grabcut.build(grabcut.Options())


def test_the_channel_passes_the_mask_on():
    channel = mask_channel.build(mask_channel.Options())
    planes = rng.generator(0, "mask").integers(0, 2, (2, 4, 4, 1)).astype(np.float32)
    got = channel.compute(np.zeros((2, 4, 4, 3), np.uint8), {"mask": planes})
    np.testing.assert_array_equal(got, planes)
    assert channel.spec.names == ("mask",)
