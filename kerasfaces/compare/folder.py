"""A comparison's folder: compare.json and report.html."""

from pathlib import Path
from typing import Any

from kerasfaces.compare import report
from kerasfaces.compare.comparison import Comparison
from kerasfaces.core import config
from kerasfaces.run import folder as run


def write(found: Comparison, folder: Path | None = None) -> Path:
    """Write compare.json and report.html, the report last.

    Args:
        found: The comparison.
        folder: Where to write; by default `runs/compare-<hash of what was compared>`.

    Returns:
        The folder.

    Raises:
        RunError: It holds something else.
    """
    identity = _identity(found.content)
    folder = folder or Path("runs") / f"compare-{config.digest(identity, 10)}"
    comparison = run.Comparison(folder)
    with comparison.writing(identity):
        comparison.result = found.content
        title = f"{len(found.detectors)} detectors compared"
        comparison.write_report(report.render(found, title))
    return folder


def _identity(content: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a comparison this one: what was read and asked."""
    asked = ("split", "reference", "seed", "resamples")
    detectors = content.get("detectors", {})
    return {
        **{key: content.get(key) for key in asked},
        "detectors": {name: found.get("files") for name, found in detectors.items()},
    }
