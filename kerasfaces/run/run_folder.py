"""What a run folder offers to whoever uses it, and what it is not."""

from pathlib import Path

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import listed
from kerasfaces.run import kinds, stored
from kerasfaces.run.operating_point import OperatingPoint


def point_of(folder: Path) -> OperatingPoint:
    """Return the operating point of a finished run that has a detector of its own.

    Raises:
        MissingFileError: There is no such folder, or no finished run in it.
        InputError: It is an ensemble, an attribution or a study.
        RunError: It is damaged.
    """
    others = ("ensemble.json", "attribution.json", "study.json")
    if (
        any((folder / name).is_file() for name in others)
        or (folder / "winner").is_dir()
    ):
        raise InputError(f"{folder} {kinds.why_no_run(folder)}")
    point, _, _ = stored.read(folder)
    return point


def about(folder: Path) -> str:
    """Say what a run was trained on, in one sentence."""
    from kerasfaces import manifest as manifests

    try:
        rows = manifests.read(folder / "manifest.csv").rows
    except MissingFileError:
        return f"{folder} does not say what it was trained on: it has no manifest.csv."
    rows = rows[rows["split"] == "train"]
    parts = []
    for label in ("real", "fake"):
        sources = rows["source"][rows["label"] == label]
        names = listed(sorted(set(sources) - {""}))
        parts.append(f"{len(sources):,} {label}" + (f" ({names})" if names else ""))
    return f"{folder} was trained on {' and '.join(parts)} images."
