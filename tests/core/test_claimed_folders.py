"""What killed writers leave behind goes, here and in the folders below."""

import os
import subprocess
import sys

import pytest

from kerasfaces.core import folders
from kerasfaces.core.errors import RunError


@pytest.fixture(scope="module")
def dead_pid():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_left_over_files_go_and_others_stay(tmp_path, dead_pid):
    below = tmp_path / "heads" / "deeper"
    own = tmp_path / "run" / "checkpoints"
    for folder in (below, own):
        folder.mkdir(parents=True)
    (tmp_path / "run" / folders.LOCK).touch()  # another writer's
    left_over = [
        tmp_path / f".model.{dead_pid}.tmp.keras",
        below / f".000.{dead_pid}.tmp.npz",
    ]
    kept = [
        tmp_path / f".model.{os.getpid()}.tmp.keras",
        below / ".notes.tmp",
        below / "000.npz",
        own / f".head.{dead_pid}.tmp.npz",
    ]
    for path in left_over + kept:
        path.touch()
    with folders.lock(tmp_path):
        assert [path for path in left_over if path.exists()] == []
        assert [path for path in kept if not path.exists()] == []


def test_a_claim_is_checked_and_a_mistyped_one_is_taken_over(tmp_path):
    folders.claim(tmp_path, "own.json", {"a": 1}, "run", ("early.json",))
    (tmp_path / "early.json").touch()
    folders.claim(tmp_path, "own.json", {"a": 2}, "run", ("early.json",))
    assert not (tmp_path / "early.json").exists()
    (tmp_path / "result.csv").touch()
    with pytest.raises(RunError, match=r"holds another run \(a: 2 -> 3\)"):
        folders.claim(tmp_path, "own.json", {"a": 3}, "run", ("early.json",))
    (tmp_path / "own.json").unlink()
    with pytest.raises(RunError, match=r"not empty and holds no run \(it holds 'res"):
        folders.claim(tmp_path, "own.json", {"a": 3}, "run")
