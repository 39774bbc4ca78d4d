"""Images inside a Parquet file: written out once, inside the folder, whatever their names."""

import io
import json
import os

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.cli import manifest as command
from kerasfaces.core.errors import InputError
from kerasfaces.tables import embedded


def _bytes(number, kind="JPEG"):
    buffer = io.BytesIO()
    Image.new("RGB", (48, 48), (40 * number, 90, 200)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def hub(tmp_path):
    """A Parquet file as Hugging Face's data sets are kept: images and numbered classes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [
        {"bytes": _bytes(i), "path": f"train/{i}.jpg" if i else None} for i in range(4)
    ]
    table = pa.table({"image": images, "label": [0, 0, 1, 1]})
    names = {"label": {"names": ["fake", "real"], "_type": "ClassLabel"}}
    info = json.dumps({"info": {"features": names}})
    path = tmp_path / "hub.parquet"
    pq.write_table(table.replace_schema_metadata({"huggingface": info}), path)
    return path


def test_images_are_offered_to_be_written_out_and_are(hub, tmp_path, caplog):
    with pytest.raises(InputError, match=r"image holds the images .*add --extract DIR"):
        command.main(["build", str(hub), "-o", str(tmp_path / "m.csv")])
    words = ["build", str(hub), "--extract", str(tmp_path / "out")]
    words += ["-o", str(tmp_path / "m.csv"), "--overwrite"]
    command.main(words)
    rows = manifests.read(tmp_path / "m.csv").rows
    assert rows["path"].tolist() == [
        "out/0.jpg",
        *(f"out/train/{i}.jpg" for i in (1, 2, 3)),
    ]
    assert rows["label"].tolist() == ["fake", "fake", "real", "real"]
    assert "0 = 'fake', 1 = 'real'" in caplog.text
    before = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")
    }
    (tmp_path / "out" / "train" / "2.jpg").unlink()
    command.main(words)
    after = {
        path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.jpg")
    }
    assert [path.name for path in before if before[path] != after[path]] == ["2.jpg"]
    (tmp_path / "out" / "0.jpg").write_bytes(b"mine")
    with pytest.raises(
        InputError, match=r"0\.jpg is there already and holds something"
    ):
        command.main(words)
    assert (tmp_path / "out" / "0.jpg").read_bytes() == b"mine"


def test_training_on_it_directly_says_what_to_run(hub):
    with pytest.raises(InputError, match=r"from_table\('.*', extract=DIR\)`"):
        manifests.read(hub)


def test_raw_bytes_and_equal_names(tmp_path):
    table = tmp_path / "raw.parquet"
    content = [_bytes(i, "PNG") for i in range(3)]
    pd.DataFrame({"img": content, "label": ["real", "fake", "fake"]}).to_parquet(table)
    assert embedded.extract(table, "img", tmp_path / "a") == ["0.png", "1.png", "2.png"]
    named = [{"bytes": data, "path": "Face.png"} for data in content]
    named[1]["path"] = "face.PNG"
    pd.DataFrame({"img": named}).to_parquet(table)
    names = embedded.extract(table, "img", tmp_path / "b")
    assert names == ["Face.png", "face-2.PNG", "Face-3.png"]
    assert [(tmp_path / "b" / name).read_bytes() for name in names] == content


def test_a_name_that_all_rows_have_costs_no_search(monkeypatch):
    asked = 0

    def caseless(name):
        nonlocal asked
        asked += 1
        return name.casefold()

    monkeypatch.setattr(embedded, "_caseless", caseless)
    taken = {}
    names = [embedded._unique("Image.png", taken) for _ in range(1000)]
    assert names[:3] == ["Image.png", "Image-2.png", "Image-3.png"]
    assert len(set(names)) == 1000
    assert asked < 4000
    assert embedded._unique("image-7.png", taken) == "image-7-2.png"


@given(
    st.lists(
        st.one_of(
            st.text(max_size=300),
            st.sampled_from(
                [
                    "../../up.jpg",
                    "/etc/passwd",
                    "C:\\x\\..\\..\\y.jpg",
                    "a/../../../b.jpg",
                    "\\\\host\\share\\c.jpg",
                    ".hidden.jpg",
                    "..",
                    ". ../. ../up.jpg",
                    "a/. ../. ../up.jpg",
                    ". .hidden.jpg",
                    "a\0b.jpg",
                    "\x1b[31mred.jpg",
                    "x" * 900 + ".jpg",
                    "a/" * 600 + "b.jpg",
                ]
            ),
        ),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_name_leaves_the_folder(tmp_path_factory, names):
    root = tmp_path_factory.mktemp("x")
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    names = [name.encode(errors="replace").decode() for name in names]
    cells = [
        {"bytes": buffer.getvalue() + bytes([i]), "path": n}
        for i, n in enumerate(names)
    ]
    table = root / "t.parquet"
    pd.DataFrame({"image": cells}).to_parquet(table)
    found = embedded.extract(table, "image", root / "in" / "out")
    files = {
        os.path.relpath(p, root / "in" / "out") for p in root.rglob("*") if p.is_file()
    }
    inside = {
        name for name in files if not name.startswith((".lock", "../../t.parquet"))
    }
    assert inside == set(found)
    assert len(set(found)) == len(names)
    assert all(name.isprintable() for name in found)
    assert not any(part.startswith(".") for name in found for part in name.split("/"))
    for i, name in enumerate(found):
        assert (root / "in" / "out" / name).read_bytes()[-1] == i


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "train").symlink_to(tmp_path / "elsewhere")
    cells = [{"bytes": _bytes(0), "path": "train/0.jpg"}]
    pd.DataFrame({"image": cells}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="is a link out of"):
        embedded.extract(tmp_path / "t.parquet", "image", tmp_path / "out")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_row_without_an_image_is_named(tmp_path):
    cells = [{"bytes": _bytes(0), "path": "a.jpg"}, None]
    pd.DataFrame({"image": cells}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(InputError, match="line 3: no image in column 'image'"):
        embedded.extract(tmp_path / "t.parquet", "image", tmp_path / "out")
