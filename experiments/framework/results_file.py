"""Rows -> results.json, printed tables, and the copy in the experiment's folder."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.framework.rows import RUN
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import write_json, write_text
from kerasfaces.manifest import Manifest
from kerasfaces.report.markup import p_text

_WIDTHS = (38, 17, 37, 6)
_PLACEHOLDERS = {
    **{"--manifest": "M", "-o": "DIR", "--output": "DIR", "--root": "ROOT"},
    **{"--also": "M2", "--stores": "STORES", "--runs": "RUNS"},
}


def data_name(manifest: Manifest) -> str:
    """Return the images by source: `1,100 ffhq (real) + 1,100 stylegan (fake)`."""
    pairs = zip(manifest.rows["label"], manifest.rows["source"], strict=True)
    counts = sorted(Counter(pairs).items())
    parts = [
        f"{count:,} {source} ({label})"
        for wanted in ("real", "fake")
        for (label, source), count in counts
        if label == wanted
    ]
    simulated = "simulated_camera" in set(manifest.rows["source"])
    return ("built-in sample (a simulation): " if simulated else "") + " + ".join(parts)


def describe_weights(weights: Mapping[str, Any]) -> str:
    """Return one line on which base weights were used."""
    return "; ".join(
        f"{model}: none, the whole network trained from random weights (not the "
        "document's frozen base)"
        if source is None
        else f"{model}: {source['kind']}, {source['file']} "
        f"(SHA-256 {source['sha256'][:12]})"
        if isinstance(source, Mapping)
        else f"{model}: {source}"
        for model, source in weights.items()
    )


def text(
    results: Mapping[str, Any], titles: Mapping[str, str], document_data: str
) -> str:
    """Return every table, ours and the document's in columns of their own.

    Args:
        results: Content of results.json.
        titles: Table -> its heading, in the order to print.
        document_data: Images of the published numbers; empty without any.
    """
    rows = results["rows"]
    lines = [
        f"Ours: {rows[0]['data']}",
        *([f"Document's: {document_data}"] if document_data else []),
        f"Base weights: {describe_weights(results['weights'])}",
        f"Split seeds: {', '.join(map(str, results['seeds']))}",
    ]
    for table, title in titles.items():
        chosen = [row for row in rows if row["table"] == table]
        if chosen:
            lines += ["", f"{table.capitalize()}. {title}", *_table(chosen)]
    lines += ["", *(f"Note: {note}" for note in results["notes"])]
    lines.append(
        f"{results['hours']:.2f} hours of training, commit {results['commit']}"
    )
    return "\n".join(lines)


def write(folder: Path, results: Mapping[str, Any], part: str | None = None) -> Path:
    """Write folder/results.json, or results-PART.json, atomically."""
    path = folder / f"results{f'-{part}' if part else ''}.json"
    write_json(path, dict(results))
    return path


def record(
    results: Mapping[str, Any], printed: str, target: Path, part: str | None = None
) -> None:
    """Copy results.json into the experiment's folder and the tables into its README.

    A part has a file and a place of its own.

    Raises:
        RunError: The README has no place for them.
    """
    readme = target / "README.md"
    content = readme.read_text(encoding="utf-8")
    of = f" of {part}" if part else ""
    first, last = (
        f"<!-- results{of}: written by --record -->",
        f"<!-- end of results{of} -->",
    )
    begin, opened, rest = content.partition(first)
    _, closed, end = rest.partition(last)
    if not opened or not closed:
        raise RunError(f"{readme}: expected the lines {first} and {last}.")
    block = f"{first}\n```text\n{printed}\n```\n{last}"
    write(target, results, part)
    write_text(readme, begin + block + end)


def commit(folder: Path) -> tuple[str, bool]:
    """Return git's HEAD and whether the code differs from it; `unknown` without git."""
    head = _git(folder, "rev-parse", "HEAD")
    changed = _git(
        folder, "status", "--porcelain", "--untracked-files=no", "--", "*.py"
    )
    return head or "unknown", bool(changed)


def command(argv: Sequence[str]) -> str:
    """Return the command with placeholders for this machine's paths."""
    words = []
    for before, word in zip(["", *argv], argv, strict=False):
        option, equals, _ = word.partition("=")
        if before in _PLACEHOLDERS:
            words.append(_PLACEHOLDERS[before])
        elif equals and option in _PLACEHOLDERS:
            words.append(f"{option}={_PLACEHOLDERS[option]}")
        else:
            words.append(_without_folders(word))
    return " ".join(["python -m experiments", *words])


def _without_folders(word: str) -> str:
    option, equals, value = word.rpartition("=")
    return f"{option}{equals}{Path(value).name}" if "/" in value else word


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _table(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    published = any(row["published"] is not None for row in rows)
    header = ["", "", "ours", "n", *(["document's"] if published else [])]
    yield _line(header)
    yield "-" * (sum(_WIDTHS) + 3 + 12 * published)
    for row in rows:
        cells = [row["row"], row["metric"], _ours(row), str(row["ours"]["n"] or "")]
        if published:
            cells.append("" if row["published"] is None else f"{row['published']:g}")
        yield _line(cells)


def _line(cells: Sequence[str]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=False)]
    return " ".join([*padded, *cells[len(_WIDTHS) :]]).rstrip()


def _ours(row: Mapping[str, Any]) -> str:
    if row["status"] != RUN:
        status, width = str(row["status"]), _WIDTHS[2]
        return status if len(status) <= width else status[: width - 3] + "..."
    ours = row["ours"]
    if ours["value"] is None:
        return "undefined"
    digits = 1 if abs(ours["value"]) > 1 else 3
    text = f"{ours['value']:.{digits}f}".removesuffix(".0")
    if ours["low"] is not None:
        text += f" [{ours['low']:.{digits}f}, {ours['high']:.{digits}f}]"
    if ours.get("sd"):
        text += f" sd {ours['sd']:.{digits}f}"
    if ours.get("p_value") is not None:
        text += f" p {p_text(ours['p_value'])}"
    return text
