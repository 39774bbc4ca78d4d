import os

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.manifest import table

HEADER = "path,label,source,split\n"
HOSTILE = [
    'a "quoted", name.jpg',
    "two\nlines.jpg",
    "carriage\rreturn.jpg",
    " leading and trailing .jpg ",
    "emoji 😀 ünï.jpg",
    "semi;colon\ttab.jpg",
    "'single'.jpg",
    "#comment.jpg",
    "NaN",
    "=SUM(A1).jpg",
]


def frame(paths):
    return pd.DataFrame(
        {"path": paths, "label": "real", "source": "camera", "split": ""}, dtype=str
    )


def test_reads_columns_as_text_and_keeps_unknown_ones(write_csv):
    path = write_csv(
        "path,label,source,split,extra,attr_age\n"
        "a.jpg,real,cam,train,007,nan\n"
        "b.jpg,fake,gan,,NA,1.0\n"
    )
    read = manifests.read(path)
    assert read.rows["extra"].tolist() == ["007", "NA"]
    assert read.rows["attr_age"].tolist() == ["nan", "1.0"]
    assert read.rows["split"].tolist() == ["train", ""]
    assert "attr_age" in read.rows
    assert read.files() == [path.parent / "a.jpg", path.parent / "b.jpg"]
    assert list(read.rows.index) == [0, 1]


def test_tolerates_bom_crlf_blank_lines_and_a_missing_split_column(write_csv):
    text = "\ufeffpath,label,source\r\na.jpg,real,cam\r\n\r\nb.jpg,fake,gan\r\n"
    read = manifests.read(write_csv(text))
    assert read.rows.columns.tolist() == ["path", "label", "source", "split"]
    assert read.rows["path"].tolist() == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "no rows"),
        ("path,source\na,b\n", "line 1: no column label"),
        (HEADER + "a,real,c,train,x\n", "line 2: 5 fields, expected 4"),
        (HEADER + "a,real,c,\nb,real,c\nd,fake\n", "lines 3, 4: 3 fields"),
        (HEADER + "a,genuine,c,\n", "unknown label in line 2: .*got 'genuine'"),
        (HEADER + "a,,c,\n", "unknown label in line 2"),
        (HEADER + "a,nan,c,\n", "unknown label in line 2: .*'nan'"),
        (HEADER + "a,real,c,dev\n", "unknown split in line 2: .*'dev'"),
        (HEADER + "a,real,c,\nb,fake,c,nan\n", "unknown split in line 3"),
        (HEADER + ",real,c,\n", "missing path in line 2"),
        (HEADER + "a,real,,\n", "missing source in line 2"),
        (HEADER + "a,real,c,\n./a,real,c,\n", "duplicate path in line 3.*line 2"),
        ("path,label,source,label\na,real,c,real\n", "'label' appears twice"),
        (HEADER + 'a,"re"al,c,\n', "line 2: not well-formed CSV"),
        (HEADER + 'a,real,c,"train\n', "not well-formed CSV"),
        (HEADER.encode() + b"a\x81.jpg,real,c,\n", "line 2: not UTF-8"),
        (HEADER.encode("utf-16"), "no rows"),
        ("path,label,source,width_px\na,real,c,nan\n", "bad width_px in line 2"),
        ("path,label,source,sha256\na,real,c,123\n", "bad sha256 in line 2"),
    ],
)
def test_refuses_with_file_and_line(write_csv, content, message):
    path = write_csv(content)
    with pytest.raises(InputError, match=f"(?s){path.name}.*{message}"):
        manifests.read(path)


def test_names_the_first_lines_and_the_count(write_csv):
    rows = "".join(f"{i},maybe,c,\n" for i in range(30)) + "x,real,,\n"
    with pytest.raises(InputError, match=r"lines 2, 3, 4, 5, 6 and 25 more"):
        manifests.read(write_csv(HEADER + rows))
    with pytest.raises(InputError, match="1 more of other kinds"):
        manifests.read(write_csv(HEADER + rows))


def test_line_numbers_count_lines_within_fields(write_csv):
    content = HEADER + '"two\nlines",real,c,\nb,odd,c,\n'
    with pytest.raises(InputError, match="line 4"):
        manifests.read(write_csv(content))


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        manifests.read(tmp_path / "none.csv")
    with pytest.raises(InputError, match="not a file"):
        manifests.read(tmp_path)


def test_hostile_paths_survive(tmp_path):
    before = manifests.Manifest(frame(HOSTILE), tmp_path)
    manifests.write(before, tmp_path / "m.csv")
    after = manifests.read(tmp_path / "m.csv")
    assert after.rows["path"].tolist() == HOSTILE
    assert after.files() == before.files()


@given(
    st.lists(
        st.text(
            st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"),
            min_size=1,
        ).filter(lambda text: text.strip() and text.strip(".")),
        min_size=1,
        unique=True,
    ),
    st.text(st.characters(blacklist_categories=["Cs"])),
)
def test_any_text_survives_the_round_trip(tmp_path_factory, names, extra):
    folder = tmp_path_factory.mktemp("m")
    rows = frame(names).assign(extra=extra)
    manifests.write(manifests.Manifest(rows, folder), folder / "m.csv")
    after = manifests.read(folder / "m.csv")
    assert after.rows["path"].tolist() == names
    assert set(after.rows["extra"]) == {extra}


def test_paths_follow_the_file(tmp_path, write_csv):
    (tmp_path / "deep").mkdir()
    other = tmp_path.parent / "x.jpg"
    path = write_csv(f"{HEADER}deep/a.jpg,real,c,\n{other},fake,g,\n")
    read = manifests.read(path)
    manifests.write(read, tmp_path / "deep" / "m.csv")
    moved = manifests.read(tmp_path / "deep" / "m.csv")
    assert moved.rows["path"].tolist() == ["a.jpg", str(other)]
    assert moved.files() == read.files()
    manifests.write(read, tmp_path / "elsewhere" / "m.csv")
    assert manifests.read(tmp_path / "elsewhere" / "m.csv").files() == read.files()


def test_root_is_what_paths_are_relative_to(write_csv, tmp_path, monkeypatch):
    path = write_csv(HEADER + "a.jpg,real,c,\n")
    read = manifests.read(path, root=tmp_path / "images")
    assert read.files() == [tmp_path / "images" / "a.jpg"]
    monkeypatch.chdir(tmp_path)
    assert manifests.read(path.relative_to(tmp_path)).files() == [tmp_path / "a.jpg"]


def test_digest_changes_with_rows_and_unpinned_folders(tmp_path):
    rows = frame(["a.jpg"])
    one = manifests.Manifest(rows, tmp_path)
    assert one.digest() == manifests.Manifest(rows.copy(), tmp_path).digest()
    assert one.digest() != manifests.Manifest(rows, tmp_path / "b").digest()
    pinned = rows.assign(sha256="0" * 64)
    assert (
        manifests.Manifest(pinned, tmp_path).digest()
        == manifests.Manifest(pinned, tmp_path / "b").digest()
    )
    changed = pinned.assign(label="fake")
    assert (
        manifests.Manifest(pinned, tmp_path).digest()
        != manifests.Manifest(changed, tmp_path).digest()
    )


def test_write_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "m.csv"
    manifests.write(manifests.Manifest(frame(["a"]), tmp_path), path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        manifests.write(manifests.Manifest(frame(["b"]), tmp_path), path)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["m.csv"]


def test_reads_many_rows_quickly(tmp_path):
    import time

    rows = frame([f"folder/{i}.jpg" for i in range(30_000)])
    manifests.write(manifests.Manifest(rows, tmp_path), tmp_path / "m.csv")
    started = time.process_time()
    assert len(manifests.read(tmp_path / "m.csv")) == 30_000
    assert time.process_time() - started < 3
    assert table.column(rows, "absent") == [""] * 30_000
