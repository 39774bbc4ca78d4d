import logging
import shutil

import numpy as np
import pandas as pd
import pytest
from face_pictures import portrait, scene
from PIL import Image

import kerasfaces as kf
from kerasfaces import images
from kerasfaces.cli import manifest as command
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.faces import crops
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.manifest import face_crops

pytest.importorskip("onnxruntime")


@pytest.fixture
def photos(tmp_path):
    """Two pairs, a group photo, a wall and a broken file."""
    root = tmp_path / "photos"
    (root / "real").mkdir(parents=True)
    (root / "fake").mkdir()
    rows = []
    for number in range(2):
        portrait(number).save(root / f"real/{number}.png")
        blurred = portrait(number).resize((40, 40)).resize((320, 320))
        blurred.save(root / f"fake/{number}.jpg")
        for label, suffix in (("real", "png"), ("fake", "jpg")):
            path = f"{label}/{number}.{suffix}"
            rows.append(
                (path, label, "cam" if label == "real" else "gan", f"p{number}")
            )
    group = scene((500, 200), [(10, 20, 160), (220, 40, 110)])
    Image.fromarray(group).save(root / "real/group.png")
    Image.new("RGB", (90, 90), (99, 80, 70)).save(root / "real/wall.png")
    (root / "real/broken.png").write_bytes(b"no picture")
    rows += [
        (f"real/{name}.png", "real", "cam", "") for name in ("group", "wall", "broken")
    ]
    table = pd.DataFrame(rows, columns=["path", "label", "source", "pair_id"])
    table = table.assign(split="train", identity=[f"i{n}" for n in range(len(table))])
    table.to_csv(root / "manifest.csv", index=False)
    return root / "manifest.csv"


def cropped(photos, folder, **settings):
    return kf.Manifest.from_csv(photos).crop_faces(folder, **settings)


def test_a_row_per_face_with_the_columns_of_its_picture(photos, tmp_path, caplog):
    with caplog.at_level(logging.INFO, "kerasfaces"):
        table = cropped(photos, tmp_path / "crops").table
    assert len(table) == 6
    assert list(table["face_number"]) == ["1", "1", "1", "1", "1", "2"]
    assert list(table["identity"]) == ["i0", "i1", "i2", "i3", "i4", "i4"]
    assert set(table["split"]) == {"train"}
    assert set(table["face_crop"]) == {"margin 0.3"}
    both = table[table["identity"] == "i4"]
    assert both["pair_id"].nunique() == 1  # no split parts one photo's faces
    assert both["pair_id"].iloc[0].startswith("photo-")
    assert "7 pictures: 4 with one face, 1 with several, 2 without" in caplog.text
    assert "no face found: 1 left out: 'real/wall.png'" in caplog.text
    assert "real/broken.png" in caplog.text
    for row in table.to_dict("records"):
        file = tmp_path / "crops" / row["path"]
        assert images.sha256(file.read_bytes()) == row["sha256"]
        with Image.open(file) as image:
            assert image.size == (int(row["width_px"]), int(row["height_px"]))
            assert image.format == "PNG"


def test_a_fake_is_cut_where_its_real_picture_is(photos, tmp_path):
    table = cropped(photos, tmp_path / "crops").table
    for _, pair in table[table["pair_id"].isin(["p0", "p1"])].groupby("pair_id"):
        boxes = {row["label"]: row["face_box"].split() for _, row in pair.iterrows()}
        real, fake = (np.array(boxes[label], float) for label in ("real", "fake"))
        np.testing.assert_allclose(fake, 2 * real, atol=0.2)  # it is twice as large


def test_the_crop_is_what_the_library_cuts(photos, tmp_path):
    data = cropped(photos, tmp_path / "crops", margin=0.1, align=True, size_px=64)
    image = images.load(photos.parent / "real/0.png")
    crop = FaceCrop(margin=0.1, align=True, size_px=64)
    expected = crops.cut(image, crops.largest(image), crop)
    np.testing.assert_array_equal(images.load(data.files()[0]), expected)
    assert set(data.table["face_crop"]) == {"margin 0.1, eyes level, 64 px"}


def test_the_largest_only_and_none_too_small(photos, tmp_path):
    table = cropped(photos, tmp_path / "a", faces="largest").table
    assert set(table["face_number"]) == {"1"}
    table = cropped(photos, tmp_path / "b", min_px=60).table
    assert len(table) == 5


def test_a_second_call_detects_nothing_and_a_killed_one_continues(
    photos, tmp_path, monkeypatch
):
    first = cropped(photos, tmp_path / "crops").table
    looked = []
    real = face_crops._faces
    monkeypatch.setattr(
        face_crops, "_faces", lambda *words: looked.append(1) or real(*words)
    )
    again = cropped(photos, tmp_path / "crops").table
    pd.testing.assert_frame_equal(first, again)
    assert not looked
    (tmp_path / "crops" / first["path"][0]).write_bytes(b"half a picture")
    (tmp_path / "crops/manifest.csv").unlink()
    shutil.rmtree(tmp_path / "crops/real", ignore_errors=True)
    again = cropped(photos, tmp_path / "crops").table
    pd.testing.assert_frame_equal(first, again)
    assert looked


def test_other_settings_and_crops_are_refused(photos, tmp_path):
    data = cropped(photos, tmp_path / "crops")
    with pytest.raises(RunError, match="margin"):
        cropped(photos, tmp_path / "crops", margin=0.5)
    with pytest.raises(InputError, match=r"face crops already.*margin 0\.3"):
        data.crop_faces(tmp_path / "again")


def test_no_face_at_all(photos, tmp_path):
    data = kf.Manifest.from_csv(photos)
    walls = data.select(identity="i5")
    with pytest.raises(InputError, match="not one of the 1 pictures gave a face"):
        walls.crop_faces(tmp_path / "crops")


def test_a_pair_of_two_shapes_is_named(photos, tmp_path, caplog):
    Image.new("RGB", (160, 90)).save(photos.parent / "fake/0.jpg")
    table = cropped(photos, tmp_path / "crops").table
    assert "fake" not in set(table[table["pair_id"] == "p0"]["label"])
    assert "160x90 px is not the shape of its pair's" in caplog.text


def test_counting(photos):
    counted = kf.Manifest.from_csv(photos).count_faces().set_index("source")
    assert counted.loc["cam", ["n", "unreadable"]].tolist() == [4, 1]
    assert counted.loc["cam", ["n_one", "n_none", "n_several"]].tolist() == [2, 1, 1]
    assert counted.loc["cam", "one_low"] < 0.5 < counted.loc["cam", "one_high"]
    assert counted.loc["all", "n"] == 6


def test_the_commands(photos, tmp_path, capsys):
    words = [str(photos), "-o", str(tmp_path / "crops"), "--faces", "largest"]
    assert command.main(["crop-faces", *words]) == 0
    assert "5 faces of 5 different pictures, of 7 rows" in capsys.readouterr().out
    assert (tmp_path / "crops/manifest.csv").exists()
    table = str(tmp_path / "faces.csv")
    assert command.main(["count-faces", str(photos), "--csv", table]) == 0
    out = capsys.readouterr().out
    assert "0.500 (0.068 to 0.932)" in out
    assert pd.read_csv(table)["n"].tolist() == [2, 4, 6]
    with pytest.raises(InputError, match=r"--margin 9.*expected 0\.\.4"):
        command.main(["crop-faces", *words, "--margin", "9"])
