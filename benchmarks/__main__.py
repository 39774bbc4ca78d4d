"""Command: measure every promise and write benchmarks/results.json."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import run_alone
from kerasfaces import cli
from kerasfaces.core import environment, registry
from kerasfaces.core.files import read_json, write_json


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
    rows: list[dict[str, Any]] = []
    for name in arguments.names or names:
        measured = run_alone(name, arguments.quick)
        facts = {"benchmark": name, "load_average": round(os.getloadavg()[0], 1)}
        rows += [row | facts for row in measured]
    _print(rows)
    if not arguments.quick:
        _record(rows)
    return 0 if all(map(_met, rows)) or arguments.quick else 1


def _print(rows: Sequence[dict[str, Any]]) -> None:
    print(
        f"\n{'benchmark':<28}{'ratio':>9}{'low':>9}{'high':>9}{'target':>9}{'load':>7}"
    )
    for row in rows:
        numbers = "".join(
            f"{row[key]:>9.2f}" for key in ("ratio", "low", "high", "target")
        )
        missed = "" if _met(row) else "MISSED"
        print(f"{row['name']:<28}{numbers}{row['load_average']:>7.1f}  {missed}")
    print(f"{os.cpu_count()} cores")


def _record(rows: Sequence[dict[str, Any]]) -> None:
    """Write results.json; rows of benchmarks that did not run now stay."""
    path = Path(__file__).with_name("results.json")
    old = read_json(path)["benchmarks"] if path.exists() else []
    measured = {row["benchmark"] for row in rows}
    others = [row for row in old if row.get("benchmark") not in measured]
    here = environment.describe()
    del here["command"]
    everything = sorted([*others, *rows], key=lambda row: str(row["benchmark"]))
    write_json(path, {"environment": here, "benchmarks": everything})


def _met(row: dict[str, Any]) -> bool:
    return bool(row["ratio"] >= row["target"])


if __name__ == "__main__":
    cli.run(main)
