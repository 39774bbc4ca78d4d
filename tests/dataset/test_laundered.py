"""Laundered views: the picture first, then the crop; pairs share the draw; nothing twice."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.dataset import laundered
from kerasfaces.dataset.laundered import Picture, draw_of, launder_images
from kerasfaces.images import InputSpec, launderings

SPEC = InputSpec(size_px=32)


def pictures_of(root, key=""):
    return [
        Picture(path=path, sha256=digest, key=key or digest)
        for path in sorted(root.rglob("*.png"))[:6]
        for digest in [images.sha256(path.read_bytes())]
    ]


def test_the_store_holds_the_laundered_picture_cut_and_resized(tiny_images):
    pictures = pictures_of(tiny_images)
    store = launder_images(pictures, [1, 2], SPEC, 1.0)
    for picture in pictures:
        whole = np.asarray(images.load(picture.path))
        for view in (1, 2):
            name, strength = draw_of(picture.key, view, 1.0)
            changed = launderings.get(name).apply(
                whole, strength, f"{picture.key}:{view}"
            )
            expected = images.to_array(Image.fromarray(changed), SPEC)
            held = store.gather([picture.name(view)])[0]
            np.testing.assert_array_equal(held, expected)


def test_rows_of_a_pair_share_the_draw_and_no_other_row_does(tiny_images):
    assert draw_of("pair", 1, 1.0) == draw_of("pair", 1, 1.0)
    drawn = {draw_of("pair", view, 1.0) for view in range(1, 9)}
    assert len(drawn) == 8
    assert draw_of("pair", 0, 1.0) is None
    a, b = pictures_of(tiny_images, "pair")[:2]
    assert a.name(1) != b.name(1)
    assert a.name(1) != dataclasses.replace(a, key="other").name(1)


def test_a_share_of_views_is_laundered():
    changed = [draw_of(f"{number}", 1, 0.3) is not None for number in range(1000)]
    assert 0.25 < np.mean(changed) < 0.35


def test_nothing_is_made_twice_and_engines_agree(tiny_images, monkeypatch):
    pictures = pictures_of(tiny_images)
    first = launder_images(pictures, [1], SPEC, 1.0, Engine(workers=1))
    names = [picture.name(1) for picture in pictures]
    values = first.gather(names)
    monkeypatch.setattr(laundered, "make_views", lambda *_, **__: "made again")
    again = launder_images(pictures, [1], SPEC, 1.0)
    np.testing.assert_array_equal(again.gather(names), values)
    with pytest.raises(InputError, match="made again"):
        launder_images(pictures, [2], SPEC, 1.0, Engine(workers=1))


def test_workers_make_the_same_pixels(tiny_images, monkeypatch, tmp_path):
    pictures = pictures_of(tiny_images)
    names = [picture.name(1) for picture in pictures]
    here = launder_images(pictures, [1], SPEC, 1.0, Engine(workers=1)).gather(names)
    monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path / "other"))
    there = launder_images(pictures, [1], SPEC, 1.0, Engine(workers=2)).gather(names)
    np.testing.assert_array_equal(here, there)


def test_a_refused_draw_is_drawn_again(monkeypatch):
    image = np.zeros((4, 4, 3), np.uint8)
    first = draw_of("a", 1, 1.0)
    refused = launderings.LAUNDERINGS[first.name]

    def refuse(*_):
        raise OSError("too wide")

    changed = dataclasses.replace(refused, _change=refuse)
    monkeypatch.setitem(launderings.LAUNDERINGS, first.name, changed)
    second = draw_of("a", 1, 1.0, attempt=1)
    assert second != first
    out = laundered.laundered(image, "a", 1, 1.0)
    expected = launderings.get(second.name).apply(image, second.strength, "a:1")
    np.testing.assert_array_equal(out, expected)
    for name, way in launderings.LAUNDERINGS.items():
        every = dataclasses.replace(way, _change=refuse)
        monkeypatch.setitem(launderings.LAUNDERINGS, name, every)
    with pytest.raises(ImageError, match="too wide"):
        laundered.laundered(image, "a", 1, 1.0)


def test_a_picture_that_is_gone_is_named(tiny_images, tmp_path):
    picture = pictures_of(tiny_images)[0]
    gone = dataclasses.replace(picture, path=tmp_path / "gone.png")
    with pytest.raises(InputError, match=r"gone\.png.*file not found"):
        launder_images([gone], [1], SPEC, 1.0, Engine(workers=1))
