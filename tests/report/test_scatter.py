"""Named points: everything is drawn, and no name covers another."""

import itertools
import re

import pytest

from kerasfaces.core import rng
from kerasfaces.report.scatter import Box, Point, Scatter, picture

_LETTER_PX = 7.3


def made_up(n, spread=1.0):
    random = rng.generator(0, "points", n)
    return [
        Point(
            name=f"detector_{i}",
            x=float(10 ** random.uniform(0, 2 * spread)),
            y=float(0.5 + 0.45 * random.random()),
            low=0.45,
            high=0.97,
        )
        for i in range(n)
    ]


def names_of(svg):
    """Return name -> its box, as a browser would draw it."""
    pattern = r'<text x="([\d.-]+)" y="([\d.-]+)" text-anchor="(\w+)" class="label plain">(\w+)<'
    found = {}
    for x, y, anchor, name in re.findall(pattern, svg):
        width = _LETTER_PX * len(name)
        left = float(x) - (width if anchor == "end" else 0)
        middle = float(y) - 4.5
        found[name] = Box(left, middle - 7.5, left + width, middle + 7.5)
    return found


def test_overlap():
    box = Box(0, 0, 10, 4)
    assert box.overlap(Box(5, 2, 20, 20)) == 10
    assert box.overlap(Box(10, 0, 20, 4)) == 0
    assert box.overlap(box) == 40


@pytest.mark.parametrize("n", [1, 5, 12])
def test_no_name_covers_another_and_all_are_inside(n):
    svg = str(picture(made_up(n), "ms", "AUC", "a picture"))
    boxes = names_of(svg)
    assert len(boxes) == n == svg.count("<circle")
    for one, other in itertools.combinations(boxes.values(), 2):
        assert one.overlap(other) == 0
    for box in boxes.values():
        assert box.left >= 0
        assert box.right <= Scatter.width
        assert 0 <= box.top
        assert box.bottom <= Scatter.height


def test_points_on_top_of_each_other_keep_their_names_apart():
    points = [Point(f"same_{i}", 10.0, 0.9, 0.85, 0.95) for i in range(8)]
    svg = str(picture(points, "ms", "AUC", "a picture"))
    boxes = names_of(svg)
    for one, other in itertools.combinations(boxes.values(), 2):
        assert one.overlap(other) == 0
    assert "line zero thin" in svg  # a name far from its point is joined to it


def test_ticks_are_round_and_a_linear_axis_stays_linear():
    log = Scatter((3, 90), (0, 1), x_label="", y_label="", description="", log_x=True)
    assert log._x_ticks() == [5, 10, 20, 50]
    wide = Scatter((1, 1e4), (0, 1), x_label="", y_label="", description="", log_x=True)
    assert wide._x_ticks() == [1, 10, 100, 1000, 10_000]
    plain = Scatter((0, 10), (0, 1), x_label="", y_label="", description="")
    assert plain._x_ticks()[:3] == [0, 2, 4]


def test_hostile_names_are_escaped():
    point = Point("<script>", 1.0, 0.5, 0.4, 0.6)
    assert "<script>" not in str(picture([point], "ms", "AUC", "a picture"))
