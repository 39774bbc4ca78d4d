"""A mistake that needs no images is found before the built-in sample is made."""

import importlib

import pytest

from kerasfaces import store
from kerasfaces.core.errors import KerasfacesError

pytestmark = pytest.mark.tf


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --weights none.h5", "none.h5.*: no such file"),
        ("train --model nonet", "nonet"),
        ("train --root .", "--root is for the paths of a manifest"),
        ("estimate channels --root .", "--root is for the paths of a manifest"),
        ("crossgen --weights none.h5", "none.h5.*: no such file"),
        ("estimate train --weights none.h5", "none.h5.*: no such file"),
        ("tune none", "There is no study 'none'"),
        ("tune frozen_random --repeat 0", "--repeat: expected .* at least 1, got 0"),
        ("tune frozen_random --max-trials 0", "--max-trials: expected .*, got 0"),
        ("tune --manifest m.csv", "--manifest is for a search: name the study too"),
        ("tune -o x", "-o is for a search: name the study too"),
        ("tune --report x --workers 2", "--workers is for a search: leave it out"),
        ("tune --report x --max-trials 2", "--max-trials is for a search: leave it"),
        ("tune --report x --weights y", "--weights is for a search: leave it out"),
        ("tune frozen_random --weights none.h5", "none.h5.*: no such file"),
        ("tune frozen_random --weights nonet=none.h5", "nonet"),
    ],
)
def test_mistakes_are_found_before_a_sample_is_made(words, message):
    name, *options = words.split()
    command = importlib.import_module(f"kerasfaces.cli.{name}")
    with pytest.raises(KerasfacesError, match=message):
        command.main(options)
    assert not (store.cache_root() / "sample").exists()
