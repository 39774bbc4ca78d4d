"""Command `channels`: manifest or files -> store; verify, repair, preview, estimate."""

import importlib
import sys
from collections.abc import Sequence

COMMANDS = ("verify", "repair", "preview", "estimate")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands; without the name of one, compute a store."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words.pop(0) if words and words[0] in COMMANDS else "compute"
    code: int = importlib.import_module(f"{__name__}.{name}").main(words)
    return code
