import numpy as np
import pytest

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
