"""One set of pixels: decoded once, the same for everybody, hostile files counted."""

import os
from pathlib import Path

import numpy as np
from PIL import Image

from kerasfaces import images
from kerasfaces.core.engine import Engine
from kerasfaces.dataset import cache, file_facts
from kerasfaces.images import InputSpec

SPEC = InputSpec(size_px=32)


def files_of(root):
    return sorted(root.rglob("*.png"))


def test_cache_holds_exactly_the_loader_s_pixels(tiny_images):
    files = files_of(tiny_images)
    cached = cache.cache_images(files, SPEC)
    assert cached.reasons == [""] * len(files)
    expected = np.stack([images.load_array(path, SPEC) for path in files])
    np.testing.assert_array_equal(cached.store.gather(cached.keys), expected)


def test_second_call_decodes_nothing(tiny_images, monkeypatch):
    files = files_of(tiny_images)
    first = cache.cache_images(files, SPEC)

    def forbidden(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(cache, "decode_all", forbidden)
    assert cache.cache_images(files, SPEC).keys == first.keys


def test_changed_file_is_read_again(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (8, 8), "red").save(path)
    first = cache.cache_images([path], SPEC).keys
    Image.new("RGB", (8, 8), "blue").save(path)
    os.utime(path, ns=(1, 1))
    second = cache.cache_images([path], SPEC).keys
    assert first != second


def test_workers_and_this_process_agree(tiny_images):
    files = files_of(tiny_images)
    here = list(cache.decode_all(files, SPEC, Engine(workers=1)))
    there = list(cache.decode_all(files, SPEC, Engine(workers=2)))
    assert [item.path for item in there] == files
    for a, b in zip(here, there, strict=True):
        assert a.sha256 == b.sha256
        np.testing.assert_array_equal(a.array, b.array)


def test_hostile_files_are_counted_and_named(tmp_path):
    good = tmp_path / "sp ace\n🙂.png"
    Image.new("RGB", (40, 20), "green").save(good)
    text = tmp_path / "text.jpg"
    text.write_text("not an image")
    empty = tmp_path / "empty.jpg"
    empty.touch()
    cut = tmp_path / "cut.jpg"
    Image.effect_noise((64, 64), 50).save(cut)
    cut.write_bytes(cut.read_bytes()[:-300])
    fifo = tmp_path / "pipe.jpg"
    os.mkfifo(fifo)
    files = [good, text, empty, cut, fifo, tmp_path / "missing.jpg", good]
    cached = cache.cache_images(files, SPEC)
    assert cached.reasons[0] == cached.reasons[-1] == ""
    assert cached.keys[0] == cached.keys[-1]
    for reason, expected in zip(
        cached.reasons[1:-1],
        [
            "not an image",
            "empty file",
            "truncated",
            "not a regular file",
            "file not found",
        ],
        strict=True,
    ):
        assert expected in reason
    again = cache.cache_images(files, SPEC)
    assert again.reasons == cached.reasons


def test_hashes_are_remembered_by_stat(tmp_path):
    path = tmp_path / "x"
    path.write_text("1")
    stat = file_facts.stat_of(path)
    file_facts.remember([(path, stat, "abc")])
    assert file_facts.known({path: stat}) == {path: "abc"}
    assert file_facts.known({path: (stat[0] + 1, stat[1])}) == {}
    assert file_facts.stat_of(Path("nowhere")) is None
