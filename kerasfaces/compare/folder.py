"""A comparison's folder: compare.json and report.html."""

from pathlib import Path
from typing import Any

from kerasfaces.compare import report as compare_report
from kerasfaces.compare.comparison import Comparison
from kerasfaces.core import config, folders
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json, write_json, write_text
from kerasfaces.core.texts import quoted

FILE = "compare.json"


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
    with folders.lock(folder, "comparison"):
        _claim(folder, identity)
        write_json(folder / FILE, found.content)
        page = compare_report.render(
            found, f"{len(found.detectors)} detectors compared"
        )
        write_text(folder / "report.html", page)
    return folder


def _identity(content: dict[str, Any]) -> dict[str, Any]:
    """Return what makes a comparison this one: what was read and asked."""
    asked = ("split", "reference", "seed", "resamples")
    detectors = content.get("detectors", {})
    return {
        **{key: content.get(key) for key in asked},
        "detectors": {name: found.get("files") for name, found in detectors.items()},
    }


def _claim(folder: Path, identity: dict[str, Any]) -> None:
    """Refuse a folder that holds something else; the caller holds its lock."""
    held = {each.name for each in folder.iterdir()} - {".lock"}
    if held and FILE not in held:
        raise RunError(
            f"{folder} is not empty and holds no {FILE} (it holds {quoted(min(held))}); choose "
            "another folder with -o."
        )
    old = _identity(read_json(folder / FILE)) if held else identity
    differs = config.diff(old, identity)
    if differs:
        raise RunError(
            f"{folder} holds another one ({'; '.join(differs[:4])}); choose another "
            "folder with -o."
        )
