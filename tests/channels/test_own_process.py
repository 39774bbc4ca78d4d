"""Channels in a process of their own: its log, its errors and its death arrive here."""

import functools
import logging
import os
import signal
import sys

import pytest
from stage_parts import SMALL

from kerasfaces import images, store
from kerasfaces.channels import own_process, recipe
from kerasfaces.core import logs
from kerasfaces.core.errors import InputError, MissingExtraError, RunError

pytestmark = pytest.mark.torch


def test_a_recipe_is_followed_elsewhere(faces, tmp_path):
    strange = tmp_path / "two\nlines.png"
    strange.write_bytes(faces[0].read_bytes())
    wanted = recipe.recipe_of(SMALL)
    files = [strange, *faces[1:3], faces[1]]
    own_process.compute_as(files, wanted, tmp_path / "s")
    opened = store.Store(tmp_path / "s")
    assert opened.recipe == wanted
    assert len(opened) == 3
    assert opened.status(images.sha256(strange.read_bytes())) == store.OK


def log():
    logging.getLogger("kerasfaces.channels").info("3 of 9")
    return "done"


def test_what_it_logs_is_shown_as_here(tmp_path, monkeypatch, capfd):
    for handlers, text in (([logging.NullHandler()], "INFO: 3 of 9\n"), ([], "")):
        monkeypatch.setattr(logs.logger, "handlers", handlers)
        assert own_process.call(log, tmp_path) == "done"
        assert capfd.readouterr().err == text


def test_the_stage_s_own_sentence_is_ours(faces, tmp_path):
    wanted = recipe.recipe_of(SMALL)
    wanted["made_by"]["loader"]["pillow"] = "1.0"
    message = (
        r"^The channel stage: the run's recipe: this machine would make other .*pillow"
    )
    with pytest.raises(InputError, match=message):
        own_process.compute_as(faces, wanted, tmp_path / "s")


def no_torch():
    raise MissingExtraError("torch is not installed.")


def die(number):
    os.kill(os.getpid(), number)


def test_errors_and_deaths_are_sentences(tmp_path):
    with pytest.raises(MissingExtraError, match=r"^torch is not installed\."):
        own_process.call(no_torch, tmp_path)
    killed = functools.partial(die, signal.SIGKILL)
    with pytest.raises(RunError, match=rf"^{tmp_path}: its process was killed.*contin"):
        own_process.call(killed, tmp_path)


def test_it_never_runs_beside_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(RunError, match="torch in a process of its own"):
        own_process._apart(no_torch, shown=False)
