"""The stage: same bytes whatever happens, every lost image counted and named."""

import dataclasses
import itertools
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image
from stage_parts import SMALL, bytes_of

from kerasfaces import images, store
from kerasfaces.channels import chunks, integrity, recipe, run, worker
from kerasfaces.channels import config as stage_config
from kerasfaces.channels.masks._contract import NO_FACE
from kerasfaces.channels.worker import CHANGED, ONE_COLOUR, Item, Worker, decode
from kerasfaces.core import registry
from kerasfaces.core.errors import ImageError, InputError, StoreError

pytestmark = pytest.mark.torch


class Mask:
    made_by: ClassVar = {}
    needs_faces = False

    def compute(self, image, face):
        return np.ones(image.shape[:2], bool)


@pytest.fixture
def mask(monkeypatch):
    """Put a mask in the place of `none`."""

    def use(made):
        module = registry.load(stage_config.MASKS, "none")
        monkeypatch.setattr(module, "build", lambda options: made)

    return use


def test_store_holds_the_channels(faces, tmp_path):
    summary = run.build(faces, tmp_path / "s", SMALL)
    assert (summary.n_images, summary.n_ok, summary.n_computed) == (41, 41, 40)
    opened = store.Store(tmp_path / "s")
    assert opened.shape == (32, 32, 5)
    assert opened.dtype == np.float16
    assert opened.recipe["names"] == ["red", "green", "blue", "amplitude", "phase"]
    pixels = images.load_array(faces[7], SMALL.input_spec)
    found = opened.gather([images.sha256(faces[7].read_bytes())])[0]
    np.testing.assert_array_equal(found[..., :3], pixels)


def test_second_run_computes_nothing(faces, tmp_path, monkeypatch):
    run.build(faces, tmp_path / "s", SMALL)
    monkeypatch.setattr(run, "results", None)
    again = run.build(faces, tmp_path / "s", SMALL)
    assert (again.n_ok, again.n_computed) == (41, 0)


@pytest.mark.usefixtures("small_chunks")
def test_interrupted_anywhere_the_shards_are_the_same(faces, tmp_path, monkeypatch):
    run.build(faces, tmp_path / "whole", SMALL)
    real = run.results
    for n_done in (0, 1, 3):

        def some(*arguments, n_done=n_done):
            for number, found in enumerate(real(*arguments)):
                if number == n_done:
                    raise KeyboardInterrupt
                yield found

        folder = tmp_path / f"part-{n_done}"
        with monkeypatch.context() as patch:
            patch.setattr(run, "results", some)
            with pytest.raises(KeyboardInterrupt):
                run.build(faces, folder, SMALL)
        assert len(bytes_of(folder)) == n_done
        run.build(faces, folder, SMALL)
        assert bytes_of(folder) == bytes_of(tmp_path / "whole")
        assert integrity.verify(folder) == []


def test_plan_leaves_out_what_is_done():
    class Done:
        def __contains__(self, key):
            return key in {"1", "2", "4"}

    items = [Item(str(number), b"") for number in (0, 1, 2, 3, 1, 4, 5)]
    planned = chunks.plan(items, Done(), size=2)
    assert [[item.sha256 for item in chunk] for chunk in planned] == [
        ["0"],
        ["3"],
        ["5"],
    ]


def test_large_images_come_in_smaller_chunks():
    sizes = (32, 256, 512, 1024, 4096)
    assert [chunks.chunk_images(size) for size in sizes] == [32, 32, 32, 8, 1]


def test_batches_do_not_matter(faces):
    items = [Item(images.sha256(f.read_bytes()), f) for f in faces[:5]]
    decoded = [decode(item, SMALL.input_spec) for item in items]
    together = Worker(SMALL).finish(decoded)
    other = Worker(SMALL)
    alone = [other.finish([item])[0] for item in decoded]
    for a, b in zip(together, alone, strict=True):
        assert a.sha256 == b.sha256
        assert a.array.tobytes() == b.array.tobytes()


def test_every_lost_image_is_counted_and_named(faces, tmp_path, mask):
    class Refusing(Mask):
        def compute(self, image, face):
            if image[0, 0, 0] < 30:
                raise ImageError("mask misses the face")
            return super().compute(image, face)

    mask(Refusing())
    broken = tmp_path / "broken.png"
    broken.write_bytes(faces[0].read_bytes()[:90])
    missing = tmp_path / "missing.png"
    summary = run.build([*faces, broken, missing], tmp_path / "s", SMALL)
    lost = {reason: len(paths) for reason, paths in summary.lost.items()}
    assert lost["cannot be decoded"] == 1
    assert lost["file not found"] == 1
    assert lost["mask misses the face"] > 0
    assert summary.n_ok + sum(lost.values()) == 43
    assert "1 file not found: " in summary.text()
    again = run.build([*faces, broken, missing], tmp_path / "s", SMALL)
    assert again.n_computed == 0
    assert {reason: len(paths) for reason, paths in again.lost.items()} == lost


def test_an_image_of_one_colour_is_a_counted_row(faces, tmp_path):
    blank, glass = tmp_path / "blank.png", tmp_path / "glass.png"
    Image.new("L", (20, 20), 128).save(blank)
    Image.effect_noise((20, 20), 50).convert("RGBA").save(glass)
    clear = Image.open(glass)
    clear.putalpha(0)
    clear.save(glass)
    summary = run.build([*faces[:2], blank, glass], tmp_path / "s", SMALL)
    assert summary.lost == {ONE_COLOUR: [blank, glass]}
    assert summary.n_ok == 2


def test_what_the_mask_leaves_of_an_image_may_be_of_one_colour(faces, tmp_path, mask):
    class Nothing(Mask):
        def compute(self, image, face):
            return np.zeros(image.shape[:2], bool)

    mask(Nothing())
    summary = run.build(faces[:1], tmp_path / "s", SMALL)
    assert summary.lost == {ONE_COLOUR: faces[:1]}


def test_no_face(faces, tmp_path, mask, monkeypatch):
    class NeedsFaces(Mask):
        needs_faces = True

    found = itertools.cycle([object(), None])
    mask(NeedsFaces())
    monkeypatch.setattr(worker, "main_face", lambda image: next(found))
    summary = run.build(faces[:6], tmp_path / "s", SMALL)
    assert summary.n_ok == 3
    assert len(summary.lost[NO_FACE]) == 3


def test_background_is_black(faces, tmp_path, mask):
    class Half(Mask):
        def compute(self, image, face):
            kept = np.ones(image.shape[:2], bool)
            kept[:, 16:] = False
            return kept

    mask(Half())
    run.build(faces[:1], tmp_path / "s", SMALL)
    array = store.Store(tmp_path / "s").gather([images.sha256(faces[0].read_bytes())])
    assert not array[0, :, 16:, :3].any()
    assert array[0, :, :16, :3].any()


def test_values_that_are_not_finite_are_a_counted_row(faces, tmp_path, monkeypatch):
    module = registry.load(stage_config.CHANNELS, "rgb")
    real = module.Rgb.compute

    def compute(self, pixels, made):
        values = real(self, pixels, made)
        values[1, 2, 2, 0] = np.nan
        values[2, 0, 0, 0] = 1e6
        return values

    monkeypatch.setattr(module.Rgb, "compute", compute)
    summary = run.build(faces[:4], tmp_path / "s", SMALL)
    assert summary.n_ok == 2
    assert {reason: list(paths) for reason, paths in summary.lost.items()} == {
        "rgb: values are not finite": [faces[1]],
        "rgb: values exceed float16's largest, 65504": [faces[2]],
    }


def test_file_that_is_not_what_the_manifest_says_is_tried_again(faces, tmp_path):
    known = [images.sha256(path.read_bytes()) for path in faces[:3]]
    good = faces[1].read_bytes()
    faces[1].write_bytes(faces[9].read_bytes())
    summary = run.build(faces[:3], tmp_path / "s", SMALL, known=known)
    assert summary.lost == {CHANGED: [faces[1]]}
    faces[1].write_bytes(good)
    assert run.build(faces[:3], tmp_path / "s", SMALL, known=known).n_ok == 3


@pytest.mark.parametrize(
    ("mode", "size"), [("L", (40, 40)), ("RGB", (32, 32)), ("RGB", (900, 3))]
)
def test_odd_images(mode, size, tmp_path):
    path = tmp_path / "odd.png"
    Image.effect_noise(size, 50).convert(mode).save(path)
    assert run.build([path], tmp_path / "s", SMALL).n_ok == 1


def test_uint8_store_records_its_scale(faces, tmp_path):
    config = stage_config.override(SMALL, ["dtype=uint8"])
    run.build(faces, tmp_path / "f", SMALL)
    run.build(faces, tmp_path / "u", config)
    floats, bytes_ = store.Store(tmp_path / "f"), store.Store(tmp_path / "u")
    assert bytes_.dtype == np.uint8
    keys = [images.sha256(path.read_bytes()) for path in faces]
    scale = np.array([bytes_.recipe["scale"][name] for name in bytes_.recipe["names"]])
    decoded = scale[:, 0] + bytes_.gather(keys) * scale[:, 1]
    error = np.abs(decoded - floats.gather(keys).astype(np.float32)).max(axis=(0, 1, 2))
    assert (error <= 0.51 * scale[:, 1] + 0.005).all()
    assert not error[:3].any()


def test_uint8_clips_signed_channels_and_needs_a_limit():
    config = dataclasses.replace(SMALL, dtype="uint8", signed_limit=4.0)
    scale = worker.scale_of(config, {"lnp": (None, None), "phase": (-3.0, 3.0)})
    assert scale == {"lnp": [-4.0, 8 / 255], "phase": [-3.0, 6 / 255]}
    parts = [np.float32([[[[-9.0], [9.0]]]])]
    encoded = worker.encoded(parts, "uint8", {"lnp": scale["lnp"]})
    assert encoded.ravel().tolist() == [0, 255]
    with pytest.raises(InputError, match=r"'amplitude' has no upper limit"):
        worker.scale_of(config, {"amplitude": (0.0, None)})


def test_another_recipe_is_refused_but_a_moved_file_is_not(faces, tmp_path):
    run.build(faces[:2], tmp_path / "s", SMALL)
    other = stage_config.override(SMALL, ["spectrum.amplitude=raw"])
    with pytest.raises(StoreError, match=r"spectrum\.amplitude: log -> raw"):
        run.build(faces[:2], tmp_path / "s", other)
    old = {"config": {"options": {"lnp": {"weights": "/a/x.pth", "blocks": 2}}}}
    new = {"config": {"options": {"lnp": {"weights": "/b/x.pth", "blocks": 2}}}}
    assert recipe.differences(old, new) == []
    new["config"]["options"]["lnp"]["blocks"] = 8
    assert recipe.differences(old, new) == ["config.options.lnp.blocks: 2 -> 8"]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("spectrum.colours=2", r"colours: expected"),
        ("lnp.weights=x", r"no plug-in 'lnp' is in use; in use: none, rgb, spectrum"),
        ("channels=rgb", r"use `channels`"),
        ("size_px=31", r"size_px: expected 32\.\.4096, got 31"),
        ("size_px=20000", r"size_px: expected 32\.\.4096, got 20000"),
        ("spectrum.of", r"expected KEY=VALUE"),
        (
            "filter=box",
            r"filter: expected nearest or bilinear or bicubic or lanczos, got 'box'",
        ),
    ],
)
def test_bad_settings_are_one_sentence(assignment, message):
    with pytest.raises(InputError, match=message):
        stage_config.override(SMALL, [assignment])


def test_options_follow_what_is_in_use():
    changed = stage_config.from_names(["spectrum"], "none", ["spectrum.of=lnp"])
    assert [*changed.options] == ["none", "lnp", "spectrum"]
    assert stage_config.order(changed) == ["lnp", "spectrum"]
    with pytest.raises(InputError, match="expected one or more different names"):
        stage_config.from_names(["rgb", "rgb"])
    with pytest.raises(InputError, match="no channel named 'spectra'"):
        stage_config.from_names(["spectra"])
