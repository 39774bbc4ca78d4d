import numpy as np
import pytest

from kerasfaces.crossgen import heatmap as crossgen
from kerasfaces.launder import heatmap as launder
from kerasfaces.report import chart, heatmap


def brightness(colour):
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_colours_darken_away_from_chance_and_words_stay_readable():
    for side in (np.linspace(0.5, 1, 21), np.linspace(0.5, 0, 21)):
        values = [brightness(heatmap.colour(float(value))) for value in side]
        assert (np.diff(values) < 0).all()
    assert heatmap.colour(0.0) != heatmap.colour(1.0)
    for value in np.linspace(0, 1, 41):
        fill = heatmap.colour(float(value))
        assert abs(brightness(fill) - brightness(heatmap.ink(fill))) > 90


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("gan", ["gan"]),
        ("stable_diffusion_2_1", ["stable_", "diffusion_2_1"]),
        ("a_very_long_name_of_many_small_words_in_all", ["a_very_long_", "name_of_many_", "…"]),
    ],
)  # fmt: skip
def test_names_of_columns_are_broken(name, lines):
    axes = chart.axes((0, 100), (100, 0), size_px=(100, 100), margins_px=(0, 0, 0, 0))
    heatmap.head(axes, 50, 60, name, 13)
    texts = sorted(axes.texts, key=lambda each: each.xy[1])
    assert [each.get_text() for each in texts] == lines


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_scale_is_whole_however_few_generators(n):
    names = [f"g{i}" for i in range(n)]
    lines = [crossgen.Line(name, [None] * n) for name in names]
    width = float(
        str(crossgen.draw(names, lines, None)).split("viewBox=")[1].split()[2]
    )
    cells = [
        {
            "generator": name,
            "laundering": "",
            "strength": None,
            "status": "few",
            "metrics": {},
        }
        for name in names
    ]
    axes = launder.plot(cells, None)
    end = next(each for each in axes.texts if each.get_text() == "1 AUC").xy[0]
    assert end <= axes.get_xlim()[1]
    assert width >= end - launder._LEFT
