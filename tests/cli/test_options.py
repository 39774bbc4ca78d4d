"""The kinds of options: what they give with and without a value."""

import argparse
from pathlib import Path

import pytest

from kerasfaces import cli


@pytest.fixture
def parser():
    parser = argparse.ArgumentParser()
    add = cli.Options(parser)
    add.flag("--json", "")
    add.no("stability", "")
    add.number("--count", 5, "")
    add.number("--share", 0.5, "", "SHARE")
    add.number("--most", None, "")
    add.number("--rate", None, "", kind=float)
    add.path("--root", "")
    add.repeated("--set", "KEY=VALUE", "")
    add.choice("--split", "test", ("val", "test"), "")
    add.folder("")
    return parser


def test_without_words_there_are_defaults(parser):
    assert vars(parser.parse_args([])) == {
        **{"json": False, "stability": True, "count": 5, "share": 0.5},
        **{"most": None, "rate": None, "root": None, "set": []},
        **{"split": "test", "output": None},
    }


def test_values_are_of_the_kind(parser, tmp_path):
    words = "--json --no-stability --count 6 --share 1 --most 2 --rate 3 --root x"
    words += f" --set a=1 --set b=2 --split val -o {tmp_path}"
    options = parser.parse_args(words.split())
    assert (options.json, options.stability, options.split) == (True, False, "val")
    numbers = options.count, options.share, options.most, options.rate
    assert numbers == (6, 1.0, 2, 3.0)
    assert list(map(type, numbers)) == [int, float, int, float]
    assert (options.root, options.output) == (Path("x"), tmp_path)
    assert options.set == ["a=1", "b=2"]


def test_a_number_is_no_fraction(parser, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--count", "1.5"])
    assert "argument --count: invalid int value" in capsys.readouterr().err
