"""The channel stage as a process of its own: torch never enters this one.

Files and a recipe enter, a store of their channels is written, by the command
`python -m kerasfaces.channels` with a recipe and a list of files.
"""

import functools
import importlib.util
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import write_json

logger = logging.getLogger(__name__)

STAGE = "kerasfaces.channels"


def run(files: Sequence[Path], recipe: Mapping[str, Any], folder: Path) -> None:
    """Run the channel stage on files in a process of its own; its log is passed on."""
    if importlib.util.find_spec(f"{STAGE}.__main__") is None:
        raise RunError(f"{STAGE} cannot be run: install kerasfaces again.")
    with tempfile.TemporaryDirectory() as scratch:
        wanted, listed = Path(scratch) / "recipe.json", Path(scratch) / "files.txt"
        write_json(wanted, dict(recipe))
        # A path may hold a newline, but no NUL.
        listed.write_bytes(
            b"".join(os.fsencode(f) + b"\0" for f in dict.fromkeys(files))
        )
        command = [sys.executable, "-m", STAGE]
        command += ["--recipe", str(wanted), "--files", str(listed), "-o", str(folder)]
        _run(command, folder)


def recipe_here(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run's recipe with engines that this machine has; say where they differ."""
    from kerasfaces.channels import engines

    here = engines.available(recipe)
    say_engines(recipe, here)
    return here


def say_engines(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Say once where channels are by other engines than those a run was trained on."""
    from kerasfaces.channels import engines

    ours = engines.recorded(found)
    for name, engine in engines.recorded(wanted).items():
        if ours.get(name, engine) != engine:
            _say_once(name, engine, ours[name])


@functools.cache
def _say_once(channel: str, trained: str, here: str) -> None:
    logger.info(
        "the run was trained on %s by %s, here it is by %s: logits can differ in their "
        "last digits",
        channel,
        trained or "an engine that is not recorded",
        here or "an engine that is not recorded",
    )


def _run(command: list[str], folder: Path) -> None:
    """Run a command, its stderr to ours line by line; its failure becomes one sentence."""
    last = ""
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    try:
        for line in process.stderr or ():
            text = line.rstrip()
            if text.startswith(("INFO: ", "WARNING: ")):
                level, _, message = text.partition(": ")
                logger.log(getattr(logging, level), "%s", message)
            last = text or last
        code = process.wait()
    finally:
        if process.poll() is None:  # we were interrupted: so is the stage
            process.terminate()
            process.wait()
        if process.stderr:
            process.stderr.close()
    if code == 0:
        return
    if last.startswith("error: "):
        raise InputError(f"The channel stage: {last.removeprefix('error: ')}")
    raise RunError(
        f"The channel stage ended with code {code} while writing {folder}"
        f"{': ' + last if last else ''}; run the same command again: it continues."
    )
