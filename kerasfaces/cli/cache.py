"""`kerasfaces cache`: what the cache holds, and how to make it smaller."""

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kerasfaces import cli

if TYPE_CHECKING:
    from kerasfaces.store.cache import Entry


@cli.command
def main(argv: Sequence[str] | None = None) -> int:
    """Parse; print the cache's parts, or remove some."""
    parser = _parser()
    options = parser.parse_args(argv)
    from kerasfaces.core.homes import cache_root
    from kerasfaces.store import cache

    if options.what == "info":
        print(f"{cache_root()}")
        _print_kinds(cache.entries())
        return 0
    if options.older_than is None and options.max_size is None:
        parser.error("prune: give --older-than DAYS, --max-size SIZE or both")
    size = options.max_size
    size = None if size is None else cache.size_of(size, "max_size")
    pruned = cache.prune(options.older_than, size, dry_run=options.dry_run)
    for entry in pruned:
        print(f"{cache.text_of(entry.size_bytes):>10}  {entry.path}")
    freed, left = _size(pruned), _size(cache.entries())
    verb = "would free" if options.dry_run else "freed"
    print(f"{verb} {freed}; the cache holds {left}")
    return 0


def _size(entries: "Sequence[Entry]") -> str:
    from kerasfaces.store import cache

    return cache.text_of(sum(entry.size_bytes for entry in entries))


def _print_kinds(entries: "Sequence[Entry]") -> None:
    by_kind = defaultdict(list)
    for entry in entries:
        by_kind[entry.kind].append(entry)
    print(f"{'kind':<14}{'parts':>6}{'size':>11}   last used, days ago")
    for kind, parts in sorted(by_kind.items()):
        days = [(time.time() - part.used_s) / 86400 for part in parts]
        note = "   is not pruned" if parts[0].lasting else ""
        numbers = f"{len(parts):>6}{_size(parts):>11}"
        print(f"{kind:<14}{numbers}   {min(days):.1f} to {max(days):.1f}{note}")
    print(f"{'all':<14}{len(entries):>6}{_size(entries):>11}")


def _parser() -> argparse.ArgumentParser:
    parser = cli.parser(
        "cache",
        "Say what the cache holds (decoded images, features, channels), or make it smaller. "
        "What goes is\ncomputed again on demand; checkpoints stay, and so does what was used "
        "within the last hour.\nKERASFACES_CACHE_SIZE=20GB keeps the cache to a size by "
        "itself.",
        [
            "kerasfaces cache info",
            "kerasfaces cache prune --older-than 30",
            "kerasfaces cache prune --max-size 20GB --dry-run",
        ],
    )
    parser.add_argument("what", choices=("info", "prune"), help="look, or remove")
    add = cli.Options(parser.add_argument_group("prune"))
    add.number("--older-than", None, "not used for so many days", "DAYS", kind=float)
    text = "remove the least recently used until the cache is as small, e.g. 20GB"
    add("--max-size", metavar="SIZE", help=text)
    add.flag("--dry-run", "print what would go, remove nothing")
    return parser
