"""`kerasfaces manifest audit`: how well file facts alone tell real from fake."""

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.cli.manifest import framework
from kerasfaces.core.errors import InputError

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

logger = logging.getLogger("kerasfaces.manifest")

_EXAMPLES = [
    "kerasfaces manifest audit manifest.csv                  # exit code 1 when flagged",
    "kerasfaces manifest audit manifest.csv --where source=ffhq,stylegan --json",
    "kerasfaces manifest audit manifest.csv --neutralise same-size",
]


def add_to(commands: framework.Commands) -> None:
    """Add the subcommand."""
    parser = framework.subcommand(
        commands,
        run,
        "audit",
        "Measure how well file facts alone (size, format, JPEG tables, bytes per pixel, "
        "EXIF) separate real from fake; --neutralise removes them.",
        _EXAMPLES,
    )
    framework.add_manifest(parser)
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the folds (default: 0)")
    add("--json", action="store_true", help="the result as JSON")
    add(
        "--neutralise",
        type=Path,
        metavar="DIR",
        help="write DIR/manifest.csv and JPEGs of one size and quality, and audit those",
    )
    add(
        "--size",
        dest="size_px",
        type=int,
        metavar="PX",
        help="their side (default: the multiple of 16 below .9 of the smallest side)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the audit; 1 when flagged (with --neutralise: when its result is)."""
    if arguments.size_px and not arguments.neutralise:
        raise InputError("--size is the size of --neutralise DIR; give that too.")
    manifest = framework.read(arguments)
    flagged = _report(str(arguments.manifest), manifest, arguments)
    if arguments.neutralise:
        from kerasfaces.manifest.neutralise import neutralise

        written = neutralise(manifest, arguments.neutralise, arguments.size_px)
        title = str(arguments.neutralise / "manifest.csv")
        flagged = _report(title, written, arguments)
        if flagged:
            logger.warning(
                "files of one size and one encoder still differ by class: what is left, bytes "
                "per pixel, measures how sharp and detailed the pictures are"
            )
    return int(flagged)


def _report(title: str, manifest: "Manifest", arguments: argparse.Namespace) -> bool:
    from kerasfaces.cli import printing
    from kerasfaces.core import config
    from kerasfaces.manifest.audit import audit

    result = audit(manifest, arguments.seed)
    if arguments.json:
        printing.text(json.dumps({"manifest": title, **config.to_dict(result)}))
    else:
        printing.audit(title, result)
    return result.flagged
