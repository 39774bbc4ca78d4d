"""Options that name what a command writes: refused before anything is loaded.

They are `type=` of argparse, so that every command refuses the same with the same words.
"""

import argparse
import os
from pathlib import Path


def place(text: str) -> Path:
    """Return a path that can be written to, there already or not."""
    if not text:
        raise argparse.ArgumentTypeError("an empty text, as from an unset variable")
    path = Path(text)
    above = path.absolute()
    while not os.path.lexists(above):
        above = above.parent
    if above != path.absolute() and not above.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text} lies below {above}, which is no folder; choose another place"
        )
    folder = above if above.is_dir() else above.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise argparse.ArgumentTypeError(
            f"{folder} cannot be written to; choose another place"
        )
    return path


def file(text: str) -> Path:
    """Return the path of a file to write; see `place`."""
    path = place(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text} is a folder; give a file's name in it"
        )
    return path


def folder(text: str) -> Path:
    """Return the path of a folder to write; see `place`."""
    path = place(text)
    if os.path.lexists(path) and not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder; choose another name")
    return path
