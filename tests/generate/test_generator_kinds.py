"""What every kind of generator promises; those with weights get small random ones."""

import contextlib
import dataclasses

import image_service
import numpy as np
import pytest
from PIL import Image

from kerasfaces.core import registry, rng
from kerasfaces.generate.config import KINDS

pytestmark = pytest.mark.torch


@pytest.fixture(params=registry.names(KINDS))
def kind(request):
    return registry.load(KINDS, request.param)


def test_options_are_plain_and_name_the_fakes(kind):
    options = kind.Options()
    assert dataclasses.is_dataclass(options)
    assert options.__dataclass_params__.frozen
    assert kind.name(options)


@pytest.fixture
def opened():
    """What is closed after the test."""
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture
def options(kind, request):
    """Options that need no weights from elsewhere."""
    name = kind.__name__.rpartition(".")[2]
    if name == "autoencoder":
        small = str(request.getfixturevalue("small"))
        return kind.Options(
            network=small, engine="torch"
        )  # OpenVINO compiles for seconds
    if name == "diffuse":
        folder = request.getfixturevalue("pipeline")
        return kind.Options(network=str(folder), steps=4, strength=0.5)
    if name in ("dreambooth", "lora"):
        pytest.importorskip("peft")
        small_training = {"resolution_px": 16, "steps": 1, "n_class": 1, "n_photos": 1}
        folder = request.getfixturevalue("pipeline")
        return kind.Options(network=str(folder), sample_steps=1, **small_training)
    if name == "openai":
        pytest.importorskip("openai")
        request.getfixturevalue("monkeypatch").setenv("OPENAI_API_KEY", "of nobody")
        stub = image_service.serve([image_service.picture(256)])
        address, _ = request.getfixturevalue("opened").enter_context(stub)
        return kind.Options(base_url=address, side_px=256, per_minute=1e6)
    return kind.Options()


def test_a_fake_is_a_picture_of_the_same_size_and_repeats(kind, options, tmp_path):
    generator = kind.build(options)
    if hasattr(generator, "use_folder"):
        generator.use_folder(tmp_path)
    if hasattr(generator, "train"):
        Image.new("RGB", (32, 32), "grey").save(tmp_path / "photo.png")
        generator.train([tmp_path / "photo.png"])
    side = generator.stride_px * (1 if generator.stride_px > 64 else 4)
    real = rng.generator(0, "real").integers(0, 256, (side, side, 3), np.uint8)
    fake, again = (generator(real, rng.generator(1, "fake")) for _ in range(2))
    assert fake.shape == real.shape
    assert fake.dtype == np.float32
    np.testing.assert_array_equal(fake, again)
    assert np.isfinite(fake).all()
