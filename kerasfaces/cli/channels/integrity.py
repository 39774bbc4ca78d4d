"""Commands `channels verify` and `channels repair`: what is wrong with a store."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.cli.channels.compute import of_manifest
from kerasfaces.core.progress import progress

if TYPE_CHECKING:
    from kerasfaces.channels.integrity import Finding


def verify(argv: Sequence[str]) -> int:
    """Parse, read the store, print the findings."""
    parser = cli.parser(
        "channels verify",
        "Read a whole store and say what is wrong with it; exit 1 on findings.",
        ["kerasfaces channels verify STORE"],
    )
    parser.add_argument("store", type=Path, metavar="STORE")
    folder = parser.parse_args(argv).store
    from kerasfaces.channels import integrity

    findings = _printed(folder, integrity.verify)
    lacking = integrity.unhashed(folder)
    if lacking:
        print(
            f"{len(lacking)} shards have no checksum (SHA256SUMS lacks them): "
            "damage to their values cannot be seen; kerasfaces channels repair "
            f"{folder} gives them one"
        )
    if findings:
        print(
            f"{len(findings)} findings; mend with: kerasfaces channels repair {folder}"
        )
        return 1
    print(f"{folder}: no findings")
    return 0


def repair(argv: Sequence[str]) -> int:
    """Parse, mend the store, print what was wrong and what was computed again."""
    parser = cli.parser(
        "channels repair",
        "Take damaged shards out of a store, so that they are computed again: by the "
        "next run, or now if a manifest is given. What is whole stays.",
        [
            "kerasfaces channels repair STORE",
            "kerasfaces channels repair STORE MANIFEST",
        ],
    )
    parser.add_argument("store", type=Path, metavar="STORE")
    parser.add_argument("manifest", type=Path, nargs="?", metavar="MANIFEST")
    cli.Options(parser).path("--root", "see kerasfaces channels --help")
    arguments = parser.parse_args(argv)
    folder, table = arguments.store, arguments.manifest
    from kerasfaces import store
    from kerasfaces.channels import integrity, run

    inputs = of_manifest(table, arguments.root) if table else None
    findings = _printed(folder, integrity.repair)
    lost = len({key for finding in findings for key in finding.keys})
    print(f"{len(findings)} findings; {lost} images to compute again")
    if inputs is not None:
        files, known = inputs
        wanted = store.read_meta(folder).recipe
        where = f"{folder}/store.json"
        print(run.build_as(wanted, where, files, folder, known=known).text())
    return 0


def _printed(
    folder: Path, work: "Callable[[Path, Callable[[int], None]], list[Finding]]"
) -> "list[Finding]":
    """Return and print what `work` finds in a store; a bar shows how far it is."""
    from kerasfaces import store

    try:
        total = len(store.Store(folder))
    except ValueError:  # `work` says what is wrong, or mends it
        total = 0
    with progress(total, "reading the store") as add:
        findings = work(folder, add)
    for finding in findings:
        print(finding.text())
    return findings
