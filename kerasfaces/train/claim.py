"""Whose run folder it is: config.json, written once and compared ever after."""

from pathlib import Path
from typing import Any

from kerasfaces import manifest as manifests
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError
from kerasfaces.train.config import TrainConfig

FORMAT_VERSION = 1
_EARLY = {"environment.json", "manifest.csv", "audit.json", "clock.json"}


def identity(
    config: TrainConfig | BaselineConfig,
    found: Any,
    manifest: manifests.Manifest,
    recipe: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return config.json: everything that decides what a run comes to."""
    return {
        "format": FORMAT_VERSION,
        "train": configs.to_dict(config),
        "weights": found.describe() if found else None,
        "manifest": manifest.digest(),
        "channel_recipe": configs.digest(recipe) if recipe else None,
    }


def claim(folder: Path, own: dict[str, Any], kind: type[Any]) -> None:
    """Write config.json, or check that it is ours; see `runs.claim`."""
    folders.claim(
        folder, "config.json", own, "run", _EARLY, lambda old: _completed(old, kind)
    )


def _completed(old: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Give an older run the fields it lacks: their defaults are what it was made with."""
    try:
        train = configs.to_dict(configs.from_dict(kind, old["train"]))
    except (InputError, KeyError):
        return old  # the comparison will name what is odd
    return {"channel_recipe": None, **old, "train": train}
