"""Channel `lnp`: values, engines, batches, flat pictures, NaN, and its weights."""

import importlib.util
import json
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kerasfaces.channels.kinds import lnp  # noqa: E402
from kerasfaces.channels.networks import cycleisp, engine  # noqa: E402
from kerasfaces.core import config, registry  # noqa: E402
from kerasfaces.core.errors import (  # noqa: E402
    InputError,
    MissingExtraError,
    MissingFileError,
)

pytestmark = pytest.mark.torch
TINY = cycleisp.Architecture(channels=4, groups=1, blocks=2, reduction=2)
ENGINES = ["torch", pytest.param("openvino", marks=pytest.mark.slow)]


def needs(name):
    if name == "openvino":
        pytest.importorskip("openvino")
    return name


def tiny(options=None, seed=0):
    torch.manual_seed(seed)
    network = cycleisp.Denoiser(TINY).eval()
    return lnp.Lnp(network, "0" * 64, options or lnp.Options(engine="torch"))


def pictures(n=3, size=24, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def test_the_channel_is_noisy_minus_denoised_in_grey_levels():
    channel, images = tiny(), pictures()
    got = channel.compute(images, {})
    noisy = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        denoised = channel.runner._network.denoiser(noisy)
    expected = ((noisy - denoised) * 255).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-4)
    assert got.dtype == np.float32
    assert got.min() < 0 < got.max()
    assert channel.spec.names == ("lnp_red", "lnp_green", "lnp_blue")


@pytest.mark.parametrize("name", ENGINES)
def test_an_image_has_the_same_values_in_any_batch(name):
    channel = tiny(lnp.Options(engine=needs(name)))
    images = pictures(5)
    together = channel.compute(images, {})
    alone = np.concatenate([channel.compute(images[i : i + 1], {}) for i in range(5)])
    assert (together == alone).all()
    assert channel.runner.name.startswith(name)
    assert channel.compute(images[:0], {}).shape == (0, 24, 24, 3)


@pytest.mark.parametrize("name", ENGINES)
def test_flat_pictures_have_no_pattern(name):
    channel = tiny(lnp.Options(engine=needs(name)))
    images = pictures()
    images[1] = (10, 200, 30)
    got = channel.compute(images, {})
    assert (got[1] == 0).all()
    assert np.abs(got[[0, 2]]).max() > 0


@pytest.mark.parametrize("name", ENGINES)
def test_nan_from_the_network_is_passed_on_even_for_flat_pictures(name):
    channel = tiny(lnp.Options(engine=needs(name)))
    torch.nn.init.constant_(channel.runner._network.denoiser.tail[0].bias, np.nan)
    images = pictures(2)
    images[1] = 7
    assert np.isnan(channel.compute(images, {})).all()


@pytest.mark.slow
def test_openvino_agrees_with_torch_and_follows_the_shape():
    pytest.importorskip("openvino")
    one, other = tiny(lnp.Options(engine="openvino")), tiny()
    for size in (16, 40):
        images = pictures(2, size)
        worst = engine.difference(one.compute(images, {}), other.compute(images, {}))
        assert worst < engine.LIMITS["f32"]


def stub(monkeypatch, result):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())

    def compile_openvino(network, shape, precision):
        if isinstance(result, Exception):
            raise result
        return lambda image: np.full(image.shape, result, np.float32)

    monkeypatch.setattr(engine, "compile_openvino", compile_openvino)


@pytest.mark.parametrize("choice", ["auto", "openvino"])
@pytest.mark.parametrize(
    ("result", "message"),
    [
        (99.0, r"differs from torch by .* \(limit 1e-03\)"),
        (np.nan, "differs from torch by inf"),
        (RuntimeError("no such operation"), "cannot run the network .no such op"),
    ],
)
def test_an_engine_that_disagrees_is_refused(monkeypatch, choice, result, message):
    stub(monkeypatch, result)
    channel = tiny(lnp.Options(engine=choice))
    with pytest.raises(InputError, match=rf"{message}.*'lnp\.engine': 'torch'"):
        channel.compute(pictures(), {})


def test_openvino_missing(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    channel = tiny(lnp.Options(engine="auto"))
    channel.compute(pictures(), {})
    assert channel.runner.name.startswith("torch")
    assert channel.spec.made_by["engine"] == channel.runner.name
    with pytest.raises(MissingExtraError, match=r"pip install.*lnp\.engine=torch"):
        tiny(lnp.Options(engine="openvino"))


def test_bfloat16_is_near_but_not_the_same():
    images = pictures()
    coarse = tiny(lnp.Options(engine="torch", precision="bf16")).compute(images, {})
    worst = engine.difference(coarse, tiny().compute(images, {}))
    assert 0 < worst < engine.LIMITS["bf16"]


@pytest.mark.parametrize("choice", ["engine=tpu", "precision=int4"])
def test_unknown_engine_and_precision(choice):
    with pytest.raises(InputError, match=f"{choice.split('=')[0]}: expected .* or "):
        config.override(lnp.Options(), [choice])


def test_difference_counts_nan_on_one_side_only():
    nan = np.array([np.nan, 1.0])
    assert engine.difference(nan, np.array([np.nan, 1.5])) == 0.5
    assert engine.difference(nan, np.array([0.0, 1.0])) == np.inf


def test_the_shipped_weights_are_small_whole_and_described():
    note = json.loads(lnp.SMALL.with_suffix(".json").read_text(encoding="utf-8"))
    channel = registry.load("kerasfaces.channels.kinds", "lnp").build(lnp.Options())
    assert lnp.SMALL.stat().st_size == note["bytes"] < 2_000_000
    assert channel.spec.made_by["weights_sha256"] == note["sha256"]
    assert channel.spec.made_by["architecture"] == note["architecture"]
    images = np.full((1, 48, 48, 3), 120, np.uint8)
    noise = np.random.default_rng(0).normal(0, 12, images.shape)
    noisy = np.clip(np.round(images + noise), 0, 255).astype(np.uint8)
    rest = noisy - channel.compute(noisy, {}) - images
    assert rest[:, 8:-8, 8:-8].std() < 0.7 * noise.std()


def test_options_travel_as_json():
    options = lnp.Options(
        weights="x.pth", blocks=8, precision="bf16", engine="openvino"
    )
    values = config.to_dict(options)
    assert config.from_dict(lnp.Options, values, "lnp") == options
    assert config.override(lnp.Options(), ["blocks=8"]).blocks == 8


def test_damaged_missing_and_wrong_weights(tmp_path):
    copy = tmp_path / "small.npz"
    with pytest.raises(MissingFileError, match=r"no weights at .*experiments\.lnp"):
        lnp.load_small(copy)
    shutil.copy(lnp.SMALL, copy)
    shutil.copy(lnp.SMALL.with_suffix(".json"), copy.with_suffix(".json"))
    copy.write_bytes(copy.read_bytes()[:-10])
    with pytest.raises(InputError, match="is damaged: its SHA-256"):
        lnp.load_small(copy)
    copy.with_suffix(".json").unlink()
    with pytest.raises(InputError, match=r"is damaged .*copy it again from where"):
        lnp.load_small(copy)
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "one.npy").replace(copy)
    with pytest.raises(InputError, match=r"is damaged .*copy it again from where"):
        lnp.load_small(copy)
    shutil.copy(lnp.SMALL, copy)
    with pytest.raises(MissingFileError, match=r"small\.json, the note .* is missing"):
        lnp.load_small(copy)
    copy.with_suffix(".json").write_text("[]")
    with pytest.raises(InputError, match=r"its note says None\.\.\."):
        lnp.load_small(copy)
    with pytest.raises(InputError, match=r"2 blocks per group, expected 8; set lnp"):
        lnp.build(lnp.Options(blocks=8))


def test_a_file_of_weights(tmp_path):
    path = tmp_path / "own.pth"
    torch.manual_seed(3)
    network = cycleisp.Denoiser(TINY).eval()
    torch.save({"state_dict": network.state_dict()}, path)
    channel = lnp.build(lnp.Options(weights=str(path), engine="torch"))
    images = pictures(1)
    expected = lnp.Lnp(network, "", lnp.Options(engine="torch")).compute(images, {})
    assert (channel.compute(images, {}) == expected).all()
    assert len(channel.spec.made_by["weights_sha256"]) == 64
