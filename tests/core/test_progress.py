"""Progress: a bar in a notebook, nothing where it is switched off."""

import itertools
import logging
import sys
import types

import pytest

import kerasfaces as kf
from kerasfaces.core import progress


class ZMQInteractiveShell:
    """Stands for the shell of a notebook's kernel."""


def _count(n):
    with progress.progress(n, "counting") as add:
        for _ in range(n):
            add(1)


def test_a_notebook_shows_a_bar(monkeypatch, capsys):
    kernel = types.SimpleNamespace(get_ipython=ZMQInteractiveShell)
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "ipywidgets", None)  # a bar of text, then
    _count(3)
    assert "counting: 100%" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("each_s", "said"),
    [(0.25, "4 images/s, 0 s left"), (8.0, "8.0 s/image, 16 s left")],
)
def test_a_plain_line_says_how_fast(monkeypatch, caplog, each_s, said):
    monkeypatch.setattr(progress, "_PLAIN_PROGRESS_S", 0.0)
    clock = itertools.count(0, each_s)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO):
        _count(3)
    assert caplog.messages[0] == f"counting: 1 of 3, {said}"


def test_progress_can_be_switched_off(monkeypatch, capsys, caplog):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(progress, "_PLAIN_PROGRESS_S", 0.0)
    kf.show_progress(False)
    try:
        with caplog.at_level(logging.INFO):
            _count(3)
    finally:
        kf.show_progress(True)
    assert capsys.readouterr().err == caplog.text == ""
