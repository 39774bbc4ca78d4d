"""Round trips: official file layout, engines that agree, errors that name the file."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasfaces.core.errors import InputError, MissingFileError

torch = pytest.importorskip("torch")
from kerasfaces.generate.kinds import autoencoder  # noqa: E402

pytestmark = pytest.mark.torch
SHARED = Path(os.environ.get("KERASFACES_DATA", "../shared"))


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def _psnr_db(one, other):
    return 10 * np.log10(255**2 / np.mean((one - other.astype(float)) ** 2))


def test_the_one_that_is_shipped_restores_a_picture():
    down, across = np.mgrid[0:64, 0:64]
    scene = np.stack([2 * down + 60, 2 * across + 60, 190 - down - across], -1)
    scene[20:40, 24:44] = (220, 180, 150)
    scene = scene.astype(np.uint8)
    generator = autoencoder.build(autoencoder.Options())
    restored, again = (generator(scene, np.random.default_rng(0)) for _ in range(2))
    np.testing.assert_array_equal(restored, again)
    assert _psnr_db(restored, scene) > 28
    assert len(generator.recipe["weights"]) == 64


def test_engines_agree(small, picture):
    made = [
        autoencoder.build(autoencoder.Options(network=str(small), engine=engine))
        for engine in ("torch", "openvino")
    ]
    one, other = (each(picture, np.random.default_rng(0)) for each in made)
    assert one.shape == picture.shape
    assert one.dtype == np.float32
    assert one.min() >= 0
    assert one.max() <= 255
    np.testing.assert_allclose(one, other, atol=1e-3)
    assert made[0].recipe["encoder"] == made[1].recipe["encoder"]


def test_noise_is_drawn_from_the_pairs_own_generator(small, picture):
    noisy = autoencoder.build(autoencoder.Options(network=str(small), noise=0.5))
    one, same = (noisy(picture, np.random.default_rng(0)) for _ in range(2))
    other = noisy(picture, np.random.default_rng(1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0.1


def test_names():
    assert autoencoder.name(autoencoder.Options()) == "small_autoencoder"
    hub = autoencoder.Options(network="hf://someone/sd-vae-x@main")
    assert autoencoder.name(hub) == "sd-vae-x"
    noisy = autoencoder.Options(network="/x/taesd_encoder.pth", noise=0.1)
    assert autoencoder.name(noisy) == "taesd_noise0.1"


def test_files_that_are_missing_damaged_or_of_another_model(small, tmp_path):
    with pytest.raises(MissingFileError, match=r"taef2_encoder.pth.*madebyollin/taesd"):
        autoencoder.build(autoencoder.Options(network="taef2"))
    with pytest.raises(InputError, match=r"expected a file .* got 'x.pth'"):
        autoencoder.build(autoencoder.Options(network="x.pth"))
    with pytest.raises(InputError, match=r"expected small, taesd, .* got 'x'"):
        autoencoder.build(autoencoder.Options(network="x"))
    encoder = tmp_path / "cut_encoder.pth"
    encoder.write_bytes(small.read_bytes()[:1000])
    with pytest.raises(MissingFileError, match=r"cut_decoder.pth"):
        autoencoder.build(autoencoder.Options(network=str(encoder)))
    decoder = tmp_path / "cut_decoder.pth"
    decoder.write_bytes(small.with_name("small_decoder.pth").read_bytes())
    with pytest.raises(InputError, match="no complete torch checkpoint"):
        autoencoder.build(autoencoder.Options(network=str(encoder)))
    torch.save({"0.weight": torch.zeros(4, 3, 3, 3)}, encoder)
    with pytest.raises(InputError, match="no encoder and decoder of one TAESD model"):
        autoencoder.build(autoencoder.Options(network=str(encoder)))


@pytest.mark.slow
def test_taef2_restores_a_face():
    model = SHARED / "generators" / "taef2_encoder.pth"
    photos = SHARED / "data" / "faces" / "real" / "us_house"
    if not model.exists():
        pytest.skip("no generators here (KERASFACES_DATA)")
    path = min(photos.iterdir())
    with Image.open(path) as image:
        real = np.asarray(image.convert("RGB").crop((256, 256, 512, 512)))
    restored = autoencoder.build(autoencoder.Options(network=str(model)))(
        real, np.random.default_rng(0)
    )
    assert _psnr_db(restored, real) > 28
