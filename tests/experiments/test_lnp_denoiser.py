"""The denoiser's data, its training that continues, its comparison and its file."""

import dataclasses
import itertools
import json
import re

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from experiments.framework import shipping  # noqa: E402
from experiments.lnp_denoiser import (  # noqa: E402
    camera_noise,
    comparison,
    pictures,
    training,
)
from kerasfaces.channels.kinds import lnp  # noqa: E402
from kerasfaces.core.errors import MissingFileError, RunError  # noqa: E402
from kerasfaces.core.rng import generator  # noqa: E402

pytestmark = pytest.mark.torch
RECIPE = pictures.Recipe(
    shrinks=(1.0,),
    scenes=1,
    scene_px=32,
    tune_people=1,
    test_people=1,
    crop_px=16,
    test_px=16,
)
PLAN = training.Plan(
    channels=4, groups=1, blocks=1, reduction=2, steps=4, batch=2, save_every=2
)


def shot(**changes):
    drawn = camera_noise.draw_shot(generator(0, "shot"))
    plain = dict(quality_pct=0, shrink=1.0, sharpen=0.0)
    return dataclasses.replace(drawn, **{**plain, **changes})


def ramp(size=32):
    down, across = np.mgrid[0:size, 0:size] / size
    image = np.stack([0.3 + 0.3 * down, 0.4 + 0.2 * across, 0.5 - 0.2 * down], -1)
    return image.astype(np.float32)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / pictures.FOLDER
    folder.mkdir(parents=True)
    for i in range(5):
        rng = np.random.default_rng(i)
        small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
        small.resize((48, 48), Image.Resampling.BICUBIC).save(folder / f"person{i}.jpg")
    return tmp_path


@pytest.mark.parametrize("sharp_green", [False, True])
@pytest.mark.parametrize("order", range(4))
def test_without_noise_the_camera_gives_the_picture_back(sharp_green, order):
    taken = shot(shot_noise=0.0, read_noise=0.0, sharp_green=sharp_green, order=order)
    noisy, clean = camera_noise.photograph(ramp(), taken, 32, generator(0, "noise"))
    assert np.abs(noisy / 255 - clean).max() <= 0.5 / 255 + 1e-6
    assert np.abs(clean - ramp())[3:-3, 3:-3].max() < 0.03


def test_noise_grows_with_the_shot_and_is_not_white():
    spread, neighbours = [], []
    for shot_noise in (1e-4, 1e-3, 1e-2):
        taken = shot(shot_noise=shot_noise, read_noise=shot_noise / 10)
        noisy, clean = camera_noise.photograph(ramp(64), taken, 64, generator(0, "n"))
        error = noisy / 255 - clean
        spread.append(error.std())
        pairs = error[:, 1:, 0].ravel(), error[:, :-1, 0].ravel()
        neighbours.append(np.corrcoef(*pairs)[0, 1])
    assert 2 < spread[1] / spread[0] < 4
    assert 2 < spread[2] / spread[1] < 4
    assert min(neighbours) > 0.2  # demosaicing spreads it


def test_photos_scaled_down_and_compressed():
    taken = shot(shrink=1.5, quality_pct=80)
    assert camera_noise.sensor_px(32, taken) == 48
    noisy, clean = camera_noise.photograph(ramp(48), taken, 32, generator(0, "n"))
    assert noisy.shape == clean.shape == (32, 32, 3)
    again, _ = camera_noise.photograph(ramp(48), taken, 32, generator(0, "n"))
    assert (noisy == again).all()


def test_people_are_held_out(data):
    names = [f"person{i}.jpg" for i in range(5)]
    parts = pictures.split(names, RECIPE)
    assert sorted(itertools.chain(*parts.values())) == names
    assert [len(parts[part]) for part in pictures.PARTS] == [3, 1, 1]
    loaded = pictures.load(data, "test", RECIPE)
    assert list(loaded.names) == parts["test"]
    pairs = pictures.held_out(loaded, "test", RECIPE, jpeg=False)
    assert len(pairs) == 2 * len(pictures.LEVELS)
    assert [pair.level for pair in pairs[:5]] == [0, 1, 2, 3, 4]


def test_missing_portraits(tmp_path):
    with pytest.raises(MissingFileError, match="at least 3 portraits, found 0; set KE"):
        pictures.load(tmp_path, "train", RECIPE)


def test_training_killed_and_run_again_ends_the_same(data, tmp_path, monkeypatch):
    part = pictures.load(data, "train", RECIPE)
    whole = training.train(part, RECIPE, PLAN, tmp_path / "a", 1)
    drawn = pictures.batches

    def killed(*arguments):
        yield from itertools.islice(drawn(*arguments), 3)
        raise InterruptedError

    with monkeypatch.context() as patched:
        patched.setattr(training, "batches", killed)
        with pytest.raises(InterruptedError):
            training.train(part, RECIPE, PLAN, tmp_path / "b", 1)
    resumed = training.train(part, RECIPE, PLAN, tmp_path / "b", 1)
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    history = json.loads((tmp_path / "b" / "history.json").read_text())
    assert [row["step"] for row in history] == [2, 4]
    other = dataclasses.replace(PLAN, learning_rate=1.0)
    with pytest.raises(RunError, match="belongs to another recipe or plan"):
        training.train(part, RECIPE, other, tmp_path / "b", 1)


def test_it_learns_and_the_untrained_network_changes_nothing(data, tmp_path):
    part = pictures.load(data, "train", RECIPE)
    image = torch.rand(1, 3, 8, 8)
    with torch.no_grad():
        assert training.build(PLAN).lnp(image).abs().max() == 0
    assert training.high_pass_stem(16).shape == (16, 3, 3, 3)
    fine = training.high_pass_stem(16)[3:]
    np.testing.assert_allclose(fine.sum(axis=(2, 3)), 0, atol=1e-5)
    trained = training.train(part, RECIPE, PLAN, tmp_path, 1)
    with torch.no_grad():
        assert trained.lnp(image).abs().max() > 0


def test_an_error_while_making_pairs_reaches_the_caller():
    def broken():
        yield 1
        raise ValueError("broken pair")

    items = training._ahead(broken())
    assert next(items) == 1
    with pytest.raises(ValueError, match="broken pair"):
        next(items)


def test_filters_are_given_their_best_parameters_at_each_level():
    clean = np.full((16, 16, 3), 0.5, np.float32)
    pairs = []
    for level, sd in enumerate((1, 2, 4, 8, 16)):
        noise = np.random.default_rng(level).normal(0, sd, clean.shape)
        noisy = np.round(127.5 + noise).astype(np.uint8)
        pairs.append(pictures.Pair(level=level, noisy=noisy, clean=clean))
    settings = {
        "nothing": lambda image: image,
        "mean": lambda image: np.full_like(image, round(image.mean())),
        "black": lambda image: image * 0,
    }
    one, each = comparison.search(settings, pairs, "kind")
    assert (one, each) == ("mean", ["mean"] * 5)
    values = comparison.psnr(settings["nothing"], pairs)
    mse = np.mean((pairs[3].noisy / 255 - 0.5) ** 2)
    assert values[3] == pytest.approx(10 * np.log10(1 / mse))


@pytest.mark.slow
def test_comparison_rows_and_gains(data, monkeypatch):
    pytest.importorskip("cv2")
    part = pictures.load(data, "test", RECIPE)
    pairs = pictures.held_out(part, "test", RECIPE, jpeg=True)
    truth = {pair.noisy.tobytes(): pair.clean for pair in pairs}

    def perfect(image):
        return np.round(truth[image.tobytes()] * 255).astype(np.uint8)

    rows, gains = comparison.compare(pairs, pairs, perfect, "jpeg")
    kinds = ("median", "bilateral", "non-local means")
    filters = [
        f"{kind}{how}" for kind in kinds for how in ("", comparison.AT_EACH_LEVEL)
    ]
    methods = ["noisy", "ours", *filters]
    assert list(dict.fromkeys(row["row"] for row in rows)) == methods
    assert len(rows) == 8 * (len(pictures.LEVELS) + 1)
    for kind in methods[2:]:
        assert 0 < gains[f"{kind}: low"] <= gains[kind] <= gains[f"{kind}: high"]
        named = [row["parameters"] for row in rows if row["row"] == kind]
        assert all(named[:-1])
    assert not any(row["parameters"] for row in rows if row["row"] == "ours")


def test_the_shipped_file_loads_as_it_was_written(tmp_path):
    network = training.build(PLAN)
    note = shipping.ship(network, tmp_path / "x.npz", {"saw": {"data": ["nothing"]}})
    loaded, sha256 = lnp.load_small(tmp_path / "x.npz")
    assert sha256 == note["sha256"]
    assert loaded.architecture == network.architecture
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(
            loaded.state_dict()[name], tensor, rtol=1e-3, atol=1e-6
        )
    with torch.no_grad():
        network.head[0].bias[0] = 1e6
    with pytest.raises(RunError, match=re.escape("head.0.bias not finite in float16")):
        shipping.ship(network, tmp_path / "y.npz", {})
    assert not (tmp_path / "y.npz").exists()
