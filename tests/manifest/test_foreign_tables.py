"""Tables of other people: which columns and labels are meant, where the files are."""

import json

import pytest

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.manifest import foreign_tables


@pytest.fixture
def pictures(tmp_path, picture):
    """Six images, and the rows `(path, label)` of a table beside them."""
    rows = []
    for number in range(6):
        label = "real" if number < 3 else "fake"
        picture(number).save(tmp_path / f"{label}_{number}.jpg", quality=90)
        rows.append((f"{label}_{number}.jpg", label))
    return tmp_path, rows


# The rows of the cases' README

TABLES = {
    "semicolons.csv": lambda rows: "\n".join(";".join(r) for r in rows),
    "tabs.csv": lambda rows: "\n".join("\t".join(r) for r in rows),
    "backslashes.csv": lambda rows: "\n".join(
        [",".join(rows[0]), *(f".\\{p},{lab}" for p, lab in rows[1:])]
    ),
    "metadata.jsonl": lambda rows: "\n".join(
        json.dumps({"file_name": p, "label": lab}) for p, lab in rows[1:]
    ),
    "kaggle.csv": lambda rows: "\n".join(
        [
            ",id,label,label_str,path",
            *(
                f"{i},{p[:-4]},{int(lab == 'real')},{lab},{p}"
                for i, (p, lab) in enumerate(rows[1:])
            ),
        ]
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_of_the_cases_are_read(pictures, run, name):
    folder, rows = pictures
    (folder / name).write_text(TABLES[name]([("path", "label"), *rows]))
    assert run("build", folder / name, "-o", folder / "m.csv")[0] == 0
    read = manifests.read(folder / "m.csv").rows
    assert list(zip(read["path"], read["label"], strict=True)) == rows
    assert read["source"].tolist() == read["label"].tolist()
    assert (read["width_px"] == "48").all()
    assert "" not in read.columns


def test_names_without_extension_are_explained_and_read_with_a_suffix(pictures, run):
    folder, rows = pictures
    table = folder / "no_extension.csv"
    table.write_text("path,label\n" + "\n".join(f"{p[:-4]},{lab}" for p, lab in rows))
    with pytest.raises(InputError, match=r"no extension.*is there: add --suffix \.jpg"):
        run("build", table, "-o", folder / "m.csv")
    run("build", table, "--suffix", ".jpg", "-o", folder / "m.csv")
    assert manifests.read(folder / "m.csv").rows["path"].tolist() == [
        p for p, _ in rows
    ]


def test_label_as_number_and_as_word_are_both_usable(pictures, run, caplog):
    folder, rows = pictures
    table = folder / "kaggle.csv"
    table.write_text(TABLES["kaggle.csv"]([("path", "label"), *rows]))
    for options in ([], ["--map", "label=label_str"], ["--real-is", "1"]):
        run("build", table, *options, "-o", folder / "m.csv", "--overwrite")
        labels = manifests.read(folder / "m.csv").rows["label"].tolist()
        assert labels == [label for _, label in rows]
    assert "'1' means real" in caplog.text
    with pytest.raises(InputError, match="'label_str' says real, 'label' says fake"):
        run("build", table, "--real-is", "0", "-o", folder / "n.csv")
    table.write_text(table.read_text().replace("0,fake", "1,fake", 1))
    with pytest.raises(InputError, match="line 2: 'label' is '1' beside 'label_str'"):
        run("build", table, "-o", folder / "n.csv")


@pytest.mark.parametrize(
    ("labels", "advice"),
    [
        (["0", "1", "1"], r"`real_is=\'1\'`\.$"),
        (["real", "generated", "real"], r"`real_is=\'real\'`\.$"),
        (["photo", "fake", "fake"], r"`real_is=\'photo\'`\.$"),
        (["real", "fake", "fak"], r"label 'fak'; .* Correct these rows\.$"),
        (
            ["cat", "dog", "cow"],
            r"line.* 2, 3, 4: label 'cat'; .* Correct these rows\.$",
        ),
    ],
)
def test_advice_on_labels_never_turns_the_classes_round(write_csv, labels, advice):
    rows = [(f"{i}.jpg", label) for i, label in enumerate(labels)]
    table = write_csv("path,label\n" + "".join(f'"{p}",{x}\n' for p, x in rows))
    with pytest.raises(InputError, match=advice):
        foreign_tables.from_table(table)


def test_the_column_that_the_user_names_holds(write_csv):
    table = write_csv("path,label,label_guess\na.jpg,real,fake\nb.jpg,fake,fake\n")
    with pytest.raises(
        InputError, match=r"which column holds: `columns=\{'label': 'label'\}`\.$"
    ):
        foreign_tables.from_table(table)
    for column, expected in (("label", "real"), ("label_guess", "fake")):
        named = foreign_tables.TableFormat(columns={"label": column})
        assert foreign_tables.from_table(table, named).rows["label"][0] == expected


def test_a_backslash_that_is_part_of_a_name_stays(tmp_path, caplog):
    (tmp_path / "a\\b.jpg").touch()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.jpg").touch()
    (tmp_path / "a" / "c.jpg").touch()
    table = tmp_path / "t.csv"
    table.write_text("path,label\na\\b.jpg,real\na\\c.jpg,fake\n")
    rows = manifests.read(table).rows
    assert rows["path"].tolist() == ["a\\b.jpg", "a/c.jpg"]
    assert "1 of 2 paths have backslashes" in caplog.text


@pytest.mark.parametrize(
    ("place", "written", "advice"),
    [
        ("images", "{}", r"They are in \S*images: add --root \S*images\."),
        (".", "data/old/{}", r"cut 'data/old/' off the paths\."),
        (".", "C:\\photos\\{}", "cut 'C:/photos/' off the paths"),
        ("images", "/gone/{}", r"cut '/gone/' off the paths and add --root \S*images"),
        ("", "/gone/{}", "absolute .*common start off and give --root"),
        ("", "{}", "Relative paths start from .*give another folder with --root"),
    ],
)
def test_root_is_advised_only_where_it_helps(
    tmp_path, picture, run, place, written, advice
):
    home = tmp_path / "set"
    home.mkdir()
    lines = ["path,label"]
    for number in range(4):
        if place:
            (home / place).mkdir(exist_ok=True)
            picture(number).save(home / place / f"{number}.png")
        path = written.format(f"{number}.png")
        lines.append(f"{path},{'real' if number < 2 else 'fake'}")
    (home / "t.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=f"none of the 4 .*{advice}"):
        run("build", home / "t.csv", "-o", home / "m.csv")


def test_paths_made_absolute_are_found_by_root(tmp_path):
    """What `train` says of a manifest whose relative paths start from another folder."""
    from kerasfaces.manifest import image_files

    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").touch()
    said = image_files.of_missing(
        [str(tmp_path / "a.png")], ["file not found"], tmp_path
    )
    assert f"is there: add `root='{tmp_path / 'images'}'`, or cut" in said
