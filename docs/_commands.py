"""MkDocs hook: the page of all commands, generated from their parsers."""

import contextlib
import importlib
import io
import os

from mkdocs.structure.files import File

from kerasfaces.__main__ import STAGES

SUBCOMMANDS = {
    "manifest": ("build", "join", "split", "check", "audit", "select"),
    "channels": ("verify", "repair", "preview"),
}


def on_files(files, config):
    """Add `reference/commands.md`."""
    os.environ["COLUMNS"] = "100"  # argparse asks the terminal
    parts = [
        "# Commands\n\n`kerasfaces STAGE ...` and `python -m kerasfaces.STAGE ...` are the "
        "same. The exit code is 0, 1 for findings, 2 for a mistake in the input (one "
        "sentence says which), 3 below the limit of `launder --fail-under` or where `similar --leaks` finds copies, 130 after an "
        "interruption.\n"
    ]
    for stage in STAGES:
        for words in ((), *((word,) for word in SUBCOMMANDS.get(stage, ()))):
            title = " ".join(("kerasfaces", stage, *words))
            shown = _help(stage, [*words, "--help"])
            parts.append(f"## {title}\n\n```text\n{shown.rstrip()}\n```\n")
    page = File.generated(config, "reference/commands.md", content="\n".join(parts))
    files.append(page)
    return files


def _help(stage, arguments):
    module = importlib.import_module(f"kerasfaces.cli.{stage}")
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit):
        module.main(arguments)
    return text.getvalue()
