import os

import pandas as pd
import pytest
from folder_reading import from_folders

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.manifest import foreign_tables


def test_folders_end_to_end(folders, run, tmp_path):
    odd = folders / "real" / "cam_a" / "deeper" / 'q"uote,\n😀.PNG'
    odd.parent.mkdir()
    odd.write_bytes((folders / "real" / "cam_a" / "0.jpg").read_bytes())
    (folders / "real" / "loose.jpg").write_bytes(b"not a picture")
    (folders / "fake" / "gan" / "notes.txt").write_text("x")
    (folders / "fake" / "gan" / ".hidden.jpg").write_text("x")
    code, out = run("build", folders, "-o", tmp_path / "out" / "m.csv")
    assert code == 0
    assert "wrote" in out
    read = manifests.read(tmp_path / "out" / "m.csv")
    rows = read.rows.set_index("path")
    assert len(rows) == 30
    assert read.rows["source"].value_counts().to_dict() == {
        "cam_a": 8,
        "cam_b": 7,
        "gan": 7,
        "sd": 7,
        "real": 1,
    }
    assert sorted(read.files()) == sorted(from_folders(folders).files())
    assert odd in read.files()
    row = rows.loc[str(folders / "fake" / "sd" / "3.jpg")]
    assert row[["label", "width_px", "height_px", "format"]].tolist() == [
        "fake",
        "48",
        "48",
        "JPEG",
    ]
    assert len(row["sha256"]) == len(row["phash"]) == 64
    broken = rows.loc[str(folders / "real" / "loose.jpg")]
    assert broken[["width_px", "format", "phash"]].tolist() == ["", "", ""]
    assert len(broken["sha256"]) == 64


def test_unreadable_rows_are_counted_and_named(folders, run, tmp_path, caplog):
    (folders / "real" / "cam_a" / "0.jpg").write_bytes(b"")
    run("build", folders, "-o", tmp_path / "m.csv")
    assert "1 of 28 images are unreadable" in caplog.text
    assert "cam_a/0.jpg': empty file" in caplog.text


def test_existing_output_is_kept(folders, run, tmp_path):
    (tmp_path / "m.csv").write_text("mine")
    with pytest.raises(InputError, match=r"m\.csv exists; add --overwrite"):
        run("build", folders, "-o", tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_text() == "mine"
    assert run("build", folders, "-o", tmp_path / "m.csv", "--overwrite")[0] == 0
    with pytest.raises(SystemExit, match="2"):  # it is a folder
        run("build", folders, "-o", tmp_path)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        ([], InputError, "has no images; expected DIR/real"),
        (["real/a.jpg"], InputError, r"no fake images among 'real' \(1\)"),
        (["real/a.txt", "fake/b.jpg"], InputError, "no real images among 'fake'"),
    ],
)
def test_folders_without_a_class(tmp_path, make, error, message):
    for name in make:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(error, match=message):
        from_folders(tmp_path)


def test_no_folder_and_nothing_readable(tmp_path, run):
    with pytest.raises(MissingFileError, match="does not exist"):
        run("build", tmp_path / "none", "-o", tmp_path / "m.csv")
    for name in ("real/a.jpg", "fake/g/b.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    with pytest.raises(InputError, match="none of the 2 images can be read"):
        run("build", tmp_path, "-o", tmp_path / "m.csv")
    with pytest.raises(InputError, match="--map is for tables"):
        run("build", tmp_path, "--map", "a=b", "-o", tmp_path / "m.csv")
    with pytest.raises(InputError, match="either DIR"):
        run("build", "-o", tmp_path / "m.csv")


def test_links_are_followed_once_and_odd_names_left_out(folders, caplog):
    (folders / "real" / "again").symlink_to(folders / "real", target_is_directory=True)
    outside = folders.parent / "outside"
    outside.mkdir()
    (outside / "x.jpg").touch()
    (folders / "fake" / "linked").symlink_to(outside, target_is_directory=True)
    (folders / "fake" / os.fsdecode(b"latin-\xfc.jpg")).touch()
    rows = from_folders(folders).rows
    assert len(rows) == 29
    assert "linked" in set(rows["source"])
    assert "names are not UTF-8" in caplog.text


@pytest.mark.parametrize("backwards", [False, True])
def test_a_linked_folder_has_one_name_in_any_order_of_the_disk(
    tmp_path, picture, monkeypatch, backwards
):
    for number, name in enumerate(("real/camera", "fake/gan", ".hidden/sd")):
        folder = tmp_path / "set" / name
        folder.mkdir(parents=True)
        picture(number).save(folder / "a.jpg")
    fakes = tmp_path / "set" / "fake"
    (fakes / "again").symlink_to(fakes.parent / "real" / "camera")
    (fakes / "b").symlink_to(tmp_path / "set" / ".hidden" / "sd")
    (fakes / "c").symlink_to(tmp_path / "set" / ".hidden" / "sd")
    listed = os.scandir

    class Listing:
        def __init__(self, path):
            self.entries = sorted(listed(path), key=lambda each: each.name)
            self.entries = iter(self.entries[::-1] if backwards else self.entries)

        def __enter__(self):
            return self.entries

        def __exit__(self, *error):
            return None

        def __next__(self):
            return next(self.entries)

    monkeypatch.setattr(os, "scandir", Listing)
    rows = from_folders(tmp_path / "set").rows
    assert list(rows["path"]) == ["real/camera/a.jpg", "fake/b/a.jpg", "fake/gan/a.jpg"]


# Tables

MUDGAL = {
    "image_path": ["raw/0.jpg", "raw/1.jpg", "raw/2.jpg", "raw/3.jpg"],
    "destination_path": ["a/0.jpg", "a/1.jpg", "a/2.jpg", ""],
    "Folder": ["wiki", "insight", "celebahq256_imgs", "text2img"],
    "split": ["train", "test", "dev", "train"],
    "target_class": ["real", "fake", "real", "fake"],
    "target": [1, 0, 1, 0],
}


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("ask", [True, False])
def test_mudgal2023(tmp_path, run, picture, caplog, suffix, ask):
    frame = pd.DataFrame(MUDGAL)
    table = tmp_path / f"t.{suffix}"
    writers = {"csv": "to_csv", "xlsx": "to_excel", "parquet": "to_parquet"}
    getattr(frame, writers[suffix])(table, index=False)
    for number, name in enumerate(("a/0", "a/1", "a/2", "raw/3")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture(number).save(tmp_path / f"{name}.jpg")
    caplog.set_level("INFO")
    options = ("--columns", "mudgal2023") if ask else ()
    assert run("build", table, *options, "-o", tmp_path / "m.csv")[0] == 0
    assert "dev becomes" in caplog.text
    rows = manifests.read(tmp_path / "m.csv").rows
    assert rows["path"].tolist() == ["a/0.jpg", "a/1.jpg", "a/2.jpg", "raw/3.jpg"]
    assert rows["label"].tolist() == ["real", "fake", "real", "fake"]
    assert rows["split"].tolist() == ["train", "val", "test", "train"]
    assert rows["source"].tolist() == MUDGAL["Folder"]
    assert rows["image_path"].tolist() == MUDGAL["image_path"]
    assert (rows["width_px"] == "48").all()


def test_mudgal2023_contradictions(tmp_path):
    frame = pd.DataFrame(MUDGAL | {"target_class": ["fake", "fake", "real", "fake"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(
        InputError, match="line 2: 'target_class' says fake, 'target' says"
    ):
        foreign_tables.from_table(tmp_path / "t.csv")
    frame = pd.DataFrame(MUDGAL | {"split": ["train", "eval", "dev", "train"]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="line 3: unknown split 'eval'"):
        foreign_tables.from_table(tmp_path / "t.csv")
    frame = pd.DataFrame(MUDGAL | {"target": [1, 0, 2, 0]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(InputError, match="labels are '0', '1', '2'"):
        foreign_tables.from_table(tmp_path / "t.csv")


def test_map_and_values(write_csv, tmp_path, run, picture):
    table = write_csv(
        "file,y,kind,fold,age\nimg/0.png,0,cam,tr,3\nimg/1.png,1,gan,te,\n", "t.csv"
    )
    for number in range(2):
        (tmp_path / "data" / "img").mkdir(parents=True, exist_ok=True)
        picture(number).save(tmp_path / "data" / "img" / f"{number}.png")
    mapping = ("--map", "path=file,label=y,source=kind", "--map", "split=fold")
    code, _ = run(
        "build", table, *mapping, "--real-is", "0", "--map-split", "tr=train,te=test",
        "--root", tmp_path / "data", "-o", tmp_path / "data" / "m.csv",
    )  # fmt: skip
    rows = manifests.read(tmp_path / "data" / "m.csv").rows
    assert code == 0
    assert rows["path"].tolist() == ["img/0.png", "img/1.png"]
    assert rows["label"].tolist() == ["real", "fake"]
    assert rows["split"].tolist() == ["train", "test"]
    assert rows["age"].tolist() == ["3", ""]


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("a,b\n1,2\n", {}, "no column 'path' for path"),
        (
            "path,label,source\na,1,c\n",
            {},
            "line 2: label '1'; expected real or fake",
        ),
        ("path,label,source\na,,c\n", {}, "line 2: label ''"),
        (
            "path,label,source\na,real,c\n",
            {"columns": {"source": "kind"}},
            "'kind' for",
        ),
        (
            "path,label,source,split\na,real,c,dev\n",
            {},
            "unknown split 'dev'; expected train, val, test",
        ),
        (
            "path,label,source,split\na,real,c,dev\n",
            {"split_names": {"dev": "final"}},
            "'final' is none of train",
        ),
        ("path,label,source\na,1,c\n", {"real_is": "0"}, "expected '0'"),
    ],
)
def test_tables_that_do_not_fit(write_csv, text, columns, message):
    table_format = foreign_tables.TableFormat(**columns)
    with pytest.raises(InputError, match=message):
        foreign_tables.from_table(write_csv(text), table_format)


def test_unreadable_tables(tmp_path, write_csv):
    for suffix in ("xlsx", "parquet"):
        path = write_csv("not that format", f"t.{suffix}")
        with pytest.raises(InputError, match=f"cannot be read as .{suffix}"):
            foreign_tables.from_table(path)
        with pytest.raises(MissingFileError, match="does not exist"):
            foreign_tables.from_table(tmp_path / f"none.{suffix}")
    with pytest.raises(InputError, match="has no rows"):
        foreign_tables.from_table(write_csv("x", "t.json"))


def test_repeated_paths_in_a_table_write_nothing(write_csv, run, tmp_path, picture):
    picture(0).save(tmp_path / "a.png")
    table = write_csv("path,label,source\na.png,real,c\na.png,fake,g\n", "t.csv")
    with pytest.raises(InputError, match="duplicate path in line 3"):
        run("build", table, "-o", tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()
    with pytest.raises(InputError, match="'label': expected NAME=NAME"):
        run("build", table, "--map", "label", "-o", tmp_path / "m.csv")
    with pytest.raises(InputError, match="--columns other: known layouts are mudgal"):
        run("build", table, "--columns", "other", "-o", tmp_path / "m.csv")


def test_attributes_by_path_and_by_name(folders, run, write_csv, tmp_path):
    table = write_csv(
        "file_name,gender,attr_glasses,pair_id,label\n"
        "real/cam_a/0.jpg,woman,glasses,p0,odd\nonly.jpg,man,none,p1,odd\n"
        "0.jpg,man,none,p2,odd\n",
        "attributes.csv",
    )
    (folders / "fake" / "gan" / "0.jpg").rename(folders / "fake" / "gan" / "only.jpg")
    run("build", folders, "--attributes", table, "-o", tmp_path / "m.csv")
    rows = manifests.read(tmp_path / "m.csv").rows
    told = rows[rows["attr_gender"] != ""].set_index("source")
    assert told["attr_gender"].to_dict() == {"cam_a": "woman", "gan": "man"}
    assert told["pair_id"].to_dict() == {"cam_a": "p0", "gan": "p1"}
    assert set(rows["label"]) == {"real", "fake"}
    for text, message in (
        ("a,b\n1,2\n", "none of the columns"),
        ("path\na\na\n", "2 rows"),
    ):
        with pytest.raises(InputError, match=message):
            run(
                "build", folders, "--attributes", write_csv(text, "bad.csv"),
                "-o", tmp_path / "n.csv",
            )  # fmt: skip


def test_a_broken_link_is_called_one(folders, run, tmp_path, caplog):
    (folders / "real" / "link.jpg").symlink_to("nowhere.jpg")
    code, _ = run("build", folders, "-o", tmp_path / "m.csv")
    assert code == 0
    assert "link.jpg': broken link" in caplog.text
    assert "--root" not in caplog.text


@pytest.mark.parametrize("name", ["ge\nn", "tab\t", "\x1b[31m", "\u200bzero"])
def test_columns_stay_aligned_where_names_are_escaped(folders, run, tmp_path, name):
    (folders / "fake" / "gan").rename(folders / "fake" / name)
    code, out = run("build", folders, "-o", tmp_path / "m.csv")
    assert code == 0
    lines = out.splitlines()
    header = next(line for line in lines if line.startswith("  folder"))
    end = len(header)
    for line in lines[lines.index(header) :][:6]:
        if line.startswith("  fake/") or line.startswith("  real/"):
            assert len(line) == end, line
