"""What the library advises can be typed in Python."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces.core.errors import KerasfacesError


def _pictures(folder, count, seed):
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    for i in range(count):
        values = draw.integers(0, 256, (40, 40, 3)).astype(np.uint8)
        Image.fromarray(values).save(folder / f"{i}.png")


@pytest.fixture
def rows(tmp_path):
    """Return paths with labels of nine reals and nine fakes in the folder pictures."""
    for seed, label in enumerate(("a", "b")):
        _pictures(tmp_path / "pictures" / label, 9, seed)
    return [
        (f"{name}/{i}.png", label)
        for name, label in (("a", "real"), ("b", "fake"))
        for i in range(9)
    ]


def _table(rows, **columns):
    return pd.DataFrame(rows, columns=["path", "label"]).assign(**columns)


def _says(call):
    with pytest.raises(KerasfacesError) as caught:
        call()
    text = str(caught.value)
    assert not re.search(r"(^|[\s'\"(])--[a-z]|kerasfaces manifest| -o ", text), text
    return text


def test_tables_advise_arguments(rows, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path / "pictures")
    numbers = _table(rows).replace({"real": "0", "fake": "1"})
    assert "real_is='" in _says(lambda: kf.Manifest.from_table(numbers))
    bare = _table([(path.removesuffix(".png"), label) for path, label in rows])
    assert "add `suffix='.png'`" in _says(lambda: kf.Manifest.from_table(bare))
    monkeypatch.chdir(tmp_path)
    assert f"add `root='{tmp_path / 'pictures'}'`." in _says(
        lambda: kf.Manifest.from_table(_table(rows))
    )
    named = _table(rows).rename(columns={"label": "sort"})
    assert "columns={'label': COLUMN}" in _says(lambda: kf.Manifest.from_table(named))
    odd = _table(rows, split=["train"] * 17 + ["holdout"])
    text = _says(lambda: kf.Manifest.from_table(odd, root="pictures"))
    assert "split_names={'train': 'train', 'test': 'val', 'dev': 'test'}" in text


def test_warnings_advise_arguments(rows, tmp_path, caplog):
    kf.Manifest.from_table(_table(rows), root=tmp_path / "pictures")
    assert "Name it with `source=NAME`, or `columns={'source': COLUMN}`." in caplog.text
    assert not any("--" in message for message in caplog.messages)


def test_folders_advise_arguments(rows, tmp_path):
    folder = tmp_path / "pictures"
    assert "label_is='real').join(" in _says(lambda: kf.Manifest.from_folders(folder))
    _pictures(tmp_path / "set" / "real" / "fake", 2, 5)
    _pictures(tmp_path / "set" / "fake" / "real", 2, 6)
    text = _says(lambda: kf.Manifest.from_folders(tmp_path / "set"))
    assert text.endswith("give the class of that folder: `label_is='real'`.")


@pytest.mark.parametrize(
    ("splits", "advice"),
    [
        (["train"] * 6 + ["test"] * 3, "data.split(validation_from='train')"),
        (["train"] * 9, "data.split(overwrite=True)"),
        (["train"] * 5 + ["val"] * 2 + ["test"] + [""], "data.select(split=["),
        (["train"] * 6 + ["val"] * 3, "split_names={'train': 'train', 'val': 'test'})"),
    ],
)
def test_what_fit_advises_can_be_typed(rows, tmp_path, splits, advice):
    table = _table(rows, split=splits * 2)
    data = kf.Manifest.from_table(table, root=tmp_path / "pictures")
    text = _says(lambda: kf.Detector("mobilenetv2", weights="none").fit(data))
    assert advice in text
    code = re.search(r"((?:data|Manifest)\..*\))", text).group(1)
    names = {"data": data, "Manifest": kf.Manifest}
    mended = eval(code, names)
    assert set(mended.table["split"]) == {"train", "val", "test"}
