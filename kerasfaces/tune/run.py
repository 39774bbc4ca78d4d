"""Study + manifest -> study folder: search, leaderboard, winner; resumable anywhere."""

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from keras_tuner.src.distribute import utils as roles

from kerasfaces import cli, runs
from kerasfaces import config as configs
from kerasfaces import manifest as manifests
from kerasfaces.errors import InputError, RunError
from kerasfaces.tune import leaderboard, offer, space, winner
from kerasfaces.tune.bayesian import Bayesian
from kerasfaces.tune.hyperband import Hyperband
from kerasfaces.tune.material import Material
from kerasfaces.tune.oracles import Grid, Random
from kerasfaces.tune.records import FAILED
from kerasfaces.tune.study import Study
from kerasfaces.tune.tuner import StudyTuner

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
_ORACLES = {
    "grid": Grid,
    "random": Random,
    "hyperband": Hyperband,
    "bayesian": Bayesian,
}
# What may change between two calls on one folder: how long, not what.
_FREE = {"title", "configure", "bases", "max_trials", "budget_h"}
_LOCAL = "127.0.0.1:0"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What `tune` was asked for.

    Attributes:
        name: The study's.
        study: The study.
        manifest: Rows, split or not.
        weights: Texts of `--weights`; empty is the default.
        default_weights: `imagenet`, or `forensic` on the sample.
        store: Channel store; None searches on pixels.
        folder: Study folder; None names it by study and manifest.
        workers: Processes; 1 is this one.
        command: The command's own arguments, to start workers with.
        tensorboard: Write TensorBoard logs.
        timeout_s: How long chief and workers wait for each other.
        notes: Sentences for the top of the winner's report.
    """

    name: str
    study: Study
    manifest: manifests.Manifest
    weights: Sequence[str] = ()
    default_weights: str = "imagenet"
    store: Path | None = None
    folder: Path | None = None
    workers: int = 1
    command: Sequence[str] = ()
    tensorboard: bool = False
    timeout_s: float = 600.0
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Ready:
    """A request, checked: nothing in it can be a user's mistake any more."""

    request: Request
    offer: offer.Offer
    space: Any
    material: Material
    identity: dict[str, Any]
    folder: Path


def tune(request: Request) -> Path:
    """Search, rank, refit the winner; return the study folder.

    As a KerasTuner worker (KERASTUNER_TUNER_ID says so) only run trials.

    Raises:
        InputError: A mistake in the study, found before anything is trained.
        RunError: The folder holds another study, or a damaged one.
        LockedError: Another process runs a study there.
    """
    if request.workers < 1:
        raise InputError(f"--workers: expected at least 1, got {request.workers}.")
    ready = _prepare(request)
    if roles.has_chief_oracle() and not roles.is_chief_oracle():
        _work(ready)
        return ready.folder
    with runs.lock(ready.folder, "study folder"):
        _claim(ready)
        _search(ready)
    return ready.folder


def _prepare(request: Request) -> _Ready:
    from kerasfaces.train.data import split_if_needed

    study = request.study
    found = offer.make(
        study.bases, request.weights, request.default_weights, request.store
    )
    declared = space.declare(study, found)
    probes = space.probes(study, found, declared)
    split = split_if_needed(request.manifest)
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
        "weights": {base: each.describe() for base, each in found.found.items()},
        "channels": _channels(request.store),
    }
    digest = configs.digest(identity, 10)
    folder = request.folder or Path("runs") / f"tune-{request.name}-{digest}"
    if (folder / "manifest.csv").exists():
        split = manifests.read(folder / "manifest.csv")
    material = Material(split, found, probes)
    return _Ready(request, found, declared, material, identity, folder)


def _channels(store: Path | None) -> str | None:
    if store is None:
        return None
    from kerasfaces.dataset.channels import ChannelStore

    return configs.digest(ChannelStore(store).made_by)


def _claim(ready: _Ready) -> None:
    """Write study.json, or check that it is ours."""
    from kerasfaces.train.data import split_if_needed

    folder = ready.folder
    path = folder / "study.json"
    if path.exists():
        held = runs.read_json(path)
        changed = configs.diff(held, _as_json(ready.identity))
        if changed:
            raise RunError(
                f"{folder} holds another study ({'; '.join(changed[:6])}); repeat the old "
                f"command to continue it, or start this one elsewhere: -o {_free(folder)}"
            )
    else:
        held = {each.name for each in folder.iterdir()} - {".lock"}
        if held:
            raise RunError(
                f"{folder} is not empty and holds no study (it holds {min(held)!r}); choose "
                "another folder with -o."
            )
        manifests.write(
            split_if_needed(ready.request.manifest), folder / "manifest.csv"
        )
        runs.write_json(folder / "environment.json", runs.environment())
        runs.write_json(path, ready.identity)


def _search(ready: _Ready) -> None:
    study, folder, request = ready.request.study, ready.folder, ready.request
    oracle = _oracle(ready)
    _first_data(ready)
    total = oracle.total()
    done = len(oracle.ended())
    if done:
        logger.info("continuing: %d trials are finished", done)
    with cli.progress(total or done + 1, f"study {request.name}", "trial") as add:
        add(done)
        oracle.on_end = _announcer(study, oracle, add)
        _run(ready, oracle)
    oracle.save()
    completed = oracle.completed()
    failed = [each for each in oracle.ended() if each.status == FAILED]
    if not completed:
        first = failed[0].message if failed else "nothing was tried"
        raise RunError(
            f"All {len(failed)} trials failed, the first because: {first} Mend the study and "
            "start it in another folder (-o)."
        )
    table = leaderboard.make(study, folder, completed, failed)
    alike = int((table["like_best"] == True).sum())  # noqa: E712 - NaN where failed
    winner.refit(
        study,
        ready.offer,
        folder,
        completed[0],
        alike,
        len(completed),
        request.notes,
    )


def _run(ready: _Ready, oracle: Any) -> None:
    """Run the trials here, or hand them out."""
    request = ready.request
    if roles.is_chief_oracle():
        from kerasfaces.tune import chief

        address = chief.address_from_environment()
        chief.serve(oracle, address, None, request.timeout_s)
    elif request.workers > 1 and oracle.total() != len(oracle.ended()):
        from kerasfaces.tune import chief
        from kerasfaces.tune.local_workers import LocalWorkers

        local = LocalWorkers(request.command, request.workers, ready.folder)
        chief.serve(oracle, _LOCAL, local, request.timeout_s)
    else:
        _tuner(ready, oracle, "tuner0").search(_callbacks(ready))


def _work(ready: _Ready) -> None:
    """Be a worker: wait for the chief's folder, run its trials."""
    import os

    from kerasfaces.tune.client import Client
    from kerasfaces.tune.local_workers import end_with_parent

    end_with_parent()
    deadline = time.monotonic() + ready.request.timeout_s
    path = ready.folder / "study.json"
    while not path.exists():
        if time.monotonic() > deadline:
            raise RunError(
                f"{path} did not appear within {ready.request.timeout_s:.0f} s: start the "
                "chief, with the same shared folder (-o)."
            )
        time.sleep(0.2)
    changed = configs.diff(runs.read_json(path), _as_json(ready.identity))
    if changed:
        raise RunError(
            f"The chief runs another study in {ready.folder} ({'; '.join(changed[:6])}): use "
            "the same command for both."
        )
    oracle = _new_oracle(ready.request.study)
    client = Client(oracle, ready.folder, ready.request.timeout_s)
    tuner = _tuner(ready, oracle, os.environ["KERASTUNER_TUNER_ID"])
    tuner.oracle = client
    tuner.search(_callbacks(ready))


def _new_oracle(study: Study) -> Any:
    from keras_tuner import Objective

    options: dict[str, Any] = {}
    if study.oracle == "hyperband":
        options = {"max_epochs": study.max_epochs, "factor": study.factor}
    objective = Objective(study.objective, study.direction)
    return _ORACLES[study.oracle](objective=objective, seed=study.seed, **options)


def _oracle(ready: _Ready) -> Any:
    oracle = _new_oracle(ready.request.study)
    oracle.prepare(
        ready.request.study, ready.space, ready.folder, ready.request.workers
    )
    return oracle


def _tuner(ready: _Ready, oracle: Any, tuner_id: str) -> StudyTuner:
    return StudyTuner(
        oracle,
        ready.request.study,
        ready.offer,
        ready.space,
        ready.material,
        ready.folder,
        tuner_id,
    )


def _callbacks(ready: _Ready) -> list[Any]:
    if not ready.request.tensorboard:
        return []
    import keras

    return [keras.callbacks.TensorBoard(str(ready.folder / "tensorboard"))]


def _first_data(ready: _Ready) -> None:
    """Read images once before the first trial: their mistakes are no candidate's."""
    path = ready.folder / "val_labels.npy"
    if path.exists():
        return
    config = space.configuration(ready.request.study, ready.offer, ready.space)
    data = ready.material.data(config)
    leaderboard.write_labels(ready.folder, data.labels(data.readable("val")))


def _announcer(study: Study, oracle: Any, add: Callable[[int], None]) -> Any:
    started = time.monotonic()
    before = len(oracle.ended())

    def announce(trial: Any) -> None:
        add(1)
        done, total = len(oracle.ended()), oracle.total()
        pace_s = (time.monotonic() - started) / max(1, done - before)
        left = f", about {pace_s * (total - done):.0f} s left" if total else ""
        if trial.score is None:
            told = f"failed: {trial.message}"
        else:
            best = oracle.completed()[0]
            told = (
                f"{study.objective} {trial.score:.4f}"
                f"{' (stopped)' if trial.stopped else ''}, best {best.score:.4f} "
                f"({best.trial_id})"
            )
        logger.info(
            "trial %s, %d of %s: %s%s", trial.trial_id, done, total or "?", told, left
        )

    return announce


def _as_json(value: dict[str, Any]) -> dict[str, Any]:
    import json

    converted: dict[str, Any] = json.loads(json.dumps(value))
    return converted


def _free(folder: Path) -> Path:
    """Return a name beside `folder` that is not taken."""
    number = 2
    while (other := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return other
