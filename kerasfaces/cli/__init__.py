"""The commands: one file each, which parses, calls the library and prints.

`python -m kerasfaces.NAME` and `kerasfaces NAME` both end here; the library imports
nothing of it.
"""

from kerasfaces.cli.framework import add_engine, engine_of, import_keras, parser, run
from kerasfaces.cli.options import Options
from kerasfaces.cli.spelling import at_shell, command, subparsers

__all__ = [
    "Options",
    "add_engine",
    "at_shell",
    "command",
    "engine_of",
    "import_keras",
    "parser",
    "run",
    "subparsers",
]
