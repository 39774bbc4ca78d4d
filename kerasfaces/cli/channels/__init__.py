"""Command `channels`: manifest or files -> store; verify, repair, preview."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from kerasfaces import cli

COMMANDS = ("verify", "repair", "preview")


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands; without the name of one, compute a store."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words.pop(0) if words and words[0] in COMMANDS else "compute"
    code: int = importlib.import_module(f"{__name__}.{name}").main(words)
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command without a name, which computes a store."""
    from kerasfaces.cli.channels import compute

    return compute.parser()
