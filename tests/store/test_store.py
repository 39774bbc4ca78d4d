"""The store survives killing, damage and mistaken use."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

from kerasfaces import store
from kerasfaces.core.errors import LockedError, MissingFileError, StoreError
from kerasfaces.store import files

RECIPE = {"kind": "test", "size": 4}


def fill(folder, keys, offset=0.0):
    with store.writing(folder, RECIPE, (4,), "float32") as target:
        values = (
            np.arange(4 * len(keys), dtype="float32").reshape(len(keys), 4) + offset
        )
        target.append(keys, values)
    return values


def test_gather_returns_rows_in_the_order_asked(tmp_path):
    first = fill(tmp_path, ["a", "b"])
    second = fill(tmp_path, ["c"], offset=100)
    opened = store.Store(tmp_path)
    np.testing.assert_array_equal(
        opened.gather(["c", "a", "b", "a"]), [second[0], first[0], first[1], first[0]]
    )


def test_failures_are_named(tmp_path):
    fill(tmp_path, ["a"])
    with store.writing(tmp_path, RECIPE, (4,), "float32") as target:
        target.append_failures({"bad": "truncated\nfile"})
    opened = store.Store(tmp_path)
    assert opened.status("bad") == "truncated file"
    assert "bad" in opened
    with pytest.raises(
        StoreError, match=r"1 of 2 images have no array.*truncated file"
    ):
        opened.gather(["a", "bad"])


def test_half_a_line_of_a_killed_writer_is_cut(tmp_path):
    fill(tmp_path, ["a"])
    with (tmp_path / "index.csv").open("a") as file:
        file.write("deadbeef,shard.n")
    assert len(store.Store(tmp_path)) == 1
    fill(tmp_path, ["b"])
    assert store.Store(tmp_path).status("b") == store.OK


def test_truncated_shard_is_an_error_that_names_it(tmp_path):
    fill(tmp_path, ["a"])
    shard = next(tmp_path.glob("*.npy"))
    shard.write_bytes(shard.read_bytes()[:-4])
    with pytest.raises(StoreError, match=f"{shard.name}: shard is missing or damaged"):
        store.Store(tmp_path).gather(["a"])


def test_shard_of_another_shape_is_an_error(tmp_path):
    fill(tmp_path, ["a"])
    np.save(next(tmp_path.glob("*.npy")), np.zeros((1, 5), "float32"))
    with pytest.raises(
        StoreError, match=r"holds float32 \(5,\), store.json says float32 \(4,\)"
    ):
        store.Store(tmp_path).gather(["a"])


def test_another_recipe_is_refused_and_shown(tmp_path):
    fill(tmp_path, ["a"])
    with (
        pytest.raises(StoreError, match=r"recipe\.size: 4 -> 5"),
        store.writing(tmp_path, {**RECIPE, "size": 5}, (4,), "float32"),
    ):
        pass


def test_an_empty_store_takes_another_recipe(tmp_path):
    other = {**RECIPE, "size": 5}
    with store.writing(tmp_path, RECIPE, (4,), "float32"):
        pass
    with store.writing(tmp_path, other, (5,), "float32") as target:
        assert (target.recipe, target.shape) == (other, (5,))
        target.append_failures({"a": "no face found"})
    with (
        pytest.raises(StoreError, match="written with another recipe"),
        store.writing(tmp_path, RECIPE, (4,), "float32"),
    ):
        pass


def test_a_store_that_lost_its_index_is_not_empty(tmp_path):
    fill(tmp_path, ["a"])
    (tmp_path / "index.csv").unlink()
    with (
        pytest.raises(StoreError, match="written with another recipe"),
        store.writing(tmp_path, {**RECIPE, "size": 5}, (5,), "float32"),
    ):
        pass


def test_foreign_version_and_missing_store(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        store.Store(tmp_path / "nothing")
    (tmp_path / "store.json").write_text('{"format": 99}')
    with pytest.raises(StoreError, match="format 99, this version reads 1"):
        store.Store(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", r"store\.json is damaged: expected an object, got \[\]"),
        ('{"format": 1}', "expected a recipe, got None"),
        ('{"format": 1, "recipe": {}, "shape": [4, "x"]}', "expected a shape, got "),
        ('{"format": 1, "recipe": {}, "shape": [4]}', "expected a dtype, got None"),
        (
            '{"format": 1, "recipe": {}, "shape": [4], "dtype": "O"}',
            "expected a dtype of numbers, got 'O'",
        ),
    ],
)
def test_damaged_meta_is_a_sentence(text, message, tmp_path):
    fill(tmp_path, ["a"])
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(StoreError, match=message):
        store.Store(tmp_path)
    with (
        pytest.raises(StoreError, match=message),
        store.writing(tmp_path, RECIPE, (4,), "float32"),
    ):
        pass


@pytest.mark.parametrize(
    "line", [b"\xff\xfe,a.npy,0,ok\n", b'"' + b"x" * 200_000 + b"\n"]
)
def test_damaged_index_is_a_sentence(line, tmp_path):
    fill(tmp_path, ["a"])
    with (tmp_path / "index.csv").open("ab") as file:
        file.write(line)
    with pytest.raises(StoreError, match=r"index\.csv.*; delete .* and run again\.$"):
        store.Store(tmp_path)


def test_wrong_shape_is_refused(tmp_path):
    with (
        store.writing(tmp_path, RECIPE, (4,), "float32") as target,
        pytest.raises(
            StoreError, match=r"expected an array of shape \(1, 4\), got \(1, 3\)"
        ),
    ):
        target.append(["a"], np.zeros((1, 3)))


def test_one_writer_at_a_time(tmp_path):
    with (
        store.writing(tmp_path, RECIPE, (4,), "float32"),
        pytest.raises(
            LockedError, match=f"another process .pid {os.getpid()}. is writing"
        ),
        store.writing(tmp_path, RECIPE, (4,), "float32"),
    ):
        pass


def write_until_killed(folder):
    for number in range(10_000):
        fill(folder, [f"{number}-{i}" for i in range(8)])


def test_kill_at_any_moment_keeps_what_was_finished(tmp_path):
    process = multiprocessing.get_context("spawn").Process(
        target=write_until_killed, args=(tmp_path,)
    )
    process.start()
    while not (tmp_path / "index.csv").exists() or len(store.Store(tmp_path)) < 40:
        assert process.is_alive()
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    opened = store.Store(tmp_path)
    keys = list(opened._entries)
    assert opened.gather(keys).shape == (len(keys), 4)
    fill(tmp_path, ["after"])


def test_full_disk_is_an_oserror_with_its_number(tmp_path, monkeypatch):
    class Full:
        def write(self, _):
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left") as caught:
        files.write_npy(Full(), np.zeros(3))
    assert caught.value.errno == 28


def test_batches_that_are_held_are_not_overwritten(tmp_path):
    with store.writing(tmp_path, RECIPE, (64, 64), "float32") as target:
        target.append(
            [str(number) for number in range(8)],
            np.arange(8)[:, None, None] + np.zeros((64, 64)),
        )
    reader = store.Store(tmp_path).reader([str(number) for number in range(8)])
    held = [reader(np.array([a, b])) for a in range(8) for b in range(8)]
    for number, array in enumerate(held):
        assert array[:, 0, 0].tolist() == [number // 8, number % 8]
    part = held[9][1, 3]
    del held, array
    for number in range(8):
        reader(np.array([number, 0]))
    assert (part == 1).all()
    assert reader(np.array([2])).ctypes.data % 64 == 0
