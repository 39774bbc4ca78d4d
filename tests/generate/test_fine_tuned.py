"""DreamBooth and LoRA on a tiny pipeline: kill and continue, rows without a pair."""

import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("peft")
from kerasfaces.core.errors import InputError, RunError  # noqa: E402
from kerasfaces.generate.config import GenerateConfig  # noqa: E402
from kerasfaces.generate.kinds import dreambooth, lora  # noqa: E402
from kerasfaces.generate.networks import finetuning  # noqa: E402
from kerasfaces.generate.pairs import generate  # noqa: E402
from kerasfaces.manifest import Manifest  # noqa: E402

pytestmark = [pytest.mark.torch, pytest.mark.slow]
KINDS = {"dreambooth": dreambooth, "lora": lora}


@pytest.fixture(params=sorted(KINDS))
def config(request, pipeline):
    options = KINDS[request.param].Options(
        network=str(pipeline),
        instance_prompt="new face",
        class_prompt="face",
        resolution_px=16,
        steps=4,
        save_every=2,
        sample_steps=2,
        n_class=2,
        n_photos=2,
        learning_rate=0.01,
        prior_weight=1.0,
    )
    return GenerateConfig(kind=request.param, options=options, size_px=32)


@pytest.fixture
def photos(tmp_path):
    rows = []
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 44, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        row = [f"{number}.png", "real", "camera", "train", f"person {number}", "man"]
        rows.append(row)
    columns = ["path", "label", "source", "split", "identity", "attr_gender"]
    return Manifest(pd.DataFrame(rows, columns=columns), tmp_path)


def test_fakes_are_of_nobody(photos, tmp_path, config):
    written = generate(photos, tmp_path / "out", config)
    fakes = written.rows[written.rows["label"] == "fake"]
    assert set(fakes["source"]) == {f"{config.kind}_tiny-sd"}
    for column in ("pair_id", "identity", "attr_gender", "original_sha256"):
        assert set(fakes[column]) == {""}
    assert set(fakes["split"]) == {"train"}
    reals = written.rows[written.rows["label"] == "real"]
    assert list(reals["identity"]) == ["person 0", "person 1", "person 2"]
    assert len(set(fakes["sha256"])) == 3
    assert len(list((tmp_path / "out" / "training" / "class").iterdir())) == 2
    again = generate(photos, tmp_path / "out", config)
    pd.testing.assert_frame_equal(again.rows, written.rows)


def test_it_learns_from_the_training_split_alone(photos, tmp_path, config, monkeypatch):
    shown = []

    def train(pipeline, files, options, rank, folder):
        shown.extend(files)
        raise InputError("enough")

    monkeypatch.setattr(finetuning, "train", train)
    rows = photos.rows.assign(split=["test", "train", "val"])
    with pytest.raises(InputError, match="enough"):
        generate(Manifest(rows, photos.folder), tmp_path / "out", config)
    assert [path.name for path in shown] == ["1.png"]
    rows = photos.rows.assign(split="test")
    with pytest.raises(InputError, match="photos of the split train"):
        generate(Manifest(rows, photos.folder), tmp_path / "two", config)


def _weights(folder):
    from safetensors.torch import load_file

    (path,) = (folder / "training" / "weights").glob("*.safetensors")
    return load_file(path)


def test_a_killed_training_continues_to_the_same_weights(
    photos, tmp_path, config, monkeypatch
):
    generate(photos, tmp_path / "whole", config)
    loss, calls = finetuning._loss, []

    class KilledError(Exception):
        pass

    def killed(*arguments):
        calls.append(1)
        if len(calls) > 6:  # two a step: of a photo and of the class
            raise KilledError
        return loss(*arguments)

    monkeypatch.setattr(finetuning, "_loss", killed)
    with pytest.raises(KilledError):
        generate(photos, tmp_path / "killed", config)
    assert (tmp_path / "killed" / "training" / "checkpoint.pt").exists()
    monkeypatch.setattr(finetuning, "_loss", loss)
    generate(photos, tmp_path / "killed", config)
    whole, continued = _weights(tmp_path / "whole"), _weights(tmp_path / "killed")
    assert whole.keys() == continued.keys()
    for name, tensor in whole.items():
        torch.testing.assert_close(continued[name], tensor)


def test_the_training_changes_what_is_drawn(photos, tmp_path, config, pipeline):
    from safetensors.torch import load_file

    generate(photos, tmp_path / "out", config)
    trained = _weights(tmp_path / "out")
    if config.kind == "lora":
        up = [each for name, each in trained.items() if "lora_B" in name]
        assert up
        assert max(float(each.abs().max()) for each in up) > 1e-4
    else:
        before = load_file(pipeline / "unet" / "diffusion_pytorch_model.safetensors")
        assert any((trained[name] - before[name]).abs().max() > 1e-4 for name in before)
    text = [name for name in trained if "text" in name]
    assert not text


def test_a_damaged_checkpoint_and_another_training_are_refused(
    photos, tmp_path, config, pipeline
):
    folder = tmp_path / "training"
    folder.mkdir()
    generator = KINDS[config.kind].build(config.options)
    generator.use_folder(tmp_path)
    (folder / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(RunError, match=r"checkpoint.pt is damaged"):
        generator.train(photos.files())
    torch.save({"key": "another"}, folder / "checkpoint.pt")
    with pytest.raises(RunError, match="is of other photos or settings"):
        generator.train(photos.files())
    shutil.rmtree(folder)
    with pytest.raises(RunError, match="call train first"):
        generator(np.zeros((16, 16, 3), np.uint8), np.random.default_rng(0))


def test_values_out_of_range(pipeline):
    with pytest.raises(InputError, match=r"options.rank: expected 1 to 1,024, got 0"):
        lora.Options(rank=0)
    with pytest.raises(InputError, match=r"options.steps: expected 1 to .* got 0"):
        dreambooth.Options(steps=0)
    with pytest.raises(InputError, match=r"resolution_px: expected a multiple of 4"):
        lora.build(lora.Options(network=str(pipeline), resolution_px=18))
