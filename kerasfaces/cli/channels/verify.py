"""Command `channels verify`: store -> what is wrong with it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces import cli
from kerasfaces.core.progress import progress

if TYPE_CHECKING:
    from kerasfaces.channels.verify import Finding


def main(argv: Sequence[str]) -> int:
    """Parse, read the store, print the findings."""
    parser = cli.parser(
        "channels verify",
        "Read a whole store and say what is wrong with it; exit 1 on findings.",
        ["kerasfaces channels verify STORE"],
    )
    parser.add_argument("store", type=Path, metavar="STORE")
    folder = parser.parse_args(argv).store
    from kerasfaces.channels import verify

    findings = with_progress(folder, verify.verify)
    print_findings(findings)
    lacking = verify.unhashed(folder)
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


def with_progress(
    folder: Path, work: "Callable[[Path, Callable[[int], None]], list[Finding]]"
) -> "list[Finding]":
    """Return what `work` finds in a store while a bar shows how far it is."""
    from kerasfaces import store

    try:
        total = len(store.Store(folder))
    except ValueError:  # `work` says what is wrong, or mends it
        total = 0
    with progress(total, "reading the store") as add:
        return work(folder, add)


def print_findings(findings: "Sequence[Finding]") -> None:
    """Print one finding a line."""
    for finding in findings:
        print(finding.text())
