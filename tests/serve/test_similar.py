"""The nearest training images, and near-copies of them in a manifest."""

import shutil

import numpy as np
import pytest
from PIL import Image, ImageOps

import kerasfaces as kf
from kerasfaces.cli.similar import FOUND, main
from kerasfaces.core.errors import InputError
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import leaks, similar
from kerasfaces.serve.evidence_report.neighbours_section import Among
from kerasfaces.serve.exported import ExportedDetector

pytestmark = pytest.mark.tf
COPIES = (("saved", "jpg"), ("mirrored", "png"))


@pytest.fixture
def run(decided_run):
    """What is near to an image is another question than its verdict."""
    return decided_run


@pytest.fixture
def train_files(run):
    manifest = DetectorRun(run).manifest
    splits = list(manifest.rows["split"])
    return [f for f, s in zip(manifest.files(), splits, strict=True) if s == "train"]


def test_a_training_image_is_nearest_to_itself(run, train_files, capsys):
    assert main([str(run), str(train_files[3]), "--engine", "onnxruntime"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[:3] == ["1", "real", "camera"]
    assert lines[1].endswith(str(train_files[3]))
    assert "0.0 % of validation nearer" in lines[1]
    assert len(lines) == 6


def test_the_library_gives_the_same_rows_and_reasons(run, train_files, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    detector = kf.load_run(run)
    table = detector.similar([train_files[30], bad], count=2, engine="onnxruntime")
    assert list(table["image"]) == [str(train_files[30])] * 2 + [str(bad)]
    assert table["path"][0] == str(train_files[30])
    assert table["label"][0] == "fake"
    assert table["distance"][0] <= table["distance"][1]
    assert table["reason"][2] != ""
    many = detector.similar(train_files[0], count=1000, engine="onnxruntime")
    assert len(many) == 48
    with pytest.raises(InputError, match="at least 1"):
        detector.similar(train_files[0], count=0, engine="onnxruntime")


def test_runs_without_training_features_say_why(run, channel_run):
    DetectorRun(run).training_features_file.unlink()
    with pytest.raises(
        InputError, match=r"keeps no training features .an older version"
    ):
        similar.Search(DetectorRun.open(run))
    with pytest.raises(InputError, match="it judges channels"):
        similar.required(DetectorRun(channel_run))


def test_features_of_another_network_are_refused(run):
    near = similar.TrainingImages(DetectorRun(run)).near
    with pytest.raises(InputError, match="of another training"):
        near(np.zeros((1, 3), np.float32))


def test_images_that_are_gone_are_named_by_hash_and_published_ones_not_at_all(
    run, tmp_path
):
    text = (run / "manifest.csv").read_text()
    (run / "manifest.csv").write_text(text.replace("/real/", "/gone/"))
    images = similar.TrainingImages(DetectorRun(run))
    embedding = images.features.mean[None]
    names = [each.name for each in images.near(embedding, 48)[0]]
    assert sum(name.startswith("sha256 ") for name in names) == 24
    published = DetectorRun(shutil.copytree(run, tmp_path / "published"))
    images.features.without_hashes().write(published.training_features_file)
    (near,) = similar.TrainingImages(published).near(embedding, 1)
    assert near[0].name == "(published unnamed)"
    assert near[0].label in ("real", "fake")


def test_the_evidence_page_has_them_or_says_why_not(run, train_files):
    detector = ExportedDetector.open(run, engine="onnxruntime")
    section = Among(DetectorRun(run), detector).near(train_files[0])
    assert "camera/00.png" in section.html
    assert str(train_files[0].parent) not in section.html
    assert section.html.count("data:image/jpeg") == similar.COUNT
    DetectorRun(run).training_features_file.unlink()
    section = Among(DetectorRun(run), detector).near(train_files[0])
    assert "keeps no training features" in section.html


@pytest.fixture
def other(run, train_files, tmp_path):
    """New images, a training image itself, one saved again, one mirrored."""
    folder = tmp_path / "new"
    folder.mkdir()
    shutil.copy(train_files[0], folder / "same.png")
    for number in range(8):
        Image.open(train_files[number]).save(folder / f"saved{number}.jpg", quality=95)
        mirrored = ImageOps.mirror(Image.open(train_files[number + 8]))
        mirrored.save(folder / f"mirrored{number}.png")
    lines = ["path,label,source,split"]
    names = [f"{kind}{n}.{end}" for kind, end in COPIES for n in range(8)]
    lines += [f"{name},real,camera," for name in ("same.png", *names, "gone.png")]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return folder / "manifest.csv"


def test_near_copies_of_training_images_are_found(run, other, capsys, tmp_path):
    code = main([str(run), "--leaks", str(other), "--csv", str(tmp_path / "leaks.csv")])
    printed = capsys.readouterr().out
    assert code == FOUND
    first = printed.splitlines()[0]
    assert first.startswith("same file")
    assert "same.png" in first
    for kind, _ in COPIES:  # these drawn blobs are smoother than any photo
        assert printed.count(f"/{kind}") + printed.count(f" {kind}") >= 6, kind
    assert "1 image cannot be read" in printed
    assert "half the size" in printed
    assert (tmp_path / "leaks.csv").read_text().startswith("path,label,source,evidence")


def test_the_same_file_is_named_where_others_have_its_hash(
    run, other, train_files, monkeypatch
):
    monkeypatch.setattr(leaks, "_hashes", lambda files: ["0" * 64] * len(files))
    found = kf.load_run(run).find_leaks(kf.Manifest.from_csv(other))
    row = found[found["evidence"] == "same file"].iloc[0]
    assert row["training_image"] == str(train_files[0])
    assert (row["training_label"], row["bits"]) == ("real", 0)


def test_the_library_finds_the_same_and_says_what_chance_would(run, other):
    found = kf.load_run(run).find_leaks(kf.Manifest.from_csv(other))
    assert found["evidence"][0] == "same file"
    assert found.attrs["n"] == 17
    assert found.attrs["by_chance"] == pytest.approx(0.17)
    copies = {each["copy"]: each for each in found.attrs["copies"]}
    assert copies["JPEG 80"]["n"] == leaks.COPIED
    assert copies["JPEG 80"]["either"] >= 12
    assert all(c["either"] <= c["features"] + c["pixels"] for c in copies.values())


def test_the_limit_is_a_hundredth_of_validation(run):
    features = DetectorRun(run).training_features
    assert leaks.limit_of(features) == features.val_distances[0]
    near = similar.Neighbour(label="real", source="", distance=1.0, percentile=0.0)
    assert leaks.evidence_of(False, near, 1.0, False) == ""
    assert leaks.evidence_of(False, near, 1.1, False) == "features"
    assert leaks.evidence_of(False, near, 1.1, True) == "pixels and features"
    assert leaks.evidence_of(True, None, 1.1, False) == "same file"


def test_a_manifest_without_test_rows_is_refused(run, other):
    text = other.read_text().replace("camera,\n", "camera,val\n")
    other.write_text(text)
    with pytest.raises(InputError, match="no rows in split 'test'"):
        kf.load_run(run).find_leaks(kf.Manifest.from_csv(other))


def test_images_and_leaks_exclude_each_other(run, capsys):
    with pytest.raises(SystemExit):
        main([str(run)])
    assert "give images, or --leaks M" in capsys.readouterr().err


def test_images_that_cannot_be_read_end_the_command_with_2(run, tmp_path, capsys):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    assert main([str(run), str(text), "--engine", "onnxruntime"]) == 2
    assert "not an image" in capsys.readouterr().out
