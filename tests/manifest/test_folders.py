"""Data sets in their own layouts: what every folder is, by the words in its path."""

import logging

import pytest
from folder_reading import from_folders

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError

KAGGLE = "real_vs_fake/real-vs-fake"
# Folder: (label, split, source)
LAYOUTS = {
    "kaggle140k": {
        f"{KAGGLE}/{theirs}/{label}": (label, ours, label)
        for theirs, ours in (("train", "train"), ("valid", "val"), ("test", "test"))
        for label in ("real", "fake")
    },
    "cifake": {
        f"{split}/{label.upper()}": (label, split, label)
        for split in ("train", "test")
        for label in ("real", "fake")
    },
    "cnndetection": {
        f"{split}/progan/{folder}": (label, split, source)
        for split in ("train", "val", "test")
        for folder, label, source in (
            ("0_real", "real", "progan_real"),
            ("1_fake", "fake", "progan"),
        )
    },
    "cnndetection with categories": {
        f"test/progan/{content}/{folder}": (label, "test", source)
        for content in ("cat", "dog")
        for folder, label, source in (
            ("0_real", "real", "progan_real"),
            ("1_fake", "fake", "progan"),
        )
    },
    "categories below the class": {
        f"progan/{folder}/{content}": (label, "", source)
        for content in ("cat", "dog")
        for folder, label, source in (
            ("0_real", "real", "progan_real"),
            ("1_fake", "fake", "progan"),
        )
    },
    "genimage": {
        f"{name}/{split}/{folder}": (label, split, f"{name}{end}")
        for name in ("Midjourney", "sdv5")
        for split in ("train", "val")
        for folder, label, end in (("nature", "real", "_real"), ("ai", "fake", ""))
    },
    "training_prefix": {
        "training_real": ("real", "", "real"),
        "training_fake": ("fake", "", "fake"),
    },
    "prefixes": {
        f"{split}_{label}": (label, split, label)
        for split in ("train", "test")
        for label in ("real", "fake")
    },
    "capitals": {"Real": ("real", "", "real"), "Fake": ("fake", "", "fake")},
    "celebdf": {
        "Celeb-real": ("real", "", "Celeb-real"),
        "YouTube-real": ("real", "", "YouTube-real"),
        "Celeb-synthesis": ("fake", "", "Celeb-synthesis"),
    },
    "shards": {
        **{f"real/{k:05d}": ("real", "", "real") for k in range(0, 4000, 1000)},
        "fake/stylegan": ("fake", "", "stylegan"),
    },
    "faceforensics": {
        "original_sequences/youtube/c23": ("real", "", "youtube"),
        "manipulated_sequences/Deepfakes/c23": ("fake", "", "Deepfakes"),
        "manipulated_sequences/FaceSwap/c23": ("fake", "", "FaceSwap"),
    },
    "split below the class": {
        "real/train": ("real", "train", "real"),
        "real/test": ("real", "test", "real"),
        "fake/stylegan/train/part_01": ("fake", "train", "stylegan"),
        "fake/stylegan/test/part_02": ("fake", "test", "stylegan"),
    },
    "split in the source's name": {
        f"{label}/{source}_{split}": (label, split, source)
        for label, source in (("real", "ffhq"), ("fake", "sd"))
        for split in ("train", "test")
    },
    "words in names": {
        "fake/real_esrgan": ("fake", "", "real_esrgan"),
        "fake/realistic_vision": ("fake", "", "realistic_vision"),
        "fake/train_station": ("fake", "", "train_station"),
        "real/natural_history": ("real", "", "natural_history"),
    },
    "a title for both classes": {
        "deepfake_db/Celeb-real": ("real", "", "Celeb-real"),
        "deepfake_db/Celeb-synthesis": ("fake", "", "Celeb-synthesis"),
    },
    "sizes": {
        "real/ffhq/256x256": ("real", "", "ffhq"),
        "fake/256": ("fake", "", "fake"),
    },
}


@pytest.fixture
def grow(tmp_path, picture):
    """Return a function that makes a tree with two images in each folder."""
    made = {"n": 0}

    def make(folders, name="data", size_px=48):
        root = tmp_path / name
        for folder in folders:
            (root / folder).mkdir(parents=True, exist_ok=True)
            for _ in range(2):
                image = picture(made["n"], size_px)
                image.save(root / folder / f"{made['n']}.png")
                made["n"] += 1
        return root

    return make


def read_as(rows):
    """Return folder -> (label, split, source), each folder read one way."""
    folders = rows["path"].str.rpartition("/")[0]
    columns = zip(rows["label"], rows["split"], rows["source"], strict=True)
    found = {}
    for folder, answer in zip(folders, columns, strict=True):
        assert found.setdefault(folder, answer) == answer
    return found


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(grow, name):
    rows = from_folders(grow(LAYOUTS[name])).rows
    assert read_as(rows) == LAYOUTS[name]
    assert len(rows) == 2 * len(LAYOUTS[name])


def test_the_command_prints_how_it_read_the_tree(grow, run, tmp_path):
    root = grow(LAYOUTS["cnndetection"])
    code, out = run("build", root, "-o", tmp_path / "m.csv")
    assert code == 0
    assert f"{root}, as it was read:" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["val/progan/0_real", "real", "val", "progan_real", "2"] in lines
    rows = manifests.read(tmp_path / "m.csv").rows
    assert set(rows["split"]) == {"train", "val", "test"}


def test_from_any_folder_below(grow):
    root = grow(LAYOUTS["kaggle140k"], "kaggle") / KAGGLE
    assert set(from_folders(root).rows["split"]) == {"train", "val", "test"}
    for theirs, ours in (("train", "train"), ("valid", "val"), ("test", "test")):
        rows = from_folders(root / theirs).rows
        assert read_as(rows) == {"real": ("real", ours, "real"), "fake": ("fake", ours, "fake")}  # fmt: skip
    root = grow(LAYOUTS["cnndetection"], "cnn") / "test" / "progan"
    assert read_as(from_folders(root).rows) == {
        "0_real": ("real", "test", "progan_real"),
        "1_fake": ("fake", "test", "progan"),
    }
    root = grow(LAYOUTS["genimage"], "genimage") / "Midjourney"
    assert set(from_folders(root).rows["source"]) == {"Midjourney", "Midjourney_real"}


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        (["photos", "portraits"], r"no word for a class in 'photos' \(2 images\)"),
        (["real/fake/a", "fake/b"], r"'real/fake/a' says both classes \('real' and"),
        (["x/real", "fake", "x/holiday"], "no word for a class in 'x/holiday'"),
        (["train/real", "train/fake", "fake/sd"], "some do not: 'fake/sd'"),
        (["train/test/real", "train/fake"], "says test and train"),
        (["real/dev", "fake/train"], "'dev', which is validation in some data sets"),
        (["real/ffhq_test", "fake/sd"], "'ffhq_test': a split, or part of a name"),
        (["real/a_train", "fake/b_test"], "a split, or part of a name"),
        (["real/train/ffhq_test", "fake/train"], "says test and train"),
        (["real/a", "real/b"], r"no fake images among 'real/a' \(2\), 'real/b' \(2\)"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_with_what_was_seen(
    grow, folders, message
):
    with pytest.raises(InputError, match=message):
        from_folders(grow(folders))


def test_a_table_beside_the_images_is_named(grow):
    root = grow(["."])
    (root / "metadata.jsonl").touch()
    with pytest.raises(
        InputError, match=r"data: no word for .*build .*metadata\.jsonl"
    ):
        from_folders(root)


def test_what_could_be_read_otherwise_is_said(grow, run, tmp_path):
    root = grow(["real/test_subjects", "fake/sd", "preview"])
    code, out = run("build", root, "-o", tmp_path / "m.csv")
    assert code == 0
    assert "note: 'test_subjects' is taken as a name, not as a split" in out
    assert (
        "left out, because they lie in no class's folder: 'preview' (2 images)" in out
    )
    assert set(manifests.read(tmp_path / "m.csv").rows["source"]) == {
        "test_subjects",
        "sd",
    }


def test_the_users_own_words(grow, run, tmp_path):
    root = grow(["real/dev", "fake/dev", "real/train", "fake/train"])
    out = tmp_path / "m.csv"
    options = ("--map-split", "dev=test", "--source", "mine", "-o", out)
    assert run("build", root, *options)[0] == 0
    rows = manifests.read(out).rows
    assert set(rows["split"]) == {"train", "test"}
    assert set(rows["source"]) == {"mine", "mine_real"}
    with pytest.raises(InputError, match="'final' is none of train"):
        run("build", root, "--map-split", "dev=final", "-o", tmp_path / "n.csv")


def test_several_inputs_each_with_options_of_its_own(grow, run, write_csv, tmp_path):
    one = grow(["real", "fake/sd"], "one")
    two = grow(["x"], "two")
    three = grow(["y"], "three")
    table = write_csv(f"path,label,source\n{three}/y/6.png,fake,gan\n{three}/y/7.png,real,cam\n")  # fmt: skip
    out = tmp_path / "out" / "m.csv"
    code, text = run(
        "build", one, "--split-is", "train", two, "--label-is", "real", "--source",
        "holiday", "--split-is=val", table, "--split-is", "test", "-o", out,
    )  # fmt: skip
    assert code == 0
    assert "as it was read" in text
    rows = manifests.read(out).rows
    found = sorted(zip(rows["label"], rows["source"], rows["split"], strict=True))
    assert found == sorted(
        [("real", "one", "train"), ("fake", "sd", "train"), ("real", "holiday", "val")]
        * 2
        + [("fake", "gan", "test"), ("real", "cam", "test")]
    )
    assert all(file.is_file() for file in manifests.read(out).files())


def test_an_option_before_all_inputs_is_for_all_of_them(grow, run, tmp_path):
    one, two = grow(["real", "fake"], "one"), grow(["real", "fake"], "two")
    out = tmp_path / "m.csv"
    command = (
        "build",
        "--split-is",
        "test",
        one,
        two,
        "--split-is",
        "train",
        "-o",
        out,
    )
    assert run(*command)[0] == 0
    rows = manifests.read(out).rows
    assert rows.groupby("split")["path"].count().to_dict() == {"test": 4, "train": 4}
    with pytest.raises(SystemExit, match="2"):
        run("build", one, "--split-is", "test", "--split-is", "val", "-o", out)


def test_folders_of_several_splits_given_one_by_one(grow, run, tmp_path):
    root = grow(LAYOUTS["cnndetection"])
    some = [root / split / "progan" for split in ("train", "test")]
    assert run("build", *some, "-o", tmp_path / "m.csv")[0] == 0
    rows = manifests.read(tmp_path / "m.csv").rows
    assert set(rows["split"]) == {"train", "test"}
    assert set(rows["source"]) == {"progan", "progan_real"}


def test_one_image_in_two_inputs_splits_is_refused(grow, run, tmp_path):
    one, two = grow(["real", "fake"], "one"), grow(["real", "fake"], "two")
    (two / "real" / "again.png").write_bytes((one / "real" / "0.png").read_bytes())
    command = ("build", one, "--split-is", "train", two, "--split-is", "test")
    with pytest.raises(InputError, match=r"1 image is in two splits .*again\.png"):
        run(*command, "-o", tmp_path / "m.csv")
    with pytest.raises(InputError, match=r"0\.png lies in .*give one of the two"):
        run("build", one, one / "real", "-o", tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()


def test_validation_is_cut_from_train_and_test_stays(grow, run, tmp_path, caplog):
    folders = [f"{path}/{i}" for path in LAYOUTS["cifake"] for i in range(6)]
    root = grow(folders)
    with caplog.at_level(logging.WARNING):
        run("build", root, "-o", tmp_path / "m.csv")
    assert "Cut it from train: `data.split(validation_from='train')`" in caplog.text
    command = f"kerasfaces manifest split {tmp_path / 'm.csv'} --validation-from train"
    before = manifests.read(tmp_path / "m.csv").rows
    assert run(*command.split()[2:])[0] == 0
    after = manifests.read(tmp_path / "m.csv").rows
    assert after.groupby("split")["path"].count().to_dict() == {
        "test": 24,
        "train": 20,
        "val": 4,
    }
    assert (after["split"] == "test").equals(before["split"] == "test")
    code, _ = run("build", root, "--validation-from", "train", "-o", tmp_path / "n.csv")
    assert code == 0
    assert manifests.read(tmp_path / "n.csv").rows.equals(after)
    with pytest.raises(InputError, match="20 train, 4 val"):
        run("split", tmp_path / "m.csv", "--validation-from", "train")
