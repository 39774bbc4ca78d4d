"""diffusers' autoencoders of a local folder: complete, safetensors only, agreeing engines."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")
from safetensors.torch import load_file, save_file  # noqa: E402

from kerasfaces.core.errors import InputError, MissingFileError  # noqa: E402
from kerasfaces.generate.kinds import autoencoder  # noqa: E402
from kerasfaces.generate.networks import autoencoders  # noqa: E402

pytestmark = pytest.mark.torch
PICTURE = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
WEIGHTS = "diffusion_pytorch_model.safetensors"


def _large():
    return diffusers.AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        block_out_channels=[8, 8],
        latent_channels=4,
        norm_num_groups=4,
        sample_size=16,
    )


def _tiny():
    return diffusers.AutoencoderTiny(
        encoder_block_out_channels=(8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        num_encoder_blocks=(1, 1, 1),
        num_decoder_blocks=(1, 1, 1),
    )


@pytest.fixture(params=[(_large, 2), (_tiny, 4)], ids=["kl", "tiny"])
def saved(request, tmp_path):
    """A folder of random weights, and the stride."""
    make, stride_px = request.param
    torch.manual_seed(0)
    make().save_pretrained(tmp_path / "vae")
    return tmp_path / "vae", stride_px


def test_a_round_trip_is_that_of_diffusers(saved):
    folder, stride_px = saved
    options = autoencoder.Options(network=str(folder), engine="torch")
    generator = autoencoder.build(options)
    assert generator.stride_px == stride_px
    assert autoencoder.name(options) == "vae"
    got = generator(PICTURE, np.random.default_rng(0))
    kind = json.loads((folder / "config.json").read_text())["_class_name"]
    model = getattr(diffusers, kind).from_pretrained(folder).eval()
    image = torch.from_numpy(PICTURE[None].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        # Not `model(image)`: the tiny one rounds its latent to bytes in between.
        encoded = model.encode(image)
        latent = (
            encoded.latents if kind.endswith("Tiny") else encoded.latent_dist.mode()
        )
        expected = model.decode(latent).sample.clamp(-1, 1)[0].permute(1, 2, 0)
    np.testing.assert_allclose(got, (expected.numpy() + 1) * 127.5, atol=1e-3)
    assert WEIGHTS in generator.recipe


def test_openvino_agrees(saved):
    folder, _ = saved
    one, other = (
        autoencoder.build(autoencoder.Options(network=str(folder), engine=engine))
        for engine in ("torch", "openvino")
    )
    fakes = [each(PICTURE, np.random.default_rng(0)) for each in (one, other)]
    np.testing.assert_allclose(*fakes, atol=0.05)


def test_noise_in_the_latent(saved):
    folder, _ = saved
    noisy = autoencoder.build(autoencoder.Options(network=str(folder), noise=1.0))
    one, other = (noisy(PICTURE, np.random.default_rng(seed)) for seed in (0, 1))
    assert np.abs(one - other).max() > 0.01


def _truncated(folder):
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-100])


def _incomplete(folder):
    state = load_file(folder / WEIGHTS)
    del state[min(state)]
    save_file(state, folder / WEIGHTS)


def _pickled(folder):
    torch.save(load_file(folder / WEIGHTS), folder / "diffusion_pytorch_model.bin")
    (folder / WEIGHTS).unlink()


def _of_another_class(folder):
    (folder / "config.json").write_text('{"_class_name": "AutoencoderOobleck"}')


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncated, "no complete Autoencoder"),
        (_incomplete, "missing"),
        (_pickled, "no complete Autoencoder"),
        (_of_another_class, r"expected the class AutoencoderKL or .*Oobleck"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be read"),
    ],
)
def test_damaged_folders_are_one_sentence(saved, damage, message):
    folder, _ = saved
    damage(folder)
    with pytest.raises(InputError, match=message):
        autoencoders.load(str(folder))


def test_what_is_not_there(tmp_path):
    with pytest.raises(MissingFileError, match=r"no config.json in .*save_pretrained"):
        autoencoders.load(str(tmp_path))
    with pytest.raises(MissingFileError, match=r"hf://nobody/x cannot be had here"):
        autoencoders.load("hf://nobody/x", local_files_only=True)
