"""Command: measure every promise and write benchmarks/results.json."""

import os
from collections.abc import Sequence
from pathlib import Path

from kerasfaces import cli, registry, runs


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks named, or all; exit 1 when a target is missed."""
    names = registry.names("benchmarks")
    parser = cli.parser("bench", "Measure the speed promises.", ["make bench"])
    parser.prog = "python -m benchmarks"
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(names)}")
    parser.add_argument(
        "--quick", action="store_true", help="the plumbing, in a minute"
    )
    arguments = parser.parse_args(argv)
    rows = []
    for name in arguments.names or names:
        rows += registry.load("benchmarks", name).run(arguments.quick)
    load = os.getloadavg()[0]
    print(f"\n{'benchmark':<28}{'ratio':>9}{'low':>9}{'high':>9}{'target':>9}")
    for row in rows:
        numbers = "".join(
            f"{row[key]:>9.2f}" for key in ("ratio", "low", "high", "target")
        )
        print(f"{row['name']:<28}{numbers}  {'' if _met(row) else 'MISSED'}")
    print(f"load average {load:.1f} on {os.cpu_count()} cores")
    if not arguments.quick and not arguments.names:
        facts = {
            "environment": runs.environment(),
            "load_average": load,
            "benchmarks": rows,
        }
        del facts["environment"]["command"]
        runs.write_json(Path(__file__).with_name("results.json"), facts)
    return 0 if all(map(_met, rows)) or arguments.quick else 1


def _met(row: dict[str, float]) -> bool:
    return row["ratio"] >= row["target"]


if __name__ == "__main__":
    cli.run(main)
