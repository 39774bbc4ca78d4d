"""Whose run folder it is: config.json, written once and compared ever after."""

from pathlib import Path
from typing import Any

from kerasfaces import config as configs
from kerasfaces import manifest as manifests
from kerasfaces import runs
from kerasfaces.baselines.parts.config import BaselineConfig
from kerasfaces.errors import InputError, RunError
from kerasfaces.train.config import TrainConfig

FORMAT_VERSION = 1
_BEFORE_TRAINING = {"config.json", "environment.json", "manifest.csv", "audit.json"}


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
    """Write config.json, or check that it is ours.

    A run that stopped before its first checkpoint (a mistyped option) claims nothing.
    """
    path = folder / "config.json"
    held = {each.name for each in folder.iterdir()} - {".lock"}
    if not path.exists():
        if held:
            raise RunError(
                f"{folder} is not empty and no run folder (it holds {min(held)!r}); choose "
                "another folder with -o."
            )
        runs.write_json(path, own)
        return
    changed = configs.diff(_completed(runs.read_json(path), kind), own)
    if changed and held <= _BEFORE_TRAINING:
        for name in held - {"config.json"}:
            (folder / name).unlink()
        runs.write_json(path, own)
    elif changed:
        raise RunError(
            f"{folder} holds a run of another configuration ({'; '.join(changed[:6])}); "
            "choose another folder with -o, or repeat the old command to continue it."
        )


def _completed(old: dict[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Give an older run the fields it lacks: their defaults are what it was made with."""
    try:
        train = configs.to_dict(configs.from_dict(kind, old["train"]))
    except (InputError, KeyError):
        return old  # the comparison will name what is odd
    return {"channel_recipe": None, **old, "train": train}
