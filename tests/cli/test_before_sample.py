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
