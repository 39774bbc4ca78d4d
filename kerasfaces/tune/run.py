"""Study + manifest -> study folder: search, leaderboard, winner; resumable anywhere."""

import dataclasses
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core import engine, environment, folders
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import write_json
from kerasfaces.manifest import split as splits
from kerasfaces.tune import inventory, leaderboard, live, report, space, winner
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
class Request:
    """A study to run, and on what.

    Attributes:
        name: The study's.
        study: The study.
        manifest: Rows, split or not.
        weights: `weights`; empty is the default.
        default_weights: `imagenet`, or `forensic` on the sample.
        store: Channel store; None searches on pixels.
        folder: Study folder; None names it by study and manifest.
        spread: Who trains the trials; by default this process.
        tensorboard: Write TensorBoard logs.
        notes: Sentences for the top of the study's and the winner's report.
    """

    name: str
    study: Study
    manifest: manifests.Manifest
    weights: Sequence[str] = ()
    default_weights: str = "imagenet"
    store: Path | None = None
    folder: Path | None = None
    spread: Engine = dataclasses.field(default_factory=lambda: Engine(workers=1))
    tensorboard: bool = False
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Ready:
    """A request, checked: nothing in it can be a user's mistake any more."""

    request: Request
    inventory: inventory.Inventory
    space: Any
    task: TrainTrial
    split: manifests.Manifest
    identity: dict[str, Any]
    folder: Path


def tune(request: Request) -> Path:
    """Search, rank, refit the winner; return the study folder.

    Raises:
        InputError: A mistake in the study, found before anything is trained.
        RunError: The folder holds another study, or a damaged one.
        LockedError: Another process runs a study there.
    """
    if "KERASTUNER_ORACLE_IP" in os.environ:
        raise InputError(
            "KERASTUNER_ORACLE_IP is set, but KerasTuner's chief and workers are not used "
            "here; unset it, and spread the trials over machines with `engine='ray'`."
        )
    ready = _prepare(request)
    with folders.lock(ready.folder, "study folder"):
        _claim(ready)
        _search(ready)
    return ready.folder


def _prepare(request: Request) -> _Ready:
    """Look for weights and store, declare the space; train and write nothing.

    Raises:
        InputError: A mistake in the study.
        MissingFileError: Weights that were named, or all weights, are missing.
    """
    study = request.study
    stock = inventory.make(
        study.bases, request.weights, request.default_weights, request.store
    )
    declared = space.declare(study, stock)
    probes = space.probes(study, stock, declared)
    split = splits.if_needed(request.manifest)
    identity = {
        "format": FORMAT_VERSION,
        "study": request.name,
        "space": space.description(declared),
        "default": configs.to_dict(probes[0]),
        "settings": {
            field.name: getattr(study, field.name)
            for field in dataclasses.fields(study)
            if field.name not in _FREE
        },
        "manifest": split.digest(),
        "weights": {base: each.describe() for base, each in stock.found.items()},
        "channels": _channels(request.store),
    }
    digest = configs.digest(identity, 10)
    folder = request.folder or Path("runs") / f"tune-{request.name}-{digest}"
    task = TrainTrial(split, stock, probes)
    return _Ready(request, stock, declared, task, split, identity, folder)


def _channels(store: Path | None) -> str | None:
    if store is None:
        return None
    from kerasfaces.dataset.channels import ChannelStore

    return configs.digest(ChannelStore(store).made_by)


def _claim(ready: _Ready) -> None:
    """Write study.json, or check that it is ours.

    A study that stopped before its first trial (a wrong path) claims nothing.
    """
    folder, study = ready.folder, ready.request.study
    identity = json.loads(json.dumps(ready.identity))  # tuples come back as lists
    folders.claim(folder, "study.json", identity, "study", _BEFORE_TRIALS)
    about = {
        "title": study.title,
        "max_trials": study.max_trials,
        "budget_h": study.budget_h,
        "published": study.published and dataclasses.asdict(study.published),
        "notes": ready.request.notes,
    }
    write_json(folder / "about.json", about)
    # After study.json: a kill in between leaves a study that is continued.
    if not (folder / "manifest.csv").exists():
        manifests.write(ready.split, folder / "manifest.csv")
    if not (folder / "environment.json").exists():
        write_json(folder / "environment.json", environment.describe())


def _search(ready: _Ready) -> None:
    request, folder = ready.request, ready.folder
    search = Search(
        request.study,
        ready.inventory,
        ready.space,
        folder,
        tensorboard=request.tensorboard,
    )
    _write_labels(ready)
    n_ended = len(search.ended())
    if n_ended:
        logger.info("continuing: %d trials are finished", n_ended)
    if n_ended != search.total():
        with (
            live.showing(search),
            engine.pool(
                ready.task, request.spread, retries=RETRIES, label="trials"
            ) as pool,
        ):
            search.run(pool)
        state = search.oracle.get_state()
        write_json(folder / "oracle.json", state)
    completed, failed = search.completed(), search.failed()
    if not completed:
        reason = failed[0].message if failed else "nothing was tried"
        raise RunError(
            f"All {len(failed)} trials failed, the first because: {reason} Mend the study and "
            "start it in another folder with `output`."
        )
    table = leaderboard.make(request.study, folder, completed, failed)
    leaderboard.write(folder, table)
    n_alike = int((table["like_best"] == True).sum())  # noqa: E712 - NaN where failed
    winner.refit(
        request.study,
        ready.inventory,
        folder,
        completed[0],
        n_alike,
        len(completed),
        request.notes,
    )
    report.write(folder)


def _write_labels(ready: _Ready) -> None:
    """Read images once before the first trial: their mistakes are no candidate's."""
    path = ready.folder / "val_labels.npy"
    if path.exists():
        leaderboard.read_labels(ready.folder)
        return
    config = space.configuration(ready.request.study, ready.inventory, ready.space)
    data = ready.task.feature_sets.data(config)
    leaderboard.write_labels(ready.folder, data.labels(data.readable("val")))
