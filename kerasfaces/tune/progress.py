"""How far a running trial is: `progress.json` in its folder, gone when the trial is over."""

import json
from pathlib import Path
from typing import Any

from kerasfaces.core.files import write_json
from kerasfaces.tune.records import folder_of


def write(study: Path, trial_id: str, said: dict[str, Any]) -> None:
    """Say how far a trial is.

    Args:
        study: The study's folder.
        trial_id: Which trial.
        said: `repeat` of `repeats`, `epoch` of `epochs`, `value` of the objective, and
            how many epochs were `trained` in these `seconds`: a continued trial's first
            ones were not.
    """
    write_json(folder_of(study, trial_id) / "progress.json", said)


def read(study: Path, trial_id: str) -> dict[str, Any] | None:
    """Return what a trial last said; None where it said nothing, or is over."""
    try:
        text = (folder_of(study, trial_id) / "progress.json").read_text()
        said: dict[str, Any] = json.loads(text)
    except (OSError, ValueError):
        return None
    return said
