"""Progress: a bar in a notebook, nothing where it is switched off."""

import logging
import sys
import types

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
