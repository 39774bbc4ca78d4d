"""The autoencoder's photos, its training that continues, and what is measured."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from experiments.autoencoder import portraits, round_trips, training  # noqa: E402
from experiments.framework.shipping import ship  # noqa: E402
from kerasfaces.core.errors import (  # noqa: E402
    InputError,
    MissingFileError,
    RunError,
)
from kerasfaces.generate.networks import autoencoders  # noqa: E402

pytestmark = pytest.mark.torch
RECIPE = portraits.Recipe(
    shrinks=(1.0,), held_out=2, sample_share=0.0, crop_px=16, center_px=32
)
PLAN = training.Plan(
    widths=(4, 4, 4), blocks=(1, 1), latent=2, steps=4, batch=2, save_every=2
)


@pytest.fixture
def photos(tmp_path):
    for number in range(6):
        name = portraits.FOLDERS[number % 2]
        folder = tmp_path / "root" / portraits.FACES / name
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (40, 48, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")
    return portraits.load(tmp_path / "root", RECIPE, tmp_path / "sample")


def test_people_are_held_out(photos, tmp_path):
    assert len(photos.held_out) == 2
    assert (photos.n_portraits, len(photos.portraits)) == (4, 4)
    assert photos.portraits[0].shape == (32, 32, 3)
    again = portraits.load(tmp_path / "root", RECIPE, tmp_path / "sample")
    assert again.held_out == photos.held_out
    with pytest.raises(MissingFileError, match="expected more than 2 portraits"):
        portraits.load(tmp_path, RECIPE, tmp_path / "sample")


def test_a_killed_training_continues_to_the_same_weights(photos, tmp_path):
    whole = training.train(photos, RECIPE, PLAN, tmp_path / "whole", 1)

    class KilledError(Exception):
        pass

    class Portraits(list):
        drawn = 0

        def __getitem__(self, at):
            Portraits.drawn += 1
            if Portraits.drawn > 6:
                raise KilledError
            return super().__getitem__(at)

    killed = dataclasses.replace(photos, portraits=Portraits(photos.portraits))
    with pytest.raises(KilledError):
        training.train(killed, RECIPE, PLAN, tmp_path / "killed", 1)
    continued = training.train(photos, RECIPE, PLAN, tmp_path / "killed", 1)
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(continued.state_dict()[name], tensor)
    other = dataclasses.replace(PLAN, steps=5)
    with pytest.raises(RunError, match="another recipe or plan"):
        training.train(photos, RECIPE, other, tmp_path / "killed", 1)


def test_the_file_is_read_as_the_package_reads_it(tmp_path):
    network = training.build(PLAN)
    file = tmp_path / "small.npz"
    note = ship(network, file, {"saw": "noise"}, max_bytes=100_000)
    loaded = autoencoders.load_small(file)
    assert loaded.recipe["weights"] == note["sha256"]
    picture = torch.randint(0, 256, (1, 16, 24, 3), dtype=torch.uint8)
    with torch.inference_mode():
        image = picture.permute(0, 3, 1, 2) / 255
        expected = network["decoder"](network["encoder"](image)).clamp(0, 1) * 255
        got = loaded.network(picture)
    torch.testing.assert_close(got, expected.permute(0, 2, 3, 1), atol=0.5, rtol=0)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match="damaged"):
        autoencoders.load_small(file)
    with pytest.raises(RunError, match="more than 10"):
        ship(network, file, {}, max_bytes=10)


def test_blur_loses_power_and_psnr(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    blurred = (pixels.astype(float) + np.roll(pixels, 1, 0) + np.roll(pixels, 1, 1)) / 3
    assert round_trips.power_high(pixels, pixels) == pytest.approx(1)
    assert round_trips.power_high(blurred, pixels) < 0.5
    assert round_trips.psnr_db(pixels + 1.0, pixels) == pytest.approx(48.13, abs=0.01)
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    rows = round_trips.compare({"copy": lambda each: each}, [path])
    assert [row["metric"] for row in rows] == ["psnr_db", "power_high"]
    assert rows[1]["ours"]["value"] == pytest.approx(1)
