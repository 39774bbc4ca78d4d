"""Several manifests become one; an image in two splits never passes."""

import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.manifest.table import Manifest


@pytest.fixture
def two(tmp_path, picture):
    """Two manifests in folders of their own, with images and other columns."""
    paths = []
    for number, (name, split, extra) in enumerate(
        (("a", "train", "attr_age"), ("b", "test", "identity"))
    ):
        (tmp_path / name / "img").mkdir(parents=True)
        rows = [f"path,label,source,split,{extra}"]
        for i, label in enumerate(("real", "fake")):
            picture(10 * number + i).save(tmp_path / name / "img" / f"{i}.png")
            rows.append(f"img/{i}.png,{label},s{i},{split},{name}{i}")
        paths.append(tmp_path / name / "m.csv")
        paths[-1].write_text("\n".join(rows) + "\n")
    return paths


def test_paths_stay_right_and_columns_are_united(two, run, tmp_path):
    out = tmp_path / "c" / "d" / "both.csv"
    code, text = run("join", *two, "-o", out)
    assert code == 0
    assert f"wrote {out}" in text
    done = manifests.read(out)
    assert done.files() == [f for path in two for f in manifests.read(path).files()]
    assert all(file.is_file() for file in done.files())
    assert done.rows["attr_age"].tolist() == ["a0", "a1", "", ""]
    assert done.rows["identity"].tolist() == ["", "", "b0", "b1"]
    assert done.rows["split"].tolist() == ["train", "train", "test", "test"]
    assert (done.rows["sha256"].str.len() == 64).all()
    with pytest.raises(InputError, match=r"both\.csv exists; add --overwrite"):
        run("join", *two, "-o", out)


def test_one_image_in_two_splits_is_refused(two, run, tmp_path):
    (tmp_path / "b" / "img" / "0.png").write_bytes(
        (tmp_path / "a" / "img" / "1.png").read_bytes()
    )
    with pytest.raises(
        InputError,
        match=r"1 image is in two splits .*1\.png' \(train, of .*a/m\.csv\) and .*0\.png' "
        r"\(test, of .*b/m\.csv\)",
    ):
        run("join", *two, "-o", tmp_path / "both.csv")
    assert not (tmp_path / "both.csv").exists()


def test_one_file_in_two_manifests_is_refused(two, run, tmp_path):
    os.replace(two[1], tmp_path / "b" / "old.csv")
    two[1].write_text(f"path,label,source\n{tmp_path}/a/img/0.png,real,s\n")
    with pytest.raises(InputError, match=r"0\.png' is in .*a/m\.csv and in .*b/m\.csv"):
        run("join", *two, "-o", tmp_path / "both.csv")


PART = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["train", "val", "test", ""])),
    max_size=6,
)


@given(st.lists(PART, min_size=1, max_size=4))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_an_image_is_in_one_split_or_nothing_is_written(contents):
    """Contents are numbers; every file has a name of its own."""
    from kerasfaces.manifest import build

    parts = []
    for number, rows in enumerate(contents):
        frame = pd.DataFrame(
            {
                "path": [f"{i}.png" for i in range(len(rows))],
                "label": "real",
                "source": "s",
                "split": [split for _, split in rows],
                "sha256": [f"{content:064x}" for content, _ in rows],
                f"attr_{number}": "x",
            },
            dtype=str,
        )
        parts.append((f"{number}.csv", Manifest(frame, f"/{number}")))
    whole = build.concatenate(parts, "/")
    assert len(whole) == sum(map(len, contents))
    assert whole.files() == [file for _, part in parts for file in part.files()]
    splits = {}
    for content, split in (row for rows in contents for row in rows):
        splits.setdefault(content, set()).add(split)
    torn = any(len(each - {""}) > 1 for each in splits.values())
    if torn:
        with pytest.raises(InputError, match="in two splits"):
            build.refuse_shared(whole, parts)
    else:
        build.refuse_shared(whole, parts)
