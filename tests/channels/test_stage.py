"""The stage: same bytes whatever happens, every lost image counted and named."""

import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from kerasfaces import images, registry, rng, store
from kerasfaces.channels.stage import config as stage_config
from kerasfaces.channels.stage import local, pack, recipe, run, verify
from kerasfaces.channels.stage.worker import CHANGED, NO_FACE, Item, Worker
from kerasfaces.errors import ImageError, InputError, LockedError, StoreError

pytestmark = pytest.mark.torch
SMALL = stage_config.make(
    ["rgb", "spectrum"], "none", ["size_px=32", "spectrum.of=rgb"]
)


@pytest.fixture
def faces(tmp_path):
    """Forty different files, one of them twice."""
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(40):
        random = rng.generator(0, "stage", number)
        pixels = random.integers(0, 256, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    (folder / "again.png").write_bytes((folder / "03.png").read_bytes())
    return sorted(folder.iterdir())


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(run, "CHUNK", 8)


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.npy")}


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
    monkeypatch.setattr(local, "results", None)
    again = run.build(faces, tmp_path / "s", SMALL)
    assert (again.n_ok, again.n_computed) == (41, 0)


@pytest.mark.usefixtures("small_chunks")
def test_interrupted_anywhere_the_shards_are_the_same(faces, tmp_path, monkeypatch):
    run.build(faces, tmp_path / "whole", SMALL)
    real = local.results
    for n_done in (0, 1, 3):

        def some(config, chunks, n_done=n_done):
            for number, found in enumerate(real(config, chunks)):
                if number == n_done:
                    raise KeyboardInterrupt
                yield found

        folder = tmp_path / f"part-{n_done}"
        with monkeypatch.context() as patch:
            patch.setattr(local, "results", some)
            with pytest.raises(KeyboardInterrupt):
                run.build(faces, folder, SMALL)
        assert len(bytes_of(folder)) == n_done
        run.build(faces, folder, SMALL)
        assert bytes_of(folder) == bytes_of(tmp_path / "whole")
        assert verify.verify(folder) == []


def test_plan_leaves_out_what_is_done():
    class Done:
        def __contains__(self, key):
            return key in {"1", "2", "4"}

    items = [Item(str(number), b"") for number in (0, 1, 2, 3, 1, 4, 5)]
    chunks = run.plan(items, Done(), size=2)
    assert [(c.number, [i.sha256 for i in c.items]) for c in chunks] == [
        (0, ["0"]),
        (1, ["3"]),
        (2, ["5"]),
    ]


def test_large_images_come_in_smaller_chunks():
    sizes = (32, 256, 512, 1024, 4096)
    assert [run.chunk_images(size) for size in sizes] == [32, 32, 32, 8, 1]


def test_worker_is_picklable_and_batches_do_not_matter(faces):
    items = [Item(images.sha256(f.read_bytes()), f) for f in faces[:5]]
    with Worker(SMALL) as worker:
        together = worker.compute(items)
        other = pickle.loads(pickle.dumps(worker))
    alone = [other.compute([item])[0] for item in items]
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


def test_no_face(faces, tmp_path, mask, monkeypatch):
    class NeedsFaces(Mask):
        needs_faces = True

    class Finder:
        def find(self, pixels):
            return [None if number % 2 else object() for number in range(len(pixels))]

    mask(NeedsFaces())
    monkeypatch.setattr(Worker, "faces", Finder())
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
    Image.new(mode, size, 90).save(path)
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
    scale = pack.scale_of(config, {"lnp": (None, None), "phase": (-3.0, 3.0)})
    assert scale == {"lnp": [-4.0, 8 / 255], "phase": [-3.0, 6 / 255]}
    made = {"lnp": np.float32([[[[-9.0], [9.0]]]])}
    assert pack.pack(made, "uint8", {"lnp": scale["lnp"]}).ravel().tolist() == [0, 255]
    with pytest.raises(InputError, match=r"'amplitude' has no upper limit"):
        pack.scale_of(config, {"amplitude": (0.0, None)})


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
        ("channels=rgb", r"use --channels"),
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
    changed = stage_config.make(["spectrum"], "none", ["spectrum.of=lnp"])
    assert [*changed.options] == ["none", "lnp", "spectrum"]
    assert stage_config.order(changed) == ["lnp", "spectrum"]
    with pytest.raises(InputError, match="expected one or more different names"):
        stage_config.make(["rgb", "rgb"])
    with pytest.raises(InputError, match="no channel named 'spectra'"):
        stage_config.make(["spectra"])


def test_two_writers(faces, tmp_path):
    made = recipe.recipe_of(SMALL)
    with (
        store.writing(tmp_path / "s", made, (32, 32, 5), "float16"),
        pytest.raises(LockedError, match="is writing this store"),
    ):
        run.build(faces, tmp_path / "s", SMALL)


@pytest.mark.usefixtures("small_chunks")
def test_full_disk_loses_nothing(faces, tmp_path, monkeypatch):
    real = store.files.write_npy
    written = []

    def full(file, array):
        written.append(array)
        if len(written) > 2:
            file.write(b"half")
            raise OSError(28, "No space left on device")
        real(file, array)

    with monkeypatch.context() as patch:
        patch.setattr(store.files, "write_npy", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*\.npy'"):
            run.build(faces, tmp_path / "s", SMALL)
    assert verify.verify(tmp_path / "s") == []
    summary = run.build(faces, tmp_path / "s", SMALL)
    assert (summary.n_ok, summary.n_computed) == (41, 24)


@pytest.mark.usefixtures("small_chunks")
def test_damage_is_found_repaired_and_computed_again(faces, tmp_path):
    folder = tmp_path / "s"
    run.build(faces, folder, SMALL)
    whole = bytes_of(folder)
    shards = sorted(whole)
    (folder / shards[0]).write_bytes(whole[shards[0]][:-100])
    (folder / shards[1]).unlink()
    array = np.load(folder / shards[2])
    array[1, 0, 0, 0] = np.nan
    np.save(folder / shards[2], array)
    np.save(folder / "stray.npy", array)
    found = {finding.file: finding for finding in verify.verify(folder)}
    assert set(found) == {*shards[:3], "stray.npy"}
    assert "is truncated or damaged" in found[shards[0]].text()
    assert found[shards[1]].text() == f"{shards[1]}: is missing (8 images)"
    assert "not finite" in found[shards[2]].text()
    with pytest.raises(StoreError, match=r"channels repair"):
        run.build(faces, folder, SMALL)
    verify.repair(folder)
    assert verify.verify(folder) == []
    assert (folder / verify.ASIDE / "stray.npy").exists()
    assert {name: whole[name] for name in shards[3:]} == bytes_of(folder)
    assert run.build(faces, folder, SMALL).n_computed == 24
    assert bytes_of(folder) == whole


def test_damaged_index_is_repaired(faces, tmp_path):
    folder = tmp_path / "s"
    run.build(faces, folder, SMALL)
    with (folder / "index.csv").open("a") as file:
        file.write("garbage\n")
    with pytest.raises(StoreError, match=r"line 42.*channels repair"):
        verify.verify(folder)
    assert [f.text() for f in verify.repair(folder)] == [
        "index.csv: line 42 cannot be read"
    ]
    assert verify.verify(folder) == []
    assert len(store.Store(folder)) == 40


def test_bytes_that_are_no_text_are_taken_out_of_the_index(faces, tmp_path):
    folder = tmp_path / "s"
    run.build(faces[:5], folder, SMALL)
    index = folder / "index.csv"
    data = index.read_bytes()
    index.write_bytes(data[:100] + b"\xff" + data[101:])
    with pytest.raises(StoreError, match="channels repair"):
        verify.verify(folder)
    assert [f.file for f in verify.repair(folder)] == ["index.csv"]
    assert len(store.Store(folder)) == 4
    assert run.build(faces[:5], folder, SMALL).n_computed == 1


@pytest.mark.slow
@pytest.mark.parametrize("when", [signal.SIGKILL, signal.SIGINT])
def test_killed_process_continues_to_the_same_bytes(faces, tmp_path, when):
    script = tmp_path / "build.py"
    script.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from kerasfaces import cli\n"
        "from kerasfaces.channels import rgb\n"
        "from kerasfaces.channels.stage import config, run\n"
        "real = rgb.Rgb.compute\n"
        "def slow(*a):\n    time.sleep(float(sys.argv[3]))\n    return real(*a)\n"
        "def main(argv=None):\n"
        "    rgb.Rgb.compute = slow\n"
        "    run.CHUNK = 4\n"
        "    small = config.make(['rgb'], 'none', ['size_px=32'])\n"
        "    files = sorted(Path(sys.argv[1]).iterdir())\n"
        "    run.build(files, Path(sys.argv[2]), small)\n"
        "    return 0\n"
        "if __name__ == '__main__':\n    cli.run(main)\n"
    )

    for number in range(20):  # enough for decoding in processes of their own
        Image.new("RGB", (20, 20), (number, 0, 0)).save(
            faces[0].parent / f"more{number}.png"
        )

    def start(folder, delay_s):
        command = [sys.executable, str(script), str(faces[0].parent), str(folder)]
        with (tmp_path / "errors").open("w") as errors:
            return subprocess.Popen(
                [*command, str(delay_s)], stderr=errors, start_new_session=True
            )

    assert start(tmp_path / "whole", 0).wait() == 0
    process = start(tmp_path / "s", 0.4)
    while len([*(tmp_path / "s").glob("*.npy")]) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    if when == signal.SIGINT:
        os.killpg(process.pid, when)  # as a terminal does
    else:
        process.send_signal(when)
    process.wait()
    errors = (tmp_path / "errors").read_text()
    if when == signal.SIGINT:
        assert process.returncode == 130
        assert errors.strip().splitlines()[-1].startswith("error: Interrupted")
        assert "Traceback" not in errors
    assert 2 <= len(bytes_of(tmp_path / "s")) < 15
    assert start(tmp_path / "s", 0).wait() == 0
    assert bytes_of(tmp_path / "s") == bytes_of(tmp_path / "whole")
    assert verify.verify(tmp_path / "s") == []


def test_more_shards_than_open_files(tmp_path):
    """Every map keeps a file open; the limit of the process is raised when needed."""
    code = (
        "import resource, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from kerasfaces import store\n"
        "folder = Path(sys.argv[1])\n"
        "with store.writing(folder, {}, (1,), 'float16') as s:\n"
        "    for i in range(80): s.append([str(i)], np.full((1, 1), i))\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))\n"
        "print(store.Store(folder).gather([str(i) for i in range(80)]).sum(dtype=int))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout.strip() == "3160"
