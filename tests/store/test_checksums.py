"""Damage that leaves a shard's form whole is seen, and mended."""

import hashlib

import numpy as np
import pytest

from kerasfaces import store
from kerasfaces.channels import integrity
from kerasfaces.core.errors import StoreError
from kerasfaces.store import checksums, files

RECIPE = {"kind": "test"}


def fill(folder, keys, value=1.0):
    with store.writing(folder, RECIPE, (8,), "float32") as target:
        target.append(keys, np.full((len(keys), 8), value))


def shard_of(folder, key):
    return folder / store.Store(folder).entries[key].shard


def zero(path):
    """Put zeros in the middle of a file: its header and length stay."""
    data = bytearray(path.read_bytes())
    data[140:160] = bytes(20)
    path.write_bytes(data)


def test_every_shard_has_the_checksum_of_its_file(tmp_path):
    fill(tmp_path, ["a", "b"])
    fill(tmp_path, ["c"])
    found = checksums.read(tmp_path)
    assert found == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tmp_path.glob("*.npy")
    }
    assert len(found) == 2


def test_zeros_inside_a_shard_are_found_and_repaired(tmp_path):
    fill(tmp_path, ["a", "b"])
    fill(tmp_path, ["c"])
    damaged = shard_of(tmp_path, "a")
    zero(damaged)
    assert [finding.text() for finding in integrity.verify(tmp_path)] == [
        f"{damaged.name}: is damaged (it does not match its checksum) (2 images)"
    ]
    integrity.repair(tmp_path)
    assert list(store.Store(tmp_path).entries) == ["c"]
    assert list(checksums.read(tmp_path)) == [shard_of(tmp_path, "c").name]
    fill(tmp_path, ["a", "b"])
    assert integrity.verify(tmp_path) == []


def test_a_store_without_checksums_opens_and_repair_gives_them(tmp_path):
    fill(tmp_path, ["a"])
    (tmp_path / checksums.FILE).unlink()
    fill(tmp_path, ["b"])
    old = shard_of(tmp_path, "a")
    assert integrity.verify(tmp_path) == []
    assert integrity.unhashed(tmp_path) == [old.name]
    integrity.repair(tmp_path)
    assert integrity.unhashed(tmp_path) == []
    zero(old)
    assert [finding.file for finding in integrity.verify(tmp_path)] == [old.name]


@pytest.mark.parametrize("step", ["append", "_append_index"])
def test_killed_between_a_shard_and_its_lists(step, tmp_path, monkeypatch):
    fill(tmp_path, ["a"])

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checksums if step == "append" else store.Store, step, die)
        with pytest.raises(KeyboardInterrupt):
            fill(tmp_path, ["b"], value=2.0)
    assert [finding.problem for finding in integrity.verify(tmp_path)] == [
        "is not in the index"
    ]
    fill(tmp_path, ["b"], value=3.0)
    assert integrity.verify(tmp_path) == []
    assert integrity.unhashed(tmp_path) == []


def test_half_a_line_and_garbage_cost_one_checksum_at_most(tmp_path):
    fill(tmp_path, ["a"])
    path = tmp_path / checksums.FILE
    with path.open("ab") as file:
        file.write(b"\xff\x00 no checksum\n" + b"0" * 64 + b"  half")
    fill(tmp_path, ["b"])
    assert integrity.unhashed(tmp_path) == []
    assert path.read_bytes().count(b"half") == 0


def test_a_shard_a_little_short_is_noticed_by_a_quick_look(tmp_path):
    fill(tmp_path, [str(number) for number in range(20)])
    shard = shard_of(tmp_path, "0")
    whole = shard.read_bytes()
    assert len(whole) == 128 + 20 * 8 * 4
    store.Store(tmp_path).check()
    for data in (whole[:-100], whole + b"\0"):
        shard.write_bytes(data)
        with pytest.raises(
            StoreError, match=rf"{len(data):,} bytes, expected 768\); delete"
        ):
            store.Store(tmp_path).check()
    np.save(shard, np.ones((19, 8), np.float32))
    with pytest.raises(StoreError, match=r"too few rows .*the index names 20"):
        store.Store(tmp_path).check()
    shard.unlink()
    with pytest.raises(StoreError, match="shard is missing"):
        store.Store(tmp_path).check()


@pytest.mark.parametrize("header", [b"{'descr': '<f4', 'x", b"\0" * 20, b"({'"])
def test_a_damaged_header_is_a_sentence(header, tmp_path):
    """NumPy lets its tokenizer's errors through."""
    fill(tmp_path, ["a"])
    shard = shard_of(tmp_path, "a")
    data = bytearray(shard.read_bytes())
    data[10:128] = header.ljust(118)
    shard.write_bytes(data)
    assert files.size_problem(shard, 1).startswith("is damaged (")
    assert [finding.file for finding in integrity.verify(tmp_path)] == [shard.name]
    with pytest.raises(StoreError, match="shard is missing or damaged"):
        store.Store(tmp_path).gather(["a"])
