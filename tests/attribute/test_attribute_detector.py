"""Attribution on a detector that was really trained, on drawn images."""

import json

import numpy as np
import pytest
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.attribute import features
from kerasfaces.cli import attribute as command
from kerasfaces.cli.train import main as train
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json, write_json

pytestmark = [pytest.mark.tf, pytest.mark.slow]


@pytest.fixture
def detector(tiny_manifest, tiny_weights, tmp_path):
    """A frozen-base run on photos and two generators, one image broken."""
    path = tmp_path / "manifest.csv"
    lines = path.read_text().splitlines()
    other = tmp_path / "other"
    other.mkdir()
    for line in [line for line in lines if ",fake," in line]:
        file = line.split(",")[0]
        darker = np.asarray(Image.open(file)) // 3
        new = other / file.rpartition("/")[2]
        Image.fromarray(darker.astype(np.uint8)).save(new)
        lines.append(line.replace(file, str(new)).replace(",gan,", ",dark,"))
    broken = next(line for line in lines if ",dark,test" in line).split(",")[0]
    (other / broken.rpartition("/")[2]).write_bytes(b"no image")
    path.write_text("\n".join(lines) + "\n")
    run = tmp_path / "run"
    arguments = ["--manifest", str(path), "--weights", str(tiny_weights)]
    small = ["model.size_px=32", "model.taps=block_1_expand_relu", "epochs=2"]
    settings = [part for each in small for part in ("--set", each)]
    assert train([*arguments, *settings, "-o", str(run)]) == 0
    return run


def test_from_a_detector_to_a_confusion_matrix(
    detector, tmp_path, capsys, caplog, monkeypatch
):
    # Features that training left in the cache are read, never computed again.
    from kerasfaces.features.cached import FeatureCache

    def computed(*arguments):
        raise AssertionError("the base ran again")

    with monkeypatch.context() as patch:
        patch.setattr(FeatureCache, "_compute", computed)
        capsys.readouterr()
        folder = tmp_path / "who"
        assert command.main([str(detector), "-o", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "note: 1 images could not be read" in told
    content = json.loads((folder / "attribution.json").read_text())
    assert content["classes"]["names"] == ["real", "dark", "gan"]
    assert content["test"]["forced"]["n"] == 6 + 6 + 5
    assert content["test"]["forced"]["accuracy"]["value"] > 0.5
    assert [fold["n"] for fold in content["left_out"]] == [35, 36]
    manifest = detector / "manifest.csv"
    assert command.main([str(folder), "--manifest", str(manifest)]) == 0
    assert "90 of the 108 images were trained or validated on" in caplog.text
    assert "108 images, 1 of them unreadable" in capsys.readouterr().out


def test_other_images_are_split_and_said(detector, tmp_path):
    manifest = manifests.read(detector / "manifest.csv")
    path = tmp_path / "more.csv"
    kept = manifest.rows.drop(columns="split").assign(
        path=[str(file) for file in manifest.files()]
    )
    kept.to_csv(path, index=False)
    folder = tmp_path / "who"
    assert (
        command.main([str(detector), "--manifest", str(path), "-o", str(folder)]) == 0
    )
    content = json.loads((folder / "attribution.json").read_text())
    assert "not those the detector was made with" in content["notes"][0]
    splits = manifests.read(folder / "manifest.csv").rows["split"]
    assert set(splits) == {"train", "val", "test"}


def test_a_base_that_was_trained_is_refused(detector):
    config = read_json(detector / "config.json")
    config["train"]["unfreeze"] = 3
    write_json(detector / "config.json", config)
    with pytest.raises(InputError, match="its base was trained with it"):
        features.load(detector, manifests.read(detector / "manifest.csv"))
