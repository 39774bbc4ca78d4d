"""Sentences of the library and of strangers as HTML."""

import re

import pytest

from kerasfaces.report import markup
from kerasfaces.report.page import page

SENTENCE = "Call `data.split(ratio='3:1:1')` & see `<b>`."
SHOWN = "Call <code>data.split(ratio=&#39;3:1:1&#39;)</code> &amp; see <code>&lt;b&gt;</code>."


@pytest.mark.parametrize(
    "html",
    [
        markup.paragraph(SENTENCE),
        markup.figure(markup.Markup("<svg></svg>"), SENTENCE),
        markup.table(SENTENCE, ["a", "b"], []),
        markup.table("caption", ["a", "b"], [["name", SENTENCE]]),
        page("name", "kind", [SENTENCE], [], "footer"),
        page("name", "kind", [], [], SENTENCE),
    ],
)
def test_what_a_sentence_has_in_backticks_is_code(html):
    assert SHOWN in html


@pytest.mark.parametrize("name", ["a`b`.png", "`a``b`", "one ` alone"])
def test_a_backtick_in_a_name_stays(name):
    assert markup.prose(name) == name
    assert f'<th scope="row">`{name}`</th>' in markup.table("c", ["a"], [[f"`{name}`"]])


def test_code_is_no_way_past_the_escape():
    evil = '`<script>`alert("x")`</script>`'
    assert "<script" not in markup.paragraph(evil)
    assert markup.paragraph(markup.Markup("<b>`</b>")) == "<p><b>`</b></p>"


def test_names_of_settings_break_between_words():
    table = markup.pairs("t", {"a_1b": {"c_d": "`x.y`/z</b> 0.01"}})
    assert '<th scope="row">a_1b.<wbr>c_<wbr>d</th>' in table
    assert "<td><code>x.<wbr>y</code>/<wbr>z&lt;/<wbr>b&gt; 0.01</td>" in table


def test_a_wide_figure_scrolls_by_itself_and_a_long_key_wraps():
    style = page("name", "kind", [], [], "footer").partition("</style>")[0]
    assert re.search(r"^\.wide \{[^}]*overflow-x: auto", style, re.MULTILINE)
    entry = re.search(r"^\.entry \{([^}]*)", style, re.MULTILINE)
    assert entry
    assert "nowrap" not in entry[1]
