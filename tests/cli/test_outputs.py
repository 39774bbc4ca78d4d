"""What a command writes is refused while its words are read, before anything is loaded."""

import argparse
import importlib
import os
from pathlib import Path

import pytest

from kerasfaces.__main__ import STAGES
from kerasfaces.cli import outputs, subparsers

NAMES = {"output", "csv", "neutralise", "extract", "contact_sheet", "report"}
WITHOUT = {
    "app",
    "cache",
    "estimate",
    "evaluate",
    "serve",
}  # stages that write nothing where a user says


def options(parser):
    """Every option of a command and of those below it."""
    yield from parser._actions
    for each in subparsers(parser).values():
        yield from options(each)


@pytest.mark.parametrize("stage", STAGES)
def test_every_option_that_names_an_output_is_checked(stage):
    module = importlib.import_module(f"kerasfaces.cli.{stage}")
    parser = getattr(module, "parser", None) or module._parser
    written = [each for each in options(parser()) if each.dest in NAMES]
    assert bool(written) is (stage not in WITHOUT)
    assert {each.type for each in written} <= {
        outputs.file,
        outputs.folder,
        outputs.place,
    }


def test_what_can_be_written_passes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("table.csv").touch()
    for text in ("table.csv", "new.csv", "a/b/new.csv", str(tmp_path / "c.csv")):
        assert outputs.file(text) == Path(text)
    for text in (".", "a/b", str(tmp_path)):
        assert outputs.folder(text) == Path(text)
    assert list(tmp_path.iterdir()) == [tmp_path / "table.csv"]  # nothing was made


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (outputs.file, "folder", "folder is a folder; give a file's name in it"),
        (outputs.folder, "table.csv", "table.csv is no folder"),
        (outputs.folder, "dangling", "dangling is no folder"),
        (
            outputs.file,
            "table.csv/x/y.csv",
            r"lies below .*table\.csv, which is no folder",
        ),
        (outputs.folder, "table.csv/x", r"lies below .*table\.csv, which is no folder"),
        (outputs.place, "", "an empty text"),
    ],
)
def test_what_cannot_is_one_sentence(kind, text, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("table.csv").touch()
    Path("dangling").symlink_to("nowhere")
    with pytest.raises(argparse.ArgumentTypeError, match=why):
        kind(text)


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, mode: False)  # root may everywhere
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be written to"):
        outputs.folder(str(tmp_path / "new"))


def test_the_command_names_the_option(tmp_path, capsys):
    from kerasfaces.cli.similar import main

    with pytest.raises(SystemExit, match="2"):
        main(["RUN", "photo.jpg", "--csv", str(tmp_path)])
    assert "argument --csv: " in capsys.readouterr().err
