"""A table of answers: continued behind the last whole group, whatever it was cut off at."""

import csv
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from stub_detector import Stub

from kerasfaces.core.errors import InputError, LockedError
from kerasfaces.serve.answer import Options, answer_groups
from kerasfaces.serve.answers_file import COLUMNS, AnswersFile

QUICK = Options.quick()


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    names = [f"{number:03d}.png" for number in range(200)]
    names[7], names[9] = "a,b\n\rc.png", "a\udcff.png"
    for number, name in enumerate(names):
        Image.new("RGB", (40, 40), (number,) * 3).save(folder / name)
    (folder / names[11]).write_text("no image")
    return [folder / name for name in names]


def write(table, files, until=None, identity=None):
    detector = Stub()
    with AnswersFile.open(table, identity or {"a": 1}, files) as written:
        start = written.n_done
        for n, group in enumerate(answer_groups(files[start:], detector, QUICK)):
            if until is not None and n == until:
                raise KeyboardInterrupt
            written.write(group)
    return start, written


def partials(table):
    return list(table.parent.glob(".*.partial"))


def test_a_whole_table(files, tmp_path):
    table = tmp_path / "t.csv"
    _, written = write(table, files)
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["path"] for row in rows] == [str(file) for file in files]
    assert float(rows[0]["logit"]) == -12.75
    assert (rows[11]["verdict"], rows[11]["score"]) == ("", "")
    assert "not an image" in rows[11]["reason"]
    assert written.counts[""] == 1
    assert written.first_reason[0] == str(files[11])
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".t.csv.json", "photos", "t.csv"]


@pytest.mark.parametrize("cut", [0, 1, 200])
def test_a_cut_off_table_continues_behind_its_last_group(files, tmp_path, cut):
    whole, table = tmp_path / "w.csv", tmp_path / "t.csv"
    write(whole, files)
    with pytest.raises(KeyboardInterrupt):
        write(table, files, until=2)
    assert not table.exists()
    (partial,) = partials(table)
    if cut:
        os.truncate(partial, partial.stat().st_size - cut)
    start, written = write(table, files)
    assert start == (65 if cut else 129)  # groups of 64 that are readable
    assert table.read_bytes() == whole.read_bytes()
    assert written.counts.total() == 200
    assert partials(table) == []


def test_what_changed_is_answered_again(files, tmp_path):
    table = tmp_path / "t.csv"
    with pytest.raises(KeyboardInterrupt):
        write(table, files, until=2)
    Image.new("RGB", (41, 40), (255,) * 3).save(files[3])
    os.utime(files[3], ns=(1, 1))
    assert write(table, files)[0] == 0
    table.unlink()
    with pytest.raises(KeyboardInterrupt):
        write(table, files, until=2)
    assert write(table, files, identity={"a": 2})[0] == 0
    assert partials(table) == []


def test_one_writer_at_a_time(files, tmp_path):
    table = tmp_path / "t.csv"
    with AnswersFile.open(table, {}, []), pytest.raises(LockedError, match=r"t\.csv"):
        write(table, files)


def test_other_files_stay(tmp_path):
    for content in ("photo", "path,label\n"):
        (tmp_path / "t.csv").write_text(content)
        with pytest.raises(InputError, match="is no table of predict's"):
            write(tmp_path / "t.csv", [])
        assert (tmp_path / "t.csv").read_text() == content
    (tmp_path / "t.csv").write_text("path,verdict,score,logit,reason\n")  # an older one
    write(tmp_path / "t.csv", [])


def test_a_finished_table_is_found_again_and_not_replaced(files, tmp_path):
    table = tmp_path / "t.csv"
    first = write(table, files[:70])[1]
    content = table.read_bytes()
    start, again = write(table, files[:70])
    assert (start, again.counts) == (70, first.counts)
    assert again.first_reason == first.first_reason
    for asked, identity, words in (
        (files[:70], {"a": 2}, r"made otherwise \(a: 1 -> 2\); give the table another"),
        (files[5:70], {"a": 1}, r"answers '.*000\.png', which is not asked for now"),
    ):
        with pytest.raises(InputError, match=words):
            write(table, asked, identity=identity)
        assert table.read_bytes() == content
    assert write(table, files[:80])[0] == 0  # a folder that grew
    assert len(table.read_bytes()) > len(content)
    Image.new("RGB", (41, 40), (255,) * 3).save(files[3])
    assert write(table, files[:80])[0] == 0
    (tmp_path / ".t.csv.json").unlink()
    with pytest.raises(InputError, match="nothing beside it says"):
        write(table, files[:80])


def test_killed_between_table_and_record_it_is_answered_again(
    files, tmp_path, monkeypatch
):
    from kerasfaces.serve import answers_record

    record = answers_record.write

    def killed(*words, **complete):
        if complete:
            raise KeyboardInterrupt
        record(*words)

    table = tmp_path / "t.csv"
    with monkeypatch.context() as patch:
        patch.setattr(answers_record, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            write(table, files[:70])
    assert table.exists()
    assert write(table, files[:70])[0] > 0  # its lines are still there
    assert write(table, files[:70])[1].n_done == 70


SCRIPT = """
import os, pathlib, sys, resource
sys.path[:0] = {paths!r}
from stub_detector import Stub
from kerasfaces.serve.answer import Options, answer_groups
from kerasfaces.serve.answers_file import AnswersFile
folder, die_at = pathlib.Path(sys.argv[1]), int(sys.argv[2])
files = [folder / "photos" / name for name in sorted(os.listdir(folder / "photos"))]
done = 0
with AnswersFile.open(folder / "t.csv", {{}}, files) as table:
    print("start", table.n_done, flush=True)
    for group in answer_groups(files[table.n_done :], Stub(), Options.quick()):
        table.write(group)
        if done < 500 <= done + len(group):
            print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, flush=True)
        done += len(group)
        if die_at and table.n_done >= die_at:
            os.kill(os.getpid(), 9)
print("memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print("counts", table.counts.total())
"""


def check_many(tmp_path, count, growth_kb):
    photos = tmp_path / "photos"
    photos.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    for number in range(count):
        path, start = photos / f"{number}.jpg", number // 30000 * 30000
        if number == start:  # a file has so many names at most
            Image.fromarray(noise).save(path)
        else:
            os.link(photos / f"{start}.jpg", path)
    script = SCRIPT.format(paths=[path for path in sys.path if path])

    def run(die_at):
        words = [sys.executable, "-c", script, str(tmp_path), str(die_at)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        return done, [line.split() for line in done.stdout.splitlines()]

    killed, lines = run(count * 2 // 3)
    assert killed.returncode == -signal.SIGKILL
    assert lines[0] == ["start", "0"]
    assert not (tmp_path / "t.csv").exists()
    done, lines = run(0)
    assert done.returncode == 0, done.stderr
    assert int(lines[0][1]) >= count * 2 // 3
    assert lines[-1] == ["counts", str(count)]
    early, late = (int(line[1]) for line in lines if line[0] == "memory")
    assert late - early < growth_kb
    with (tmp_path / "t.csv").open() as file:
        assert sum(1 for _ in file) == count + 1


def test_two_thousand_files_continue_after_kill(tmp_path):
    check_many(tmp_path, 2000, 4_000)


@pytest.mark.slow
def test_a_hundred_thousand_files_stream(tmp_path):
    check_many(tmp_path, 100_000, 20_000)
