"""Memory is used again only when nobody holds an array made from it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.store.memory import ArrayPool

FLOAT = np.dtype(np.float32)


def test_free_memory_is_used_again():
    pool = ArrayPool(max_reused=2, max_bytes=2**20)
    first = pool.array((4, 5), FLOAT)
    place = first.ctypes.data
    assert place % 64 == 0
    del first
    assert pool.array((5, 4), FLOAT).ctypes.data == place


def test_a_slice_holds_the_memory():
    pool = ArrayPool(max_reused=1, max_bytes=2**20)
    part = pool.array((4, 5), FLOAT)[1:2, 3:].T
    part[:] = 7
    pool.array((4, 5), FLOAT)[:] = 0
    assert (part == 7).all()


def test_large_memory_is_not_used_again():
    pool = ArrayPool(max_reused=2, max_bytes=100)
    pool.array((100, 100), FLOAT)
    assert not pool._pieces


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=40))
def test_held_arrays_never_change(steps):
    pool = ArrayPool(max_reused=3, max_bytes=2**20)
    held = []
    for number, (size, drop) in enumerate(steps):
        array = pool.array((size, 6), FLOAT)
        array[:] = number
        held.append((array[:1], number))
        del array
        if drop:
            held.pop(0)
        assert all((part == value).all() for part, value in held)
