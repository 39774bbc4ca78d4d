"""Which pictures are too little to judge: the rule, over generated training sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.images.limits import SMALLEST_PX, Limits

SIDES = st.integers(1, 3000)
SIZES = st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=60)


@given(SIZES, st.integers(32, 1024))
@settings(deadline=None, derandomize=True)
def test_what_training_saw_is_judged_and_dots_and_strips_never(sizes, size_px):
    limits = Limits.of(sizes, size_px)
    usable = [size for size in sizes if min(size) >= SMALLEST_PX]
    accepted = [not limits.reason(size) for size in usable]
    # A twentieth at either end sets no limit, and may lie beyond it.
    assert sum(accepted) >= len(usable) - 2 * (len(usable) // 20 + 1) + 1
    assert limits.short_side_px <= max(SMALLEST_PX, (size_px + 1) // 2)
    for size in ((1, 1), (256, 1), (1, 3000), (SMALLEST_PX - 1, 300)):
        assert "too small to judge" in limits.reason(size)


@given(SIZES, st.integers(32, 1024), st.tuples(SIDES, SIDES), st.integers(2, 5))
@settings(deadline=None, derandomize=True)
def test_order_and_orientation_do_not_matter_and_larger_is_never_worse(
    sizes, size_px, size, factor
):
    limits = Limits.of(sizes, size_px)
    turned = [(height, width) for width, height in reversed(sizes)]
    assert Limits.of(turned, size_px) == limits
    width, height = size
    assert bool(limits.reason((height, width))) == bool(limits.reason(size))
    if not limits.reason(size):
        assert not limits.reason((width * factor, height * factor))


@given(st.integers(16, 2000), st.integers(20, 300), st.integers(32, 512))
@settings(deadline=None, derandomize=True)
def test_a_set_of_one_size_has_half_of_it_as_limit(side, n, size_px):
    limits = Limits.of([(side, side)] * n, size_px)
    assert limits == Limits(
        short_side_px=max(SMALLEST_PX, int(np.ceil(min(side, size_px) / 2))), aspect=3.0
    )
    with_accidents = [(side, side)] * n + [(1, 1)] * n + [(9, 9)] * (n // 21)
    assert Limits.of(with_accidents, size_px) == limits


def test_the_reason_has_the_limit():
    limits = Limits(short_side_px=80, aspect=3.0)
    assert limits.reason((60, 90)) == (
        "too small to judge: 60x90 px, the shorter side must be at least 80 px for this "
        "detector"
    )
    assert limits.reason((400, 100)) == (
        "too narrow to judge: 400x100 px, the longer side must be at most 3 times the "
        "shorter for this detector"
    )


@pytest.mark.parametrize("size", [(80, 240), (4000, 3000), (1080, 2340)])
def test_phones_are_judged(size):
    assert not Limits(short_side_px=80, aspect=3.0).reason(size)
