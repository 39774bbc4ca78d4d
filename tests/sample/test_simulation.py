"""The parts of the simulation: people, cameras, generators."""

import numpy as np
import pytest

from kerasfaces.core.rng import generator
from kerasfaces.sample import camera, canvas
from kerasfaces.sample.decoders import DECODERS, decode
from kerasfaces.sample.person import draw_person
from kerasfaces.sample.scene import render

NAMES = sorted(DECODERS)


def grey(size: int, level: float = 0.3) -> np.ndarray:
    return np.full((size, size, 3), level, np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_scene_is_finite_light_of_twice_the_size(seed):
    scene = render(draw_person(generator(seed, "p")), 32, generator(seed, "s"))
    assert scene.shape == (64, 64, 3)
    assert scene.dtype == np.float32
    assert np.isfinite(scene).all()
    assert scene.min() >= 0
    assert scene.std() > 0.02


def test_a_camera_adds_noise_that_averages_to_the_scene():
    body = camera.camera(0, 1, 64)
    shot = camera.draw_shot(generator(0, "shot"))
    light = camera.through_lens(grey(128), body, shot)
    photos = [
        camera.capture(light, body, shot, 64, generator(0, "noise", take))
        for take in range(12)
    ]
    spread = np.std(photos, axis=0).mean()
    assert 0.001 < spread < 0.08
    assert np.std(np.mean(photos, axis=0)) < np.std(photos[0])


def test_cameras_differ_and_keep_their_pattern():
    first, again, other = (camera.camera(0, number, 64) for number in (0, 0, 1))
    np.testing.assert_array_equal(first.pattern, again.pattern)
    assert first.pattern.shape == (first.sensor_px, first.sensor_px)
    assert not np.array_equal(first.pattern[:8, :8], other.pattern[:8, :8])


@pytest.mark.parametrize("name", NAMES)
def test_up_sampling_doubles_and_keeps_the_mean(name):
    large = DECODERS[name].up(grey(16))
    assert large.shape == (32, 32, 3)
    np.testing.assert_allclose(large, 0.3, rtol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_decoding_keeps_the_picture_and_the_amount_of_detail(name):
    rng = generator(1, "picture")
    smooth = canvas.blur(rng.random((64, 64, 3)).astype(np.float32), 6)
    photo = smooth + 0.01 * rng.standard_normal(smooth.shape, np.float32)
    made = decode(photo, DECODERS[name], generator(1, "decoder"))
    assert np.abs(made - photo).mean() < 0.02
    detail = [np.std(image - canvas.blur(image, 1.0)) for image in (photo, made)]
    assert 0.8 < detail[1] / detail[0] < 1.2


def test_noise_has_unit_variance_and_the_asked_scale():
    fine, broad = (canvas.noise(generator(0, "n"), 200, cell) for cell in (1, 20))
    for image in (fine, broad):
        assert image.shape == (200, 200)
        assert 0.9 < image.std() < 1.1
    assert np.abs(np.diff(broad)).mean() < 0.2 * np.abs(np.diff(fine)).mean()


def test_painting_is_limited_to_the_mask():
    place = {"centre_x": 0.0, "centre_y": 0.0, "roll": 0.0, "scale": 0.5}
    picture = canvas.canvas(32, place)
    mask = picture.edge(picture.ellipse((0, 0), (0.5, 0.5)))
    picture.paint(mask, (1, 0.5, 0))
    picture.paint(np.zeros_like(mask), (1, 1, 1))
    np.testing.assert_array_equal(picture.image[mask == 0], 0)
    np.testing.assert_allclose(picture.image[16, 16], (1, 0.5, 0))
