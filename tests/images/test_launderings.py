"""Launderings: shapes, order of strengths, and that the same call gives the same pixels."""

import numpy as np
import pytest
from PIL import Image

from kerasfaces.core import rng
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.images import launderings
from kerasfaces.images.launderings import LAUNDERINGS

SMALLER = {"resize", "crop", "screenshot", "thumbnail"}
CASES = [
    pytest.param(each, strength, id=f"{each.name}-{strength:g}")
    for each in LAUNDERINGS.values()
    for strength in each.strengths
]


def picture(height=180, width=150, number=0):
    """Smooth shapes, edges and grain: something that every laundering takes from."""
    random = rng.generator(0, "picture", number)
    y, x = np.mgrid[:height, :width]
    base = 120 + 60 * np.sin(x / 9) * np.cos(y / 13) + 40 * ((x // 20 + y // 20) % 2)
    colours = base[..., None] * random.uniform(0.7, 1.0, 3)
    noisy = colours + random.normal(0, 8, (height, width, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def psnr(a, b):
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


@pytest.mark.parametrize(("laundering", "strength"), CASES)
def test_pixels_come_out_and_the_input_stays(laundering, strength):
    image = picture()
    before = image.copy()
    out = laundering.apply(image, strength, "a")
    assert out.dtype == np.uint8
    assert out.shape[2] == 3
    if laundering.name in SMALLER:
        assert out.shape[0] <= 180
        assert out.shape[1] <= 150
    else:
        assert out.shape == image.shape
    assert not np.array_equal(out, image)
    assert np.array_equal(image, before)
    assert np.array_equal(out, laundering.apply(image, strength, "a"))
    out[0, 0] = 0  # the caller's own, writable array


@pytest.mark.parametrize(("laundering", "strength"), CASES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (7, 3)])
def test_tiny_pictures_survive(laundering, strength, shape):
    out = laundering.apply(picture(*shape), strength)
    assert min(out.shape) >= 1


@pytest.mark.parametrize("name", sorted(set(LAUNDERINGS) - {"crop", "thumbnail"}))
def test_stronger_costs_more(name):
    laundering, image = LAUNDERINGS[name], picture(256, 256)
    losses = []
    for strength in laundering.strengths:
        out = Image.fromarray(laundering.apply(image, strength))
        back = out.resize((256, 256), Image.Resampling.BICUBIC)
        losses.append(psnr(image, np.asarray(back)))
    assert losses == sorted(losses, reverse=True), losses
    assert losses[0] > losses[-1] + 1


@pytest.mark.parametrize(
    ("name", "sides"),
    [("crop", [570, 510, 420, 300]), ("thumbnail", [512, 320, 224, 128])],
)
def test_what_loses_area_loses_more_of_it(name, sides):
    image = picture(600, 400)
    outs = [
        LAUNDERINGS[name].apply(image, each) for each in LAUNDERINGS[name].strengths
    ]
    assert [out.shape[0] for out in outs] == sides


def test_a_thumbnail_never_enlarges():
    assert LAUNDERINGS["thumbnail"].apply(picture(90, 60), 512.0).shape == (90, 60, 3)


@pytest.mark.parametrize("name", ["noise", "crop"])
def test_the_key_decides_what_is_random(name):
    laundering, image = LAUNDERINGS[name], picture()
    strength = laundering.strengths[-1]
    a, again, b = (laundering.apply(image, strength, key) for key in "aab")
    assert np.array_equal(a, again)
    assert not np.array_equal(a, b)


def test_noise_has_its_deviation():
    grey = np.full((200, 200, 3), 128, np.uint8)
    for sigma in LAUNDERINGS["noise"].strengths:
        out = LAUNDERINGS["noise"].apply(grey, sigma, "n")
        assert np.std(out.astype(float)) == pytest.approx(sigma, rel=0.03)


def test_draws_are_of_all_and_within_range():
    generator = rng.generator(0, "draws")
    drawn = [launderings.draw(generator) for _ in range(600)]
    assert {name for name, _ in drawn} == set(LAUNDERINGS)
    image = picture(64, 64)
    for name, strength in drawn[:100]:
        launderings.get(name).apply(image, strength)
    qualities = [strength for name, strength in drawn if name == "jpeg"]
    assert min(qualities) < 45
    assert max(qualities) > 75
    assert all(quality == int(quality) for quality in qualities)


def test_mistakes_are_named():
    with pytest.raises(InputError, match=r"no laundering named 'jpg'.*Did you mean"):
        launderings.get("jpg")
    with pytest.raises(InputError, match=r"`jpeg`: expected a strength of 30\.\.90"):
        LAUNDERINGS["jpeg"].apply(picture(), 10.0)
    with pytest.raises(InputError, match=r"expected \(h, w, 3\) uint8"):
        LAUNDERINGS["jpeg"].apply(picture().astype(np.float32), 50.0)
    with pytest.raises(ImageError, match="webp failed"):
        LAUNDERINGS["webp"].apply(np.zeros((1, 17000, 3), np.uint8), 50.0)
