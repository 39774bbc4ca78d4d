"""Channels on a cluster: the same bytes as here, also when half of it dies."""

import os

import pytest

from kerasfaces import images
from kerasfaces.channels import chunks, config
from kerasfaces.channels.worker import CHANGED, Item, Result
from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError

SCRIPT = """
import sys
from pathlib import Path

from kerasfaces.channels import chunks, config, run


def main(root):
    from two_nodes import TwoNodes

    files = sorted((root / "images").iterdir())
    wanted = config.from_names(["rgb"], "none", ["size_px=32"])
    chunks.CHUNK = 4
    run.build(files, root / "local", wanted)
    nodes = TwoNodes()
    commit, done = run.commit, []

    def commit_and_kill(*arguments):
        commit(*arguments)
        done.append(1)
        if len(done) == 3:
            nodes.lose_one()

    run.commit = commit_and_kill
    print(run.build(files, root / "ray", wanted, spread=nodes.engine).n_ok)
    nodes.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
"""


def contents(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.name != ".lock"
    }


@pytest.mark.slow
def test_a_lost_node_changes_no_byte(tmp_path, draw, run_on_two_nodes):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(64):
        draw(number, 600).save(folder / f"{number:02d}.png")
    (folder / "07.png").write_bytes(b"no image")
    done = run_on_two_nodes(SCRIPT, tmp_path)
    assert done.stdout.split() == ["63"]  # nothing of Ray's on stdout
    assert "a worker died" in done.stderr
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    assert len(contents(tmp_path / "ray")) == 3 + 16


@pytest.fixture
def draw():
    import numpy as np
    from PIL import Image

    def one(number, size_px):
        noise = np.random.default_rng(number).integers(0, 255, (size_px, size_px, 3))
        return Image.fromarray(noise.astype(np.uint8))

    return one


def test_files_are_sent_as_bytes_and_reasons(tmp_path):
    good, changed = tmp_path / "good.png", tmp_path / "changed.png"
    good.write_bytes(b"abc")
    changed.write_bytes(b"other")
    items = [
        Item(images.sha256(b"abc"), good),
        Item(images.sha256(b"abc"), changed),
        Item("0" * 64, tmp_path / "missing.png"),
    ]
    sent = chunks.read(items)
    assert sent[0] == Item(items[0].sha256, b"abc")
    assert [one.reason for one in sent[1:]] == [CHANGED, "file not found"]
    assert all(one.transient for one in sent[1:])


def die_of_bad(item):
    if item.sha256 == "bad":
        os._exit(1)
    return Result(item.sha256, None, "fine")


def test_a_crashing_decoder_costs_one_image():
    unread = Result("c", None, "file not found", transient=True)
    items = [Item("a", b""), Item("bad", b""), unread, Item("d", b"")]
    with engine.pool(die_of_bad, Engine(workers=1), apart=True) as decoders:
        decoded = chunks.decode_apart(decoders, items)
    reasons = ["fine", images.DECODER_CRASHED, "file not found", "fine"]
    assert [one.reason for one in decoded] == reasons


def test_a_node_that_would_make_other_channels_refuses():
    wanted = config.from_names(["rgb"], "none", ["size_px=32"])
    task = chunks.ChunkTask(wanted, {"kind": "channels", "names": ["spectrum"]})
    with pytest.raises(
        InputError, match="the driver's recipe: this machine would make"
    ):
        task([])
