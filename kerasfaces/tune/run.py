"""Study + manifest -> study folder: search, leaderboard, winner; resumable anywhere.

The winner becomes an ordinary run folder, and meets the test images once.
"""

import dataclasses
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import write_json, write_text
from kerasfaces.manifest import split as splits
from kerasfaces.run import trials as records
from kerasfaces.run.folder import ScoredRun, StudyRun
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.data import Data
from kerasfaces.train.phase import scores
from kerasfaces.train.run import train
from kerasfaces.train.training import Training
from kerasfaces.train.unseen import families_of
from kerasfaces.tune import leaderboard, progress_table, report, space
from kerasfaces.tune.components import Components
from kerasfaces.tune.search import RETRIES, Search
from kerasfaces.tune.study import UNSEEN, Study, column_of
from kerasfaces.tune.tasks import TrainTrial

logger = logging.getLogger(__name__)

# What may change between two calls on one folder: how long, not what.
_FREE = {"title", "configure", "bases", "max_trials", "budget_h", "published"}


def tune(
    name: str,
    study: Study,
    manifest: manifests.Manifest,
    *,
    weights: Sequence[str] = (),  # one for all bases, or BASE=WEIGHTS each
    default_weights: str = "imagenet",  # or `forensic`, on the sample
    store: Path | None = None,  # channel store; None searches on pixels
    folder: Path | None = None,  # None names it by study and manifest
    spread: Engine | None = None,  # without a number of workers, this process trains
    tensorboard: bool = False,  # write TensorBoard logs
    notes: tuple[str, ...] = (),  # for the top of the study's and the winner's report
) -> Path:
    """Search, rank, refit the winner; return the study folder.

    Raises:
        InputError: A mistake in the study, found before anything is trained.
        MissingFileError: Weights that were named, or all weights, are missing.
        RunError: The folder holds another study, or a damaged one.
        LockedError: Another process runs a study there.
    """
    if "KERASTUNER_ORACLE_IP" in os.environ:
        raise InputError(
            "KERASTUNER_ORACLE_IP is set, but KerasTuner's workers are not used here; unset "
            "it, and spread the trials over machines with `engine='ray'`."
        )
    components = Components.of(study.bases, weights, default_weights, store)
    declared = space.declare(study, components)
    probes = space.probes(study, components, declared)
    split = splits.if_needed(manifest)
    identity = {
        "study": name,
        "space": space.description(declared),
        "default": configs.to_dict(probes[0]),
        "settings": {k: v for k, v in vars(study).items() if k not in _FREE},
        "manifest": split.digest(),
        "weights": {base: each.describe() for base, each in components.loaded.items()},
        "channels": components.channels_digest,
    }
    run = StudyRun(folder or Path(f"runs/tune-{name}-{configs.digest(identity, 10)}"))
    task = TrainTrial(split, components, probes)
    with run.writing(json.loads(json.dumps(identity))):  # tuples come back as lists
        run.about = {
            "title": study.title,
            "max_trials": study.max_trials,
            "budget_h": study.budget_h,
            "published": study.published and dataclasses.asdict(study.published),
            "notes": notes,
        }
        run.keep_manifest(split)
        if not run.environment:
            run.describe_machine()
        search = Search(study, components, declared, run.path, tensorboard=tensorboard)
        if (run.path / records.LABELS).exists():
            records.read_labels(run.path)
        else:  # images are read before the first trial: their mistakes are no candidate's
            _keep_labels(run.path, task.trainer.feature_sets.data(probes[0]), study)
        _train_trials(search, task, (spread or Engine()).or_in_process())
        _rank(search, components, notes)
    return run.path


def _keep_labels(folder: Path, data: Data, study: Study) -> None:
    """Keep validation labels; say which families are never left out, refuse none to leave."""
    if study.objective == UNSEEN:
        rows = [data.readable(split) for split in ("train", "val")]
        fakes = [data.families(each[data.labels(each) == 1]) for each in rows]
        for family, why in families_of(*fakes)[1].items():
            logger.warning("family %s is never left out: %s", family, why)
    records.write_labels(folder, data.labels(data.readable("val")))


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
        reason = failed[0].message if failed else "nothing was tried."
        raise RunError(
            f"All {len(failed)} trials failed, the first because: {reason} Mend the study and "
            "start it in another folder with `output`."
        )
    table = leaderboard.make(folder, completed, failed, study.objective, study.seed)
    csv = table.to_csv(index=False, lineterminator="\n")
    write_text(StudyRun(folder).leaderboard_file, csv)
    refit(search, components, leaderboard.n_like_best(table), notes)
    report.write(folder)


def refit(
    search: Search, components: Components, n_alike: int, notes: tuple[str, ...]
) -> None:
    """Train the best trial's run, measure it, and write result.json."""
    study, folder, completed = search.study, StudyRun(search.folder), search.completed()
    trial, n_trials = completed[0], len(completed)
    config = configs.from_dict(TrainConfig, trial.config or {})
    config = dataclasses.replace(config, seed=study.seed)
    name = config.model.name
    sentence = (
        f"Chosen on validation among {n_trials} trials of a study (kerasfaces tune), of "
        f"which {n_alike} are not distinguishable from the best: its validation numbers are "
        "too good, its test numbers are not."
    )
    run = train(
        Training(
            config=config,
            manifest=folder.manifest,
            weights=components.weights[name],
            folder=winner_folder(folder, trial.trial_id),
            store=components.store,
            notes=(*notes, sentence),
        )
    )
    in_search, on_test = float(trial.score or 0.0), _score(study, run, "test")
    # The winner has seen every family, so that its test is of another question.
    is_same = study.objective != UNSEEN
    default = configs.to_dict(components.default(name)) | {"seed": config.seed}
    changes = configs.changes(default, configs.to_dict(config))
    folder.result = {
        "trial": trial.trial_id,
        "objective": study.objective,
        "search": in_search,
        "validation": _score(study, run, "val"),
        "test": on_test,
        "optimism": study.sign * (in_search - on_test) if is_same else None,
        "test_auc": ScoredRun(run).measured("test")["auc"],
        "n_trials": n_trials,
        "n_like_best": n_alike,
        "run": run.name,
        "training": {
            "model": name,
            "weights": components.weights[name],
            "store": components.store and str(components.store),
            "seed": config.seed,
            # The width is in the weights.
            "changes": {k: v for k, _, v in changes if k != "model.options.alpha"},
        },
    }


def winner_folder(study: StudyRun, trial_id: str) -> Path:
    """Return `winner`, or `winner-<trial>` where an earlier winner is there already."""
    if not study.first_winner:
        study.first_winner = {"trial": trial_id}
    is_first = study.first_winner.get("trial") == trial_id
    return study.path / ("winner" if is_first else f"winner-{trial_id}")


def _score(study: Study, run: Path, split: str) -> float:
    """Return the study's objective on a split of a run, from its logits."""
    frame = ScoredRun(run).readable(split)
    labels = (frame["label"] == "fake").to_numpy().astype(np.float32)
    return scores(labels, frame["logit"].to_numpy())[column_of(study.objective)]
