"""How many images of a manifest a run has already seen.

A run's training and validation images decided its weights, epoch and threshold: measured
on them, any number is too good.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest


def seen(folder: Path, manifest: "Manifest", split: str) -> int:
    """Return how many images of `split` are, by content, the run's own train or val.

    Args:
        folder: A run folder; without a manifest of its own, nothing is known to be seen.
        manifest: Any manifest, each row with a split.
        split: Whose rows are measured.
    """
    from kerasfaces import manifest as manifests

    path = folder / "manifest.csv"
    if not path.exists():
        return 0
    own = manifests.read(path)
    used = set(_keys(own, ["train", "val"])) - {""}
    return sum(key in used for key in _keys(manifest, [split]))


def _keys(manifest: "Manifest", splits: list[str]) -> list[str]:
    from kerasfaces.dataset import hashes

    rows = manifest.rows
    chosen = rows["split"].isin(splits).to_numpy()
    files = [file for file, on in zip(manifest.files(), chosen, strict=True) if on]
    stated: list[str] = []
    if "sha256" in rows.columns:
        stated = [str(value) for value in rows["sha256"][chosen]]
    return hashes.keys_of(files, stated)[0]
