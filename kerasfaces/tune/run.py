"""Study + manifest -> study folder: search, leaderboard, winner; resumable anywhere.

The winner becomes an ordinary run folder, and meets the test images once.
"""

import dataclasses
import json
import logging
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core import engine, environment, folders
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import write_json
from kerasfaces.manifest import split as splits
from kerasfaces.run.folder import ScoredRun
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.loop import scores
from kerasfaces.train.run import Training, train
from kerasfaces.tune import leaderboard, progress_table, records, report, space
from kerasfaces.tune.components import Components
from kerasfaces.tune.search import RETRIES, Search
from kerasfaces.tune.study import Study
from kerasfaces.tune.tasks import TrainTrial

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
# What may change between two calls on one folder: how long, not what.
_FREE = {"title", "configure", "bases", "max_trials", "budget_h", "published"}
_BEFORE_TRIALS = (
    *("about.json", "clock.json", "environment.json", "manifest.csv", "val_labels.npy"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """A study to run, with data, weights and machines."""

    name: str  # the study's
    study: Study
    manifest: manifests.Manifest  # split or not
    weights: Sequence[str] = ()  # one for all bases, or BASE=WEIGHTS each
    default_weights: str = "imagenet"  # or `forensic`, on the sample
    store: Path | None = None  # channel store; None searches on pixels
    folder: Path | None = None  # None names it by study and manifest
    # Without a number of workers, this process trains.
    engine: Engine = dataclasses.field(default_factory=Engine)
    tensorboard: bool = False  # write TensorBoard logs
    notes: tuple[str, ...] = ()  # for the top of the study's and the winner's report


def tune(settings: SearchSettings) -> Path:
    """Search, rank, refit the winner; return the study folder.

    Raises:
        InputError: A mistake in the study, found before anything is trained.
        MissingFileError: Weights that were named, or all weights, are missing.
        RunError: The folder holds another study, or a damaged one.
        LockedError: Another process runs a study there.
    """
    if "KERASTUNER_ORACLE_IP" in os.environ:
        raise InputError(
            "KERASTUNER_ORACLE_IP is set, but KerasTuner's chief and workers are not used "
            "here; unset it, and spread the trials over machines with `engine='ray'`."
        )
    study, store = settings.study, settings.store
    components = Components.of(
        study.bases, settings.weights, settings.default_weights, store
    )
    declared = space.declare(study, components)
    probes = space.probes(study, components, declared)
    split = splits.if_needed(settings.manifest)
    identity = {
        "format": FORMAT_VERSION,
        "study": settings.name,
        "space": space.description(declared),
        "default": configs.to_dict(probes[0]),
        "settings": {
            field.name: getattr(study, field.name)
            for field in dataclasses.fields(study)
            if field.name not in _FREE
        },
        "manifest": split.digest(),
        "weights": {base: each.describe() for base, each in components.loaded.items()},
        "channels": _channels(store),
    }
    default_name = f"tune-{settings.name}-{configs.digest(identity, 10)}"
    folder = settings.folder or Path("runs") / default_name
    task = TrainTrial(split, components, probes)
    with folders.lock(folder, "study folder"):
        _claim(settings, split, identity, folder)
        search = Search(
            study, components, declared, folder, tensorboard=settings.tensorboard
        )
        _write_labels(folder, task, space.configuration(study, components, declared))
        _train_trials(search, task, settings.engine.or_in_process())
        _rank(search, components, settings.notes)
    return folder


def _channels(store: Path | None) -> str | None:
    if store is None:
        return None
    from kerasfaces.dataset.channels import ChannelStore

    return configs.digest(ChannelStore(store).made_by)


def _claim(
    settings: SearchSettings,
    split: manifests.Manifest,
    identity: dict[str, Any],
    folder: Path,
) -> None:
    """Write study.json, or check that it is ours.

    A study that stopped before its first trial (a wrong path) claims nothing.
    """
    identity = json.loads(json.dumps(identity))  # tuples come back as lists
    folders.claim(folder, "study.json", identity, "study", _BEFORE_TRIALS)
    study = settings.study
    about = {
        "title": study.title,
        "max_trials": study.max_trials,
        "budget_h": study.budget_h,
        "published": study.published and dataclasses.asdict(study.published),
        "notes": settings.notes,
    }
    write_json(folder / "about.json", about)
    # After study.json: a kill in between leaves a study that is continued.
    if not (folder / "manifest.csv").exists():
        manifests.write(split, folder / "manifest.csv")
    if not (folder / "environment.json").exists():
        write_json(folder / "environment.json", environment.describe())


def _write_labels(folder: Path, task: TrainTrial, config: TrainConfig) -> None:
    """Read images once before the first trial: their mistakes are no candidate's."""
    if (folder / "val_labels.npy").exists():
        leaderboard.read_labels(folder)
    else:
        data = task.feature_sets.data(config)
        leaderboard.write_labels(folder, data.labels(data.readable("val")))


def _train_trials(search: Search, task: TrainTrial, spread: Engine) -> None:
    n_ended = len(search.ended())
    if n_ended:
        logger.info("continuing: %d trials are finished", n_ended)
    if n_ended == search.oracle.total():
        return
    with (
        progress_table.showing(search),
        engine.pool(task, spread, retries=RETRIES, label="trials") as pool,
    ):
        search.run(pool)
    write_json(search.folder / "oracle.json", search.oracle.get_state())


def _rank(search: Search, components: Components, notes: tuple[str, ...]) -> None:
    """Write the leaderboard, train the winner again, write the report."""
    study, folder = search.study, search.folder
    completed, failed = search.completed(), search.failed()
    if not completed:
        reason = failed[0].message if failed else "nothing was tried"
        raise RunError(
            f"All {len(failed)} trials failed, the first because: {reason} Mend the study and "
            "start it in another folder with `output`."
        )
    table = leaderboard.make(folder, completed, failed, study.objective, study.seed)
    leaderboard.write(folder, table)
    n_alike = int((table["like_best"] == True).sum())  # noqa: E712 - NaN where failed
    refit(search, components, n_alike, notes)
    report.write(folder)


def refit(
    search: Search, components: Components, n_alike: int, notes: tuple[str, ...]
) -> None:
    """Train the best trial's run, measure it, and write result.json."""
    study, folder, completed = search.study, search.folder, search.completed()
    trial, n_trials = completed[0], len(completed)
    config = configs.from_dict(TrainConfig, trial.config or {})
    config = dataclasses.replace(config, seed=study.seed)
    sentence = (
        f"Chosen on validation among {n_trials} trials of a study (kerasfaces tune), of "
        f"which {n_alike} are not distinguishable from the best: its validation numbers are "
        "too good, its test numbers are not."
    )
    run = train(
        Training(
            config=config,
            manifest=manifests.read(folder / "manifest.csv"),
            weights=components.weights[config.model.name],
            folder=winner_folder(folder, trial.trial_id),
            store=components.store,
            notes=(*notes, sentence),
        )
    )
    in_search, on_test = float(trial.score or 0.0), _score(study, run, "test")
    result = {
        "trial": trial.trial_id,
        "objective": study.objective,
        "search": in_search,
        "validation": _score(study, run, "val"),
        "test": on_test,
        "optimism": study.sign * in_search - study.sign * on_test,
        "test_auc": ScoredRun(run).measured("test")["auc"],
        "n_trials": n_trials,
        "n_like_best": n_alike,
        "run": run.name,
        "command": command_of(config, components, folder / "manifest.csv", run),
    }
    write_json(folder / "result.json", result)


def winner_folder(folder: Path, trial_id: str) -> Path:
    """Return `winner`, or `winner-<trial>` where an earlier winner is there already."""
    note = folder / "winner.json"
    if not note.exists():
        write_json(note, {"trial": trial_id})
    is_first = records.read_object(note).get("trial", "") == trial_id
    return folder / ("winner" if is_first else f"winner-{trial_id}")


def command_of(
    config: TrainConfig, components: Components, manifest: Path, run: Path
) -> str:
    """Return the `kerasfaces train` command that trains this very run."""
    name = config.model.name
    words = ["kerasfaces", "train", "--manifest", str(manifest), "--model", name]
    words += ["--weights", components.weights[name]]
    if components.store is not None:
        words += ["--store", str(components.store)]
    if config.seed:
        words += ["--seed", str(config.seed)]
    default = dataclasses.replace(components.default(name), seed=config.seed)
    for key, value in _changed(configs.to_dict(default), configs.to_dict(config)):
        words += ["--set", f"{key}={_text(value)}"]
    return shlex.join([*words, "-o", str(run)])


def _changed(
    default: dict[str, Any], config: dict[str, Any], prefix: str = ""
) -> list[tuple[str, Any]]:
    changed = []
    for key, value in config.items():
        name = prefix + key
        if isinstance(value, dict):
            changed += _changed(default[key], value, f"{name}.")
        elif value != default[key] and name != "model.options.alpha":
            changed.append((name, value))  # the width is in the weights
    return changed


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _score(study: Study, run: Path, split: str) -> float:
    """Return the study's objective on a split of a run, from its logits."""
    frame = ScoredRun(run).readable(split)
    labels = (frame["label"] == "fake").to_numpy().astype(np.float32)
    return scores(labels, frame["logit"].to_numpy(np.float64))[study.objective]
