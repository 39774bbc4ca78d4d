"""Values of others in our sentences: at most 80 characters, one line, nothing raw."""

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasfaces import cli
from kerasfaces.core import config, texts
from kerasfaces.core.errors import InputError

HOSTILE = "\x1b[31mred\x07\n\r\0\u202e\u2028" + "x" * 500
SOURCES = sorted((Path(__file__).parents[1] / "kerasfaces").rglob("*.py"))
_REPR = re.compile(r"\{[^{}]*!r\}|%r")
# What is ours or Python's own, never somebody's: names of attributes, a programmer's mistake.
_OURS = {"__init__.py", "attention.py"}


@given(st.one_of(st.text(max_size=400), st.binary(max_size=400), st.integers()))
def test_a_quoted_value_is_short_printable_and_one_line(value):
    shown = texts.quoted(value)
    assert len(shown) <= 80
    assert shown.isprintable()
    if isinstance(value, str) and len(repr(value)) <= 80:
        assert shown == repr(value)


def test_both_ends_of_a_long_value_are_shown():
    shown = texts.quoted("beginning/" + "x" * 500 + "/name.jpg")
    assert shown.startswith("'beginning/")
    assert shown.endswith("/name.jpg'")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_no_message_shows_a_value_as_it_is(path):
    if path.name not in _OURS:
        assert not _REPR.findall(path.read_text(encoding="utf-8"))


def test_a_command_shows_no_control_character(capsys):
    def main(argv):
        logging.getLogger("kerasfaces.x").warning("name %s", HOSTILE)
        raise InputError(f"{HOSTILE}: no such thing.")

    with pytest.raises(SystemExit):
        cli.run(main, [])
    shown = capsys.readouterr().err
    assert "error: " in shown
    assert "WARNING: name " in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\u2028]", shown)


def test_options_quote_what_they_were_given():
    with pytest.raises(InputError) as caught:
        config.override(object(), [HOSTILE])
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()
