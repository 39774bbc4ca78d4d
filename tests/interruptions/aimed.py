"""A command one of whose functions never comes back, in whichever thread it is called.

Run as `python aimed.py READY HOW MODULE:NAME COMMAND ...`; the file READY appears at the
first call. HOW: `stuck` in native code; `again`: the real work over and over.
"""

import ctypes
import importlib
import sys
from pathlib import Path

from kerasfaces import cli
from kerasfaces.core.imports import import_keras


def endless(ready, how, real):
    def call(*arguments, **named):
        ready.touch()
        while how == "again":
            real(*arguments, **named)
        lock = ctypes.create_string_buffer(64)  # a mutex nobody holds
        library = ctypes.CDLL(None)
        while True:
            library.pthread_mutex_lock(lock)

    return call


def main(argv=None):
    ready, how, target, command = sys.argv[1:5]
    sys.argv[1:] = sys.argv[5:]
    module, _, name = target.partition(":")
    if not module.startswith("kerasfaces.channels"):
        import_keras()
    owner = importlib.import_module(module)
    *classes, name = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    setattr(owner, name, endless(Path(ready), how, getattr(owner, name)))
    return importlib.import_module(f"kerasfaces.cli.{command}").main()


if __name__ == "__main__":
    cli.run(main)
