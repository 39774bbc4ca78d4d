"""The winner becomes an ordinary run folder, and meets the test images once."""

import dataclasses
import shlex
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core.files import write_json
from kerasfaces.run.folder import ScoredRun
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.loop import scores
from kerasfaces.train.run import Training, train
from kerasfaces.tune import records
from kerasfaces.tune.inventory import Inventory
from kerasfaces.tune.study import Study


def refit(
    study: Study,
    inventory: Inventory,
    folder: Path,
    trial: Any,
    n_alike: int,
    n_trials: int,
    notes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Train the best trial's run, measure it, and write result.json.

    Args:
        study: The study.
        inventory: Where its weights and its store are.
        folder: Its folder; `manifest.csv` there has the splits.
        trial: The best one.
        n_alike: Trials that may be as good, itself included.
        n_trials: Trials with a score.
        notes: Sentences for the top of the run's report.

    Returns:
        The content of result.json.
    """
    config = configs.from_dict(TrainConfig, trial.config)
    config = dataclasses.replace(config, seed=study.seed)
    found = folder_for(folder, trial.trial_id)
    sentence = (
        f"Chosen on validation among {n_trials} trials of a study (kerasfaces tune), of "
        f"which {n_alike} are not distinguishable from the best: its validation numbers are "
        "too good, its test numbers are not."
    )
    run = train(
        Training(
            config=config,
            manifest=manifests.read(folder / "manifest.csv"),
            weights=inventory.weights[config.model.name],
            folder=found,
            store=inventory.store,
            notes=(*notes, sentence),
        )
    )
    measured = {split: _score(study, run, split) for split in ("val", "test")}
    result = {
        "trial": trial.trial_id,
        "objective": study.objective,
        "search": trial.score,
        "validation": measured["val"],
        "test": measured["test"],
        "optimism": _optimism(study, trial.score, measured["test"]),
        "test_auc": ScoredRun(run).measured("test")["auc"],
        "n_trials": n_trials,
        "n_like_best": n_alike,
        "run": run.name,
        "command": command(config, inventory, folder / "manifest.csv", run),
    }
    write_json(folder / "result.json", result)
    return result


def folder_for(folder: Path, trial_id: str) -> Path:
    """Return `winner`, or `winner-<trial>` where an earlier winner is there already."""
    first = folder / "winner"
    note = folder / "winner.json"
    if not note.exists():
        write_json(note, {"trial": trial_id})
    held: str = records.read_object(note).get("trial", "")
    return first if held == trial_id else folder / f"winner-{trial_id}"


def command(
    config: TrainConfig, inventory: Inventory, manifest: Path, run: Path
) -> str:
    """Return the `kerasfaces train` command that trains this very run."""
    name = config.model.name
    words = ["kerasfaces", "train", "--manifest", str(manifest), "--model", name]
    words += ["--weights", inventory.weights[name]]
    if inventory.store is not None:
        words += ["--store", str(inventory.store)]
    if config.seed:
        words += ["--seed", str(config.seed)]
    default = dataclasses.replace(inventory.default(name), seed=config.seed)
    before = configs.to_dict(default)
    for key, value in _changed(before, configs.to_dict(config)):
        words += ["--set", f"{key}={_text(value)}"]
    return shlex.join([*words, "-o", str(run)])


def _changed(
    default: dict[str, Any], config: dict[str, Any], prefix: str = ""
) -> list[tuple[str, Any]]:
    found = []
    for key, value in config.items():
        before = default[key]
        if isinstance(value, dict):
            found += _changed(before, value, f"{prefix}{key}.")
        elif value != before and f"{prefix}{key}" != "model.options.alpha":
            found.append((f"{prefix}{key}", value))  # the width is in the weights
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_text(each) for each in value)
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _score(study: Study, run: Path, split: str) -> float:
    """Return the study's objective on a split of a run, from its logits."""
    frame = ScoredRun(run).readable(split)
    labels = (frame["label"] == "fake").to_numpy().astype(np.float32)
    return scores(labels, frame["logit"].to_numpy(np.float64))[study.objective]


def _optimism(study: Study, chosen: float, test: float) -> float:
    """Return by how much the chosen score is better than the test score."""
    return chosen - test if study.direction == "max" else test - chosen
