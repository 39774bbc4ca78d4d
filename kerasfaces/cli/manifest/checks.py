"""`kerasfaces manifest check` and `audit`: what is wrong, what gives the classes away."""

import argparse
import json
import logging
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli import outputs, printing
from kerasfaces.cli.manifest import framework
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

logger = logging.getLogger("kerasfaces.manifest")


def add_check(commands: framework.Commands) -> None:
    """Add `check`."""
    parser = framework.subcommand(
        commands,
        _check,
        "check",
        "List what is wrong, row by row.",
        [
            "kerasfaces manifest check manifest.csv                  # exit code 1 on any finding"
        ],
    )
    framework.add_manifest(parser, where=False)
    cli.Options(parser).flag("--json", "findings as JSON")


def _check(arguments: argparse.Namespace) -> int:
    """Print findings by line; 1 when there are any."""
    from collections import Counter

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


def add_audit(commands: framework.Commands) -> None:
    """Add `audit`."""
    parser = framework.subcommand(
        commands,
        _audit,
        "audit",
        "Measure how well file facts alone (size, format, JPEG tables, bytes per pixel, "
        "EXIF) separate real from fake; --neutralise removes them. Then the same for "
        "sharpness, noise and traces of compression, in pairs where there is a pair_id; "
        "these do not change the exit code, as pictures of two kinds may differ in them.",
        [
            "kerasfaces manifest audit manifest.csv                  # exit code 1 when flagged",
            "kerasfaces manifest audit manifest.csv --where source=ffhq,stylegan --json",
            "kerasfaces manifest audit manifest.csv --neutralise same-size",
        ],
    )
    framework.add_manifest(parser)
    add = cli.Options(parser)
    add.number("--seed", 0, "of the folds (default: 0)", None)
    add.flag("--json", "the result as JSON")
    text = "write DIR/manifest.csv and JPEGs of one size and quality, and audit those"
    add("--neutralise", type=outputs.folder, metavar="DIR", help=text)
    text = "their side (default: the multiple of 16 below .9 of the smallest side)"
    add.number("--size", None, text, "PX", dest="size_px")


def _audit(arguments: argparse.Namespace) -> int:
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
    from kerasfaces.core import config
    from kerasfaces.manifest.audit import audit

    result = audit(manifest, arguments.seed)
    if arguments.json:
        printing.text(json.dumps({"manifest": title, **config.to_dict(result)}))
    else:
        printing.audit(title, result)
    return result.flagged
