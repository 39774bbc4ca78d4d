"""Named points: everything is drawn, and no name covers another."""

import re

import numpy as np
import pytest

from experiments.systems.scatter import Point, picture, round_values, spread
from kerasfaces.core import rng


def made_up(n):
    random = rng.generator(0, "points", n)
    return [
        Point(
            name=f"detector_{i}",
            x=float(10 ** random.uniform(0, 2)),
            y=float(0.5 + 0.45 * random.random()),
            low=0.45,
            high=0.97,
        )
        for i in range(n)
    ]


def heights_of(svg):
    """Return name -> where it stands, pixels from the top."""
    pattern = r'<text [^>]*y="([\d.-]+)"[^>]*>(\w+_\d+)</text>'
    return {name: float(y) for y, name in re.findall(pattern, svg)}


@pytest.mark.parametrize("n", [1, 5, 12, 40])
def test_no_name_covers_another_and_all_are_inside(n):
    svg = str(picture(made_up(n), "ms", "AUC", "a picture"))
    heights = heights_of(svg)
    assert len(heights) == n
    apart = np.diff(sorted(heights.values()))
    assert (apart > 15).all()
    height = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', svg)[1])
    assert 0 < min(heights.values())
    assert max(heights.values()) < height


def test_names_are_in_the_order_of_their_points():
    points = made_up(12)
    heights = heights_of(str(picture(points, "ms", "AUC", "a picture")))
    best_first = sorted(points, key=lambda point: -point.y)
    assert sorted(heights, key=heights.get) == [point.name for point in best_first]


def test_points_on_top_of_each_other_keep_their_names_apart():
    points = [Point(f"same_{i}", 10.0, 0.9, 0.85, 0.95) for i in range(8)]
    heights = heights_of(str(picture(points, "ms", "AUC", "a picture")))
    assert (np.diff(sorted(heights.values())) > 15).all()


def test_names_are_moved_no_more_than_needed():
    assert spread([10, 50, 90], 16, 100) == [10, 50, 90]
    assert spread([50, 50, 50], 16, 100) == [50, 66, 82]
    assert spread([95, 95, 95], 16, 100) == [68, 84, 100]


def test_ticks_are_round():
    assert round_values(3, 90) == [5, 10, 20, 50]
    assert round_values(1, 1e4) == [1, 10, 100, 1000, 10_000]


def test_hostile_names_are_escaped():
    point = Point("<script>", 1.0, 0.5, 0.4, 0.6)
    assert "<script>" not in str(picture([point], "ms", "AUC", "a picture"))
