"""Sizes of one architecture are one network, in other numbers."""

import functools
import json

import keras
import pytest
from small_models import FIRST, need_extra, outline, small

from kerasfaces.models.presets import PRESETS

pytestmark = pytest.mark.tf


@functools.cache
def layers(name):
    """Return a small model's layers, in JSON, without its name."""
    keras.utils.clear_session()  # which numbers the names of layers
    return json.loads(outline(small(name)).to_json().replace(f'"{name}"', '"same"'))


@pytest.mark.parametrize("name", FIRST)
def test_a_size_is_the_same_network_where_its_numbers_are(name):
    need_extra(name)
    first = FIRST[name]
    assert PRESETS[name].file == PRESETS[first].file
    assert small(name).options == small(first).options
    assert small(name).taps == small(first).taps
    assert layers(name) == layers(first)
