"""Where a `kf.Manifest` may come from."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces.core.errors import InputError


def _picture(path, number):
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(number).integers(0, 256, (40, 40, 3))
    Image.fromarray(values.astype(np.uint8)).save(path)


@pytest.fixture
def tree(tmp_path):
    number = 0
    for split, count in (("train", 9), ("test", 4)):
        for label in ("REAL", "FAKE"):
            for i in range(count):
                number += 1
                _picture(tmp_path / "set" / split / label / f"{i}.png", number)
    return tmp_path / "set"


def test_folders_are_read_and_validation_cut_from_train(tree):
    data = kf.Manifest.from_folders(tree)
    assert data.reading["n"].sum() == len(data) == 26
    assert set(data.table["split"]) == {"train", "test"}
    with pytest.raises(InputError, match=r"data\.split\(validation_from='train'\)"):
        data.split()
    with pytest.raises(InputError, match="`validation_from`: expected 'train'"):
        data.split(validation_from="test")
    cut = data.split("2:1:0", validation_from="train")
    before, after = data.table, cut.table
    tested = before["split"] == "test"
    assert (after["split"][tested] == "test").all()
    assert set(after["split"][~tested]) == {"train", "val"}
    assert cut.check().empty


def test_folders_are_joined(tree):
    train = kf.Manifest.from_folders(tree / "train", split_is="train")
    test = kf.Manifest.from_folders(tree / "test", split_is="test")
    both = train.join(test)
    assert len(both) == 26
    assert both.counts()["test"].sum() == 8
    with pytest.raises(InputError, match="each image may come from one of them only"):
        train.join(train)


def test_one_class_needs_its_name(tree):
    reals = tree / "train" / "REAL"
    with pytest.raises(InputError):
        kf.Manifest.from_folders(reals)
    one = kf.Manifest.from_folders(reals, label_is="real", source="camera")
    assert set(one.table["label"]) == {"real"}
    with pytest.raises(InputError, match="at least one folder"):
        kf.Manifest.from_folders()


def test_a_table_in_memory_or_in_a_file(tree, tmp_path):
    files = sorted(tree.rglob("*.png"))
    frame = pd.DataFrame(
        {
            "file": [str(file) for file in files],
            "target": [int("REAL" in file.parts) for file in files],
        }
    )
    names = {"path": "file", "label": "target"}
    data = kf.Manifest.from_table(frame, names, real_is=1, source="set")
    assert set(data.table["source"]) == {"set", "set_real"}
    frame.to_csv(tmp_path / "t.csv", sep=";", index=False)
    again = kf.Manifest.from_table(tmp_path / "t.csv", names, real_is="1", source="set")
    assert again.manifest.files() == data.manifest.files()
    assert list(again.table["label"]) == list(data.table["label"])
    with pytest.raises(InputError, match=r"^the table, line 1: no column 'nothing'"):
        kf.Manifest.from_table(frame, {"path": "nothing", "label": "target"}, real_is=1)


def test_cells_of_a_table_in_memory_are_what_they_print_as(tree, monkeypatch):
    monkeypatch.chdir(tree)
    files = sorted(tree.rglob("*.png"))[:2]
    frame = pd.DataFrame(
        {
            "path": [file.relative_to(tree) for file in files],
            "label": ["real", "fake"],
            "attr_age": [31.0, None],
            "attr_name": ["NA", ' x,"y'],
            "embedding": [np.zeros(2), np.ones(2)],
        },
        index=[7, 3],
    )
    rows = kf.Manifest.from_table(frame).table
    assert list(rows["attr_age"]) == ["31", ""]
    assert list(rows["attr_name"]) == ["NA", ' x,"y']
    assert list(rows["embedding"]) == ["[0. 0.]", "[1. 1.]"]
    with pytest.raises(InputError, match=r"^the table has no rows"):
        kf.Manifest.from_table(frame[:0])
    with pytest.raises(InputError, match=r"^the table, line 3: label 'fakes'"):
        kf.Manifest.from_table(frame.assign(label=["real", "fakes"]))


def test_check_names_rows(tree):
    (tree / "train" / "REAL" / "1.png").write_bytes(b"broken")
    data = kf.Manifest.from_folders(tree)
    found = data.check()
    row = int(found[found["kind"] == "unreadable"]["row"].iloc[0])
    assert data.table["path"][row].endswith("train/REAL/1.png")


def test_labels_the_wrong_way_round_are_said(tree, caplog):
    files = sorted(tree.rglob("*.png"))
    frame = pd.DataFrame(
        {
            "path": [str(file) for file in files],
            "label": ["fake" if "REAL" in file.parts else "real" for file in files],
        }
    )
    data = kf.Manifest.from_table(frame, source="set")
    assert "the wrong way round" in data.notes[0]
    assert "the labels seem to be the wrong way round" in caplog.text
