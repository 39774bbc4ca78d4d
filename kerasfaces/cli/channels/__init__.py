"""Command `channels`: manifest or files -> store; verify, repair, preview."""

import argparse
import sys
from collections.abc import Sequence

from kerasfaces import cli
from kerasfaces.cli.channels import compute, integrity, preview

_MAINS = {
    "verify": integrity.verify,
    "repair": integrity.repair,
    "preview": preview.main,
}
COMMANDS = tuple(_MAINS)


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the commands; without the name of one, compute a store."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = words.pop(0) if words and words[0] in COMMANDS else ""
    return _MAINS.get(name, compute.main)(words)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command without a name, which computes a store."""
    return compute.parser()
