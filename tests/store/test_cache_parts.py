"""The cache: what it holds, what goes first, what never goes."""

import os
import time

import numpy as np
import pytest

from kerasfaces import store
from kerasfaces.cli.cache import main
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError
from kerasfaces.store import cache

DAY_S = 86400


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A cache of three stores, used 1, 10 and 100 days ago, and files that stay."""
    root = tmp_path / "cache"
    monkeypatch.setenv("KERASFACES_CACHE", str(root))
    cache.keep_to_limit.cache_clear()
    for kind, days in (("images", 1), ("features", 10), ("images", 100)):
        folder = store.cache_folder(kind, {"days": days})
        with store.writing(folder, {"days": days}, (1000,), "uint8") as target:
            target.append(["a" * 64], np.zeros((1, 1000), np.uint8))
        _age(folder, days)
    for name in ("checkpoints/sam.pth", "thesis/chapter.txt", "hashes.sqlite"):
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("mine")
        os.utime(path, (0, 0))
    return root


def _age(folder, days):
    then = time.time() - days * DAY_S
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def _stores(root):
    return len([path for path in root.glob("*/*/store.json")])


def test_what_was_not_used_for_long_goes(root):
    (gone,) = cache.prune(older_than_days=30)
    assert gone.kind == "images"
    assert gone.used_s == pytest.approx(time.time() - 100 * DAY_S, abs=60)
    assert not gone.path.exists()
    assert _stores(root) == 2


def test_the_least_recently_used_goes_first_and_no_more_than_needed(root):
    total = sum(entry.size_bytes for entry in cache.entries())
    dry = cache.prune(max_bytes=total - 1, dry_run=True)
    assert _stores(root) == 3
    gone = cache.prune(max_bytes=total - 1)
    assert gone == dry
    assert [entry.kind for entry in gone] == ["images"]
    assert len(cache.prune(max_bytes=0)) == 2
    assert (root / "checkpoints" / "sam.pth").exists()
    assert (root / "thesis" / "chapter.txt").exists()
    assert (root / "hashes.sqlite").exists()


def test_what_is_in_use_stays(root):
    now, other = store.cache_folder("images", {"days": 1}), None
    with store.writing(now, {"days": 1}, (1000,), "uint8"):
        pass  # opening counts as use
    (other,) = (e.path for e in cache.entries() if e.kind == "features")
    with folders.lock(other, "store"):
        _age(other, 10)
        gone = cache.prune(older_than_days=0)
    assert [entry.path for entry in gone] != []
    assert now.exists()
    assert other.exists()


def test_a_limit_by_the_environment_keeps_to_the_size(root, monkeypatch):
    monkeypatch.setenv(cache.LIMIT, "1KB")
    cache.keep_to_limit.cache_clear()
    store.cache_folder("images", {"new": True})
    assert _stores(root) == 0
    monkeypatch.setenv(cache.LIMIT, "much")
    cache.keep_to_limit.cache_clear()
    with pytest.raises(InputError, match=r"KERASFACES_CACHE_SIZE: .* got 'much'"):
        store.cache_folder("images", {"new": True})
    cache.keep_to_limit.cache_clear()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("20GB", 20 * 10**9),
        ("1.5 mb", 1_500_000),
        ("7", 7),
        ("3t", 3 * 10**12),
    ],
)
def test_sizes(text, size):
    assert cache.size_of(text, "x") == size


def test_the_command(root, capsys):
    assert main(["info"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"{root}\n")
    assert "is not pruned" in printed
    assert main(["prune", "--older-than", "30", "--dry-run"]) == 0
    assert "would free" in capsys.readouterr().out
    assert _stores(root) == 3
    assert main(["prune", "--max-size", "1KB"]) == 0
    assert "freed" in capsys.readouterr().out
    assert _stores(root) == 0
    with pytest.raises(SystemExit):
        main(["prune"])


def test_an_empty_cache(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KERASFACES_CACHE", str(tmp_path / "none"))
    assert main(["info"]) == 0
    assert "all" in capsys.readouterr().out
