"""A new generator joins a detector: nothing old moves, and what it cost is said."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.cli.train import main
from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.manifest import addition
from kerasfaces.run.folder import DetectorRun

pytestmark = pytest.mark.tf
TINY = [
    *("--set", "model.size_px=32", "--set", "model.taps=block_1_expand_relu"),
    *("--set", "epochs=3"),
]


@pytest.fixture
def new_images(tmp_path):
    """A manifest of 20 fakes of another generator, without splits."""
    folder = tmp_path / "new" / "fake" / "diffusion"
    folder.mkdir(parents=True)
    lines = ["path,label,source"]
    for number in range(20):
        pixels = rng.generator(0, "new", number).integers(0, 255, (48, 48, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
        lines.append(f"fake/diffusion/{number:02d}.png,fake,diffusion")
    path = tmp_path / "new" / "new.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def parent(tiny_manifest, tiny_weights, tmp_path):
    run = tmp_path / "old"
    given = ["--manifest", str(tmp_path / "manifest.csv")]
    assert main([*given, "--weights", str(tiny_weights), *TINY, "-o", str(run)]) == 0
    return run


def changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_new_generator_joins_and_the_report_says_what_it_cost(
    parent, new_images, tiny_weights, tmp_path, capsys, monkeypatch
):
    run = tmp_path / "joined"
    arguments = ["--add", str(parent), "--manifest", str(new_images)]
    arguments += ["--weights", str(tiny_weights)]
    assert main([*arguments, "-o", str(run)]) == 0
    old, new = (DetectorRun(each).manifest.rows for each in (parent, run))
    assert len(new) == len(old) + 20
    assert list(new["split"][: len(old)]) == list(old["split"])
    counts = new["split"][len(old) :].value_counts()
    assert counts["train"] == pytest.approx(20 * 48 / 72, abs=1)
    assert set(counts.index) == {"train", "val", "test"}
    content = read_json(run / "added.json")
    assert content["parent"] == "old"
    assert (content["n_shared"], content["n_missing"]) == (12, 0)
    (family,) = content["families"].values()
    assert (family["n_real"], family["n_fake"]) == (6, 6)
    difference = family["difference"]["auc"]
    assert difference["value"] == pytest.approx(
        family["auc"]["new"] - family["auc"]["old"]
    )
    assert read_json(run / "config.json")["parent"]["run"] == "old"
    assert read_json(run / "training.json")["features_cached"] == len(old)
    assert "What the old generators lost or gained" in (run / "report.html").read_text()
    before = (run / "metrics.json").read_bytes()
    assert main([*arguments, "-o", str(run)]) == 0  # finished: found again
    assert (run / "metrics.json").read_bytes() == before
    capsys.readouterr()


def test_settings_are_the_run_s(parent, new_images, tiny_weights, tmp_path):
    given = ["--add", str(parent), "--manifest", str(new_images)]
    with pytest.raises(InputError, match=r"--model does not go with .*add"):
        main([*given, "--model", "resnet50"])
    with pytest.raises(InputError, match="base weights from the file 'base"):
        main(given)
    with pytest.raises(InputError, match="needs the new images"):
        main(["--add", str(parent)])
    other = tmp_path / "other.weights.h5"
    other.write_bytes(tiny_weights.read_bytes())
    import h5py

    with h5py.File(other, "a") as file:
        file.attrs["other"] = 1
    with pytest.raises(InputError, match=r"was trained on .* give that file"):
        main([*given, "--weights", str(other)])


def test_contradictions_are_named(parent, new_images, tiny_weights, tiny_images):
    given = ["--add", str(parent), "--manifest", str(new_images)]
    given += ["--weights", str(tiny_weights)]
    copy = new_images.parent / "fake" / "diffusion" / "00.png"
    copy.write_bytes((tiny_images / "real" / "camera" / "03.png").read_bytes())
    with pytest.raises(InputError, match=r"one image has two labels.*03\.png' \(real"):
        main(given)
    old = tiny_images / "fake" / "gan" / "03.png"
    changed(new_images, "fake/diffusion/01.png,fake", f"{old},real")
    with pytest.raises(
        InputError, match="is fake in the old manifest and real in the new"
    ):
        main(given)


def test_what_belongs_to_old_images_goes_where_they_are(tiny_manifest, new_images):
    old = tiny_manifest
    pairs = [f"p{i}" for i in range(len(old))]
    old = dataclasses.replace(old, rows=old.rows.assign(pair_id=pairs))
    new = manifests.read(new_images)
    mine = [f"p{24 + i}" if i < 4 else "" for i in range(20)]  # old validation rows
    paired = dataclasses.replace(new, rows=new.rows.assign(pair_id=mine))
    joined = addition.add(old, paired, "RUN", "NEW")
    assert list(joined.manifest.rows["split"][len(old) : len(old) + 4]) == ["val"] * 4
    assert joined.notes == ()
    stated = paired.rows.assign(split="test")
    with pytest.raises(InputError, match=r"is in test and belongs to an image.*in val"):
        addition.add(old, dataclasses.replace(new, rows=stated), "RUN", "NEW")
    half = new.rows.assign(split=["train", *[""] * 19])
    with pytest.raises(InputError, match="19 of 20 rows have no split"):
        addition.add(old, dataclasses.replace(new, rows=half), "RUN", "NEW")


def test_what_is_there_already_is_left_out_and_counted(
    tiny_manifest, new_images, tiny_images
):
    old = tiny_images / "fake" / "gan" / "03.png"
    copy = new_images.parent / "fake" / "diffusion" / "00.png"
    copy.write_bytes((tiny_images / "fake" / "gan" / "04.png").read_bytes())
    changed(new_images, "fake/diffusion/01.png", str(old))
    joined = addition.add(tiny_manifest, manifests.read(new_images), "RUN", "NEW")
    assert len(joined.manifest) == len(tiny_manifest) + 18
    assert joined.notes == ("NEW: 2 images are in RUN already and were left out.",)
    with pytest.raises(InputError, match=r"all of its .* images are in RUN already"):
        addition.add(tiny_manifest, tiny_manifest, "RUN", "NEW")
