"""Charts: Matplotlib's axes as small pieces of SVG that belong to the page."""

import re
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np

from kerasfaces.report import chart


def everything():
    """Return axes with one of each thing that can be drawn."""
    axes = chart.axes((0, 1), (0, 1), x_label="a $b$ c", y_label="y")
    chart.line(axes, [0, 0.5, 1], [0, np.nan, 1], "fake")
    chart.line(axes, [0, 1], [1, 0], "chance")
    chart.point(axes, 0.2, 0.3, "mark", (0.1, 0.3), (0.2, 0.4), label="here")
    chart.point(axes, 0.7, 0.3, "faint open s2")
    chart.cell(axes, 0, 0, chart.COLOURS["real"], alpha=0.3, name="cell0")
    chart.text(axes, 0.5, 0.5, "<b>$x$</b>\n")
    return axes


def test_a_chart_is_well_formed_and_says_what_it_shows():
    svg = str(chart.svg(everything(), "a <chart>", {"cell0": "one & all"}))
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == root[0].text == "a <chart>"
    assert [title.text for title in root.iter("title")] == ["a <chart>", "one & all"]
    words = {text.text for text in root.iter("text")}
    assert {"a $b$ c", "y", "here", "<b>$x$</b>\\n"} <= words


def test_its_colours_and_font_are_the_pages():
    svg = str(chart.svg(everything(), "d"))
    for name in ("fake", "real", "ink", "soft", "rule", "page"):
        assert f"var(--{name})" in svg
        assert chart.COLOURS[name] not in svg
    assert "var(--font)" in svg
    assert "DejaVu" not in svg
    assert "http" not in svg


def test_ids_are_used_and_two_charts_share_none():
    one, other = (str(chart.svg(everything(), name)) for name in ("one", "other"))
    ids = [set(re.findall(r' id="([^"]*)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for name in ids[0]:
        assert f"#{name}" in one


def test_the_same_chart_has_the_same_bytes():
    assert chart.svg(everything(), "d") == chart.svg(everything(), "d")


def test_curves_of_many_images_stay_small():
    axes = chart.axes((0, 1), (0, 1))
    random = np.sort(np.random.default_rng(0).random((2, 50_000)))
    chart.line(axes, *random, "fake", steps=True)
    assert len(chart.svg(axes, "d")) < 30_000


def test_a_flat_or_missing_line_is_finite():
    axes = chart.axes((0, 0), (1, 1))
    chart.line(axes, [0, np.nan], [1, 1], "fake")
    assert "nan" not in chart.svg(axes, "d")


def test_zero_on_a_logarithmic_axis_lies_at_its_edge():
    axes = chart.axes((0.01, 1), (0, 1), log_x=True)
    chart.point(axes, 0.0, 0.5, "mark", x_limits=(0.0, 0.1))
    whisker, dot = axes.get_lines()
    assert whisker.get_xdata()[0] == dot.get_xdata()[0] == 0.01


def test_a_forest_has_a_line_per_name():
    lines = [
        ("one", 0.9, 0.8, 0.95),
        ("none", None, None, None),
        ("x" * 50, 0.7, None, None),
    ]
    svg = str(chart.forest(lines, "d", mark=0.5))
    words = re.findall(r">([^<>]+)</text>", svg)
    assert {"one", "none", "x" * 25 + "…", "0.900", "0.700", "–"} <= set(words)


def test_a_strip_lies_between_start_and_one():
    strip = str(chart.strip(0.75, 0.4, 1.0, 0.5))
    assert "left:0.0%;width:100.0%" in strip
    assert "left:50.0%" in strip


def test_names_in_other_scripts_draw_without_a_warning():
    axes = everything()
    chart.text(axes, 0.1, 0.1, "\N{CJK UNIFIED IDEOGRAPH-4EBA}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "\N{CJK UNIFIED IDEOGRAPH-4EBA}" in chart.svg(axes, "d")


def test_words_on_the_page_hide_what_is_behind():
    plain, hiding = (
        str(chart.svg(axes, "d")).count("fill: var(--page)")
        for axes in (written(on_page=False), written(on_page=True))
    )
    assert hiding == plain + 1


def written(on_page):
    """Return axes with a word."""
    axes = chart.axes((0, 1), (0, 1))
    chart.text(axes, 0.5, 0.5, "word", on_page=on_page)
    return axes
