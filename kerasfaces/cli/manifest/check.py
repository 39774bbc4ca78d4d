"""`kerasfaces manifest check`: what is wrong, row by row."""

import argparse
import json

from kerasfaces.cli.manifest import framework
from kerasfaces.core.texts import quoted


def add_to(commands: framework.Commands) -> None:
    """Add the subcommand."""
    parser = framework.subcommand(
        commands,
        run,
        "check",
        "List what is wrong, row by row.",
        [
            "kerasfaces manifest check manifest.csv                  # exit code 1 on any finding"
        ],
    )
    framework.add_manifest(parser, where=False)
    parser.add_argument("--json", action="store_true", help="findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print findings by line; 1 when there are any."""
    from collections import Counter

    from kerasfaces.cli import printing
    from kerasfaces.core import config
    from kerasfaces.manifest import image_files
    from kerasfaces.manifest.check import check

    manifest, findings = check(arguments.manifest, arguments.root)
    if arguments.json:
        printing.text(json.dumps([config.to_dict(each) for each in findings], indent=1))
        return int(bool(findings))
    for each in findings:
        path = f" {quoted(each.path)}:" if each.path else ""
        printing.text(f"line {each.line}: {each.kind}:{path} {each.detail}")
    absent = [each.path for each in findings if each.kind == "missing"]
    if absent:
        printing.advice(image_files.advice(absent, manifest.folder))
    kinds = Counter(each.kind for each in findings).most_common()
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds)
    counts = counts or "nothing to complain about"
    printing.text(f"{arguments.manifest}: {len(manifest)} rows, {counts}")
    return int(bool(findings))
