import os
import zlib

import numpy as np
import pytest
from PIL import Image

from kerasfaces import manifest as manifests
from kerasfaces.manifest.check import check


@pytest.fixture
def clean(folders, run, tmp_path):
    """A built and split manifest of 28 images, nothing wrong with it."""
    path = tmp_path / "m.csv"
    assert run("build", folders, "-o", path)[0] == 0
    assert run("split", path, "--ratio", "1:1:1")[0] == 0
    return path


def edit(path, change):
    """Rewrite a manifest's rows."""
    read = manifests.read(path)
    rows = read.rows.copy()
    change(rows)
    manifests.write(manifests.Manifest(rows, read.folder), path)
    return rows


def kinds(path):
    return [(each.kind, each.line) for each in check(path)[1]]


def test_clean_is_one_line_and_zero(clean, run):
    code, out = run("check", clean)
    assert code == 0
    assert out.splitlines() == [f"{clean}: 28 rows, nothing to complain about"]
    code, out = run("check", clean, "--json")
    assert (code, out.strip()) == (0, "[]")


def test_missing_and_unreadable(clean, run):
    files = manifests.read(clean).files()
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:200])
    files[2].write_bytes(b"")
    found = kinds(clean)
    assert ("missing", 2) in found
    assert ("unreadable", 3) in found
    assert ("stale sha256", 3) in found
    assert ("unreadable", 4) in found
    code, out = run("check", clean)
    assert code == 1
    assert "line 2: missing: " in out
    assert "28 rows, 2 unreadable" in out


def test_rows_that_read_refuses_are_found(write_csv, picture, tmp_path):
    for i in range(3):
        picture(i).save(tmp_path / f"{i}.jpg")
    path = write_csv(
        "path,label,source,split\n0.jpg,real,a,train\n0.jpg,real,a,train\n"
        "1.jpg,odd,b,train\n2.jpg,fake,c,dev\n"
    )
    found = kinds(path)
    assert ("duplicate path", 3) in found
    assert ("unknown label", 4) in found
    assert ("unknown split", 5) in found


def test_copies_conflicts_and_leaks(clean):
    read = manifests.read(clean)
    files, rows = read.files(), read.rows
    real = rows.index[rows["label"] == "real"]
    fake = rows.index[rows["label"] == "fake"]
    files[real[1]].write_bytes(files[real[0]].read_bytes())
    files[fake[0]].write_bytes(files[real[0]].read_bytes())

    def different_splits(rows):
        rows.loc[real[0], "split"] = "train"
        rows.loc[[real[1], fake[0]], "split"] = "test"
        rows["sha256"] = ""

    edit(clean, different_splits)
    found = kinds(clean)
    assert ("duplicate content", real[1] + 2) in found
    assert ("label conflict", fake[0] + 2) in found
    assert ("split leak", real[1] + 2) in found
    assert ("split leak", fake[0] + 2) in found


def test_pairs_identities_and_near_duplicates_across_splits(clean, picture):
    read = manifests.read(clean)
    train = [i for i, s in enumerate(read.rows["split"]) if s == "train"]
    test = [i for i, s in enumerate(read.rows["split"]) if s == "test"]

    def join(rows):
        rows["pair_id"] = ""
        rows["identity"] = ""
        rows.loc[[train[0], test[0]], "pair_id"] = "p"
        rows.loc[[train[1], test[1]], "identity"] = "i"
        rows["sha256"] = ""

    edit(clean, join)
    picture(100).save(read.files()[train[2]], quality=95)
    picture(100).save(read.files()[test[2]], quality=70)
    leaks = [each for each in check(clean)[1] if each.kind == "split leak"]
    reasons = " ".join(each.detail for each in leaks)
    assert len(leaks) == 3
    for rule in ("pair id", "identity", "near duplicate"):
        assert f"{rule} joins it to line" in reasons


def test_source_under_both_labels(clean):
    def rename(rows):
        rows.loc[rows["source"] == "gan", "source"] = "cam_a"

    edit(clean, rename)
    found = check(clean)[1]
    assert {each.kind for each in found} == {"label conflict"}
    assert len(found) == 7


def test_class_missing_and_unsplit_rows(clean):
    def one_class(rows):
        rows.loc[(rows["split"] == "val") & (rows["label"] == "fake"), "split"] = "test"
        rows.loc[rows.index[rows["split"] == "train"][0], "split"] = ""

    edit(clean, one_class)
    found = check(clean)[1]
    assert [each.detail for each in found if each.kind == "class missing"] == [
        "no fake row in split val."
    ]
    assert sum(each.kind == "no split" for each in found) == 1


def test_animation_and_hostile_names(tmp_path, run, write_csv, picture):
    frames = [picture(i) for i in (1, 2)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    name = "new\nline 😀.png"
    picture(3).save(tmp_path / name)
    path = write_csv(f'path,label,source\na.gif,real,c\n"{name}",fake,g\n')
    found = check(path)[1]
    assert [(each.kind, each.line) for each in found] == [("animated", 2)]
    assert "2 frames" in found[0].detail
    code, out = run("check", path)
    assert (code, len(out.splitlines())) == (1, 2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_permissions(clean):
    manifests.read(clean).files()[0].chmod(0)
    assert ("unreadable", 2) in kinds(clean)


def test_a_bomb_is_a_finding(tmp_path, write_csv):
    Image.fromarray(np.zeros((1, 1), np.uint8)).save(tmp_path / "b.png")
    data = bytearray((tmp_path / "b.png").read_bytes())
    data[16:24] = (60000).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    (tmp_path / "b.png").write_bytes(data)
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    path = write_csv("path,label,source\na.png,real,c\nb.png,fake,g\n")
    assert kinds(path) == [("unreadable", 3)]
    assert "pixels" in check(path)[1][0].detail


@pytest.mark.parametrize(
    ("kind", "n_frames", "expected"),
    [
        ("MPO", 2, []),  # a phone's photo with its depth map
        ("GIF", 1, []),
        ("GIF", 3, ["animated"]),
        ("PNG", 1, []),
        ("PNG", 3, ["animated"]),
        ("WEBP", 1, []),
        ("WEBP", 3, ["animated"]),
        ("TIFF", 1, []),
        ("TIFF", 2, ["several pictures"]),
    ],
)
def test_several_frames(tmp_path, kind, n_frames, expected):
    frames = [Image.new("RGB", (40, 40), (90 * n, 20, 30)) for n in range(n_frames)]
    path = tmp_path / f"photo.{ {'MPO': 'jpg'}.get(kind, kind.lower()) }".replace(
        " ", ""
    )
    frames[0].save(path, kind, save_all=True, append_images=frames[1:])
    Image.new("RGB", (40, 40), "red").save(tmp_path / "fake.png")
    table = tmp_path / "manifest.csv"
    table.write_text(
        f"path,label,source,split\n{path.name},real,phone,\nfake.png,fake,gan,\n"
    )
    _, found = check(table)
    assert [each.kind for each in found] == expected


def test_a_source_of_two_families_is_reported(tmp_path):
    rows = ["a,fake,g,x", "b,fake,g,x", "c,fake,g,", "d,real,camera,"]
    path = tmp_path / "manifest.csv"
    path.write_text("path,label,source,family\n" + "\n".join(rows) + "\n")
    findings = [f for f in check(path)[1] if f.kind == "family conflict"]
    assert [finding.line for finding in findings] == [4]
    assert "of family 'g' here and of 'x' in line 2" in findings[0].detail
