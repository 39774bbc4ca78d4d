"""The sample as users meet it: files, manifest, command."""

import csv
import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasfaces import sample
from kerasfaces.cli.sample import main
from kerasfaces.core.errors import InputError
from kerasfaces.sample import build, pair
from kerasfaces.sample.decoders import DECODERS

PAIRS = 28


@pytest.fixture(scope="module", autouse=True)
def small_pictures():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pair, "SIZE_PX", 48)
        yield


def one_process(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})


def read(manifest: Path) -> list[dict[str, str]]:
    with manifest.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def made(small_pictures, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        one_process(patch)
        return sample.make(tmp_path_factory.mktemp("sample"), seed=5, pairs=PAIRS)


def test_manifest_lists_every_picture_with_its_facts(made):
    rows = read(made)
    assert len(rows) == 2 * PAIRS
    assert tuple(rows[0]) == build.COLUMNS
    for row in rows:
        data = (made.parent / row["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        with Image.open(made.parent / row["path"]) as image:
            size = (int(row["width_px"]), int(row["height_px"]))
            assert (image.format, image.size) == (row["format"], size)


def test_classes_and_generators_are_balanced_in_every_split(made):
    counts = Counter((row["split"], row["source"]) for row in read(made))
    for split, share in build.SPLITS:
        assert {counts[split, name] for name in DECODERS} == {share}
        assert counts[split, build.CAMERA] == share * len(DECODERS)


def test_a_pair_has_one_split_and_one_set_of_attributes(made):
    pairs = defaultdict(list)
    for row in read(made):
        pairs[row["pair_id"]].append(row)
    for rows in pairs.values():
        assert sorted(row["label"] for row in rows) == ["fake", "real"]
        for column in ("split", *build.ATTRIBUTES):
            assert rows[0][column] == rows[1][column] != ""


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("attr_gender", {"man", "woman"}),
        ("attr_race", {"asian", "black", "white", "latino_hispanic"}),
        ("attr_expression", {"positive", "neutral", "negative"}),
        ("attr_glasses", {"glasses", "no_glasses"}),
    ],
)
def test_every_attribute_group_occurs(made, column, values):
    assert {row[column] for row in read(made)} == values


def test_both_classes_have_the_same_encoder(made):
    facts = set()
    for row in read(made):
        with Image.open(made.parent / row["path"]) as image:
            tables = tuple(tuple(table) for table in image.quantization.values())
            facts.add((tables, image.size, image.layers, str(image.layer), image.mode))
            assert not image.getexif()
    assert len(facts) == 1


def test_same_seed_same_bytes(made, tmp_path, monkeypatch):
    one_process(monkeypatch)
    again = sample.make(tmp_path / "again", seed=5, pairs=PAIRS)
    assert contents(again.parent) == contents(made.parent)


def test_other_seed_other_people(made):
    other = pair.make_pair(6, 0, DECODERS["vae8x"], pair.SIZE_PX)[0]
    with Image.open(made.parent / "real/00000.jpg") as image:
        assert np.abs(np.asarray(image, float) - other).mean() > 5


def test_finished_folder_is_reused(made, monkeypatch):
    monkeypatch.setattr(build, "_write_pair", None)
    before = made.stat().st_mtime_ns
    assert sample.make(made.parent, seed=5, pairs=PAIRS) == made
    assert made.stat().st_mtime_ns == before


def test_killed_halfway_continues_to_the_same_bytes(made, tmp_path, monkeypatch):
    one_process(monkeypatch)
    write, calls = build._write_pair, []

    def dying(folder, seed, entries):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(entries)
        return write(folder, seed, entries)

    monkeypatch.setattr(build, "_write_pair", dying)
    with pytest.raises(KeyboardInterrupt):
        sample.make(tmp_path, seed=5, pairs=PAIRS)
    assert not (tmp_path / "manifest.csv").exists()
    done = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.jpg")}
    assert done
    monkeypatch.setattr(build, "_write_pair", write)
    sample.make(tmp_path, seed=5, pairs=PAIRS)
    assert contents(tmp_path) == contents(made.parent)
    assert {path: path.stat().st_mtime_ns for path in done} == done


def test_a_lost_picture_is_made_again(made, tmp_path, monkeypatch):
    one_process(monkeypatch)
    sample.make(tmp_path, seed=5, pairs=PAIRS)
    (tmp_path / "real" / "00003.jpg").unlink()
    sample.make(tmp_path, seed=5, pairs=PAIRS)
    assert contents(tmp_path) == contents(made.parent)


def test_bytes_per_pixel_do_not_tell_the_classes_apart(made):
    from sklearn.metrics import roc_auc_score

    rows = read(made)
    sizes = [(made.parent / row["path"]).stat().st_size for row in rows]
    auc = roc_auc_score([row["label"] == "fake" for row in rows], sizes)
    assert 0.35 < auc < 0.65


def test_a_file_in_the_way(tmp_path):
    file = tmp_path / "taken"
    file.write_text("mine")
    with pytest.raises(InputError, match=r"taken is a file; expected a new or empty"):
        sample.make(file)
    assert file.read_text() == "mine"


def test_a_foreign_folder(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match=r"is not empty and holds no sample\.json"):
        sample.make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_another_sample_in_the_folder(made):
    with pytest.raises(InputError, match=r"holds another sample .*choose another path"):
        sample.make(made.parent, seed=6, pairs=PAIRS)


@pytest.mark.parametrize("pairs", [0, -3, 27])
def test_too_few_pairs(tmp_path, pairs):
    with pytest.raises(InputError, match=rf"at least 28 pairs.*got {pairs}"):
        sample.make(tmp_path / "new", pairs=pairs)


def test_command_prints_the_manifest_and_a_contact_sheet(made, tmp_path, capsys):
    sheet = tmp_path / "sheet.png"
    arguments = ["-o", str(made.parent), "--seed", "5", "--pairs", str(PAIRS)]
    assert main([*arguments, "--contact-sheet", str(sheet)]) == 0
    assert capsys.readouterr().out.splitlines() == [str(made), str(sheet)]
    with Image.open(sheet) as image:
        assert image.size == (8 * pair.SIZE_PX, 6 * pair.SIZE_PX)


def test_contact_sheet_of_an_unknown_kind(made, tmp_path):
    arguments = ["-o", str(made.parent), "--seed", "5", "--pairs", str(PAIRS)]
    with pytest.raises(InputError, match=r"is a \.png, \.jpg or \.webp, got '\.gif'"):
        main([*arguments, "--contact-sheet", str(tmp_path / "sheet.gif")])


def test_help_is_light_and_shows_examples():
    code = (
        "import sys; from kerasfaces.cli.sample import main\n"
        "try: main(['--help'])\n"
        "finally: sys.stderr.write(str('numpy' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "False")
    assert "examples:" in done.stdout


def test_user_mistake_ends_in_one_sentence_and_code_2(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "kerasfaces.sample", "-o", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_worker_processes_give_the_same_bytes_at_full_size(tmp_path, monkeypatch):
    from sklearn.metrics import roc_auc_score

    monkeypatch.setattr(pair, "SIZE_PX", 160)  # what worker processes use
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    several = sample.make(tmp_path / "several", seed=5, pairs=60)
    one_process(monkeypatch)
    one = sample.make(tmp_path / "one", seed=5, pairs=60)
    assert contents(one.parent) == contents(several.parent)
    rows = read(one)
    sizes = [(one.parent / row["path"]).stat().st_size for row in rows]
    auc = roc_auc_score([row["label"] == "fake" for row in rows], sizes)
    assert 0.4 < auc < 0.6
