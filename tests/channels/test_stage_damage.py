"""The stage's store under damage: two writers, a full disk, kills, broken files."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stage_parts import SMALL, bytes_of

from kerasfaces import store
from kerasfaces.channels import integrity, recipe, run
from kerasfaces.core.errors import LockedError, StoreError

pytestmark = pytest.mark.torch


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
    assert integrity.verify(tmp_path / "s") == []
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
    found = {finding.file: finding for finding in integrity.verify(folder)}
    assert set(found) == {*shards[:3], "stray.npy"}
    assert "is truncated or damaged" in found[shards[0]].text()
    assert found[shards[1]].text() == f"{shards[1]}: is missing (8 images)"
    assert "not finite" in found[shards[2]].text()
    with pytest.raises(StoreError, match=r"channels repair"):
        run.build(faces, folder, SMALL)
    integrity.repair(folder)
    assert integrity.verify(folder) == []
    assert (folder / integrity.ASIDE / "stray.npy").exists()
    assert {name: whole[name] for name in shards[3:]} == bytes_of(folder)
    assert run.build(faces, folder, SMALL).n_computed == 24
    assert bytes_of(folder) == whole


def test_damaged_index_is_repaired(faces, tmp_path):
    folder = tmp_path / "s"
    run.build(faces, folder, SMALL)
    with (folder / "index.csv").open("a") as file:
        file.write("garbage\n")
    with pytest.raises(StoreError, match=r"line 42.*channels repair"):
        integrity.verify(folder)
    assert [f.text() for f in integrity.repair(folder)] == [
        "index.csv: line 42 cannot be read"
    ]
    assert integrity.verify(folder) == []
    assert len(store.Store(folder)) == 40


def test_bytes_that_are_no_text_are_taken_out_of_the_index(faces, tmp_path):
    folder = tmp_path / "s"
    run.build(faces[:5], folder, SMALL)
    index = folder / "index.csv"
    data = index.read_bytes()
    index.write_bytes(data[:100] + b"\xff" + data[101:])
    with pytest.raises(StoreError, match="channels repair"):
        integrity.verify(folder)
    assert [f.file for f in integrity.repair(folder)] == ["index.csv"]
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
        "from kerasfaces.channels.kinds import rgb\n"
        "from kerasfaces.channels import chunks, config, run\n"
        "real = rgb.Rgb.compute\n"
        "def slow(*a):\n    time.sleep(float(sys.argv[3]))\n    return real(*a)\n"
        "def main(argv=None):\n"
        "    rgb.Rgb.compute = slow\n"
        "    chunks.CHUNK = 4\n"
        "    small = config.from_names(['rgb'], 'none', ['size_px=32'])\n"
        "    files = sorted(Path(sys.argv[1]).iterdir())\n"
        "    run.build(files, Path(sys.argv[2]), small)\n"
        "    return 0\n"
        "if __name__ == '__main__':\n    cli.run(main)\n"
    )

    for number in range(20):  # enough for decoding in processes of their own
        noise = Image.effect_noise((20, 20), 50).convert("RGB")
        noise.save(faces[0].parent / f"more{number}.png")

    def start(folder, delay_s):
        command = [sys.executable, str(script), str(faces[0].parent), str(folder)]
        with (tmp_path / "errors").open("w") as errors:
            return subprocess.Popen(
                [*command, str(delay_s)], stderr=errors, start_new_session=True
            )

    assert start(tmp_path / "whole", 0).wait() == 0
    process = start(tmp_path / "s", 0.4)
    while len([*(tmp_path / "s").glob("[!.]*.npy")]) < 2:
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
    assert integrity.verify(tmp_path / "s") == []


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
