"""Image-to-image and inpainting on a tiny pipeline; failures are reasons."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
from kerasfaces.core.errors import (  # noqa: E402
    ImageError,
    InputError,
    MissingFileError,
)
from kerasfaces.generate.config import GenerateConfig  # noqa: E402
from kerasfaces.generate.kinds import diffuse  # noqa: E402
from kerasfaces.generate.networks import diffusion  # noqa: E402
from kerasfaces.generate.pairs import generate  # noqa: E402
from kerasfaces.manifest import Manifest  # noqa: E402

pytestmark = pytest.mark.torch
PICTURE = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)


def _options(folder, **changes):
    return diffuse.Options(network=str(folder), **{"steps": 4, **changes})


def _fake(options, seed=0):
    return diffuse.build(options)(PICTURE, np.random.default_rng(seed))


def test_more_strength_goes_further_from_the_photo(pipeline):
    near = _fake(_options(pipeline, strength=0.25))
    far = _fake(_options(pipeline, strength=1.0))
    codec = diffuse.build(_options(pipeline))._pipeline.vae
    image = torch.from_numpy(PICTURE[None].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        trip = (codec(image).sample.clamp(-1, 1)[0].permute(1, 2, 0) + 1) * 127.5
    assert np.abs(near - trip.numpy()).mean() < np.abs(far - trip.numpy()).mean()
    assert np.abs(near - _fake(_options(pipeline, strength=0.25), 1)).max() > 0.01


def test_inpainting_leaves_the_rest_to_the_codec(pipeline):
    one, other = (
        _fake(_options(pipeline, task="inpaint", strength=1.0, hole=(0.25, 0.25)), seed)
        for seed in (0, 1)
    )
    assert one.shape == PICTURE.shape
    assert np.abs(one - other).max() > 0.01


def test_names():
    assert diffuse.name(diffuse.Options()) == "sd-1.5_0.3"
    named = diffuse.Options(network="hf://me/x", task="inpaint", strength=1.0)
    assert diffuse.name(named) == "x_inpaint_1"


@pytest.mark.parametrize(
    ("fake", "message"),
    [
        (np.full(PICTURE.shape, np.nan), "not finite"),
        (np.zeros(PICTURE.shape), "black picture"),
        (np.ones((8, 8, 3)) * 9, "gave 8 x 8 px for 24 x 16"),
    ],
)
def test_what_is_no_picture_is_a_reason(fake, message):
    with pytest.raises(ImageError, match=message):
        diffusion.checked(fake.astype(np.float32), PICTURE)


def test_nan_latents_are_counted_rows(pipeline, tmp_path, monkeypatch):
    from diffusers import AutoencoderKL

    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    rows = pd.DataFrame(
        [["a.png", "real", "camera", ""]], columns=["path", "label", "source", "split"]
    )
    decode = AutoencoderKL.decode

    def broken(self, latent, *arguments, **settings):
        return decode(self, latent * float("nan"), *arguments, **settings)

    monkeypatch.setattr(AutoencoderKL, "decode", broken)
    config = GenerateConfig(kind="diffuse", options=_options(pipeline), size_px=32)
    with pytest.raises(InputError, match="Not one of the 1 photos"):
        generate(Manifest(rows, tmp_path), tmp_path / "out", config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strength": 0.0}, "strength: expected above 0"),
        ({"strength": 0.1}, r"expected 1 to 1,000 steps .* got 0.1 \* 4"),
        ({"hole": (0.5, 0.2)}, "hole: expected"),
    ],
)
def test_values_out_of_range(changes, message):
    with pytest.raises(InputError, match=message):
        diffuse.build(_options("x", **changes))


def _cut(folder):
    path = folder / "unet" / "diffusion_pytorch_model.safetensors"
    path.write_bytes(path.read_bytes()[:-50])


def _incomplete_text_encoder(folder):
    from safetensors.torch import load_file, save_file

    path = folder / "text_encoder" / "model.safetensors"
    state = load_file(path)
    del state[next(name for name in state if "final_layer_norm" in name)]
    save_file(state, path, metadata={"format": "pt"})


def _unknown_pipeline(folder):
    path = folder / "model_index.json"
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | {"_class_name": "NoSuchPipeline"}))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut, "no complete UNet2DConditionModel"),
        (_incomplete_text_encoder, "final_layer_norm.* is missing"),
        (_unknown_pipeline, "cannot be used for Image2Image"),
        (
            lambda folder: (folder / "model_index.json").write_text("["),
            "cannot be read",
        ),
    ],
)
def test_damaged_pipelines_are_one_sentence(pipeline, tmp_path, damage, message):
    folder = tmp_path / "copy"
    shutil.copytree(pipeline, folder)
    damage(folder)
    with pytest.raises(InputError, match=message):
        diffuse.build(_options(folder))


def test_what_is_not_here(tmp_path, pipeline):
    with pytest.raises(MissingFileError, match=r"no model_index.json in"):
        diffuse.build(_options(tmp_path))
    with pytest.raises(MissingFileError, match="hf://nobody/x cannot be had"):
        diffuse.build(_options("hf://nobody/x", local_files_only=True))
    with pytest.raises(InputError, match=r"options.device: 'cuda' cannot be used"):
        diffuse.build(_options(pipeline, device="cuda"))
