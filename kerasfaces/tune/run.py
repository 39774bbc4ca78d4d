"""Study + manifest -> study folder: search, leaderboard, winner; resumable anywhere."""

import logging
import os
import time
from pathlib import Path
from typing import Any

from keras_tuner.src.distribute import utils as roles

from kerasfaces.core import config as configs
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.tune import leaderboard, live, report, space, winner
from kerasfaces.tune.announce import announcer
from kerasfaces.tune.bayesian import Bayesian
from kerasfaces.tune.hyperband import Hyperband
from kerasfaces.tune.oracles import Grid, Random
from kerasfaces.tune.prepare import Ready, Request, as_json, claim, prepare
from kerasfaces.tune.records import FAILED
from kerasfaces.tune.study import Study
from kerasfaces.tune.tuner import StudyTuner

__all__ = ["Request", "is_worker", "new_oracle", "tune"]
logger = logging.getLogger(__name__)

_ORACLES = {
    "grid": Grid,
    "random": Random,
    "hyperband": Hyperband,
    "bayesian": Bayesian,
}
_LOCAL = "127.0.0.1:0"


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
    if not request.timeout_s > 0:
        raise InputError(f"--timeout: expected more than 0, got {request.timeout_s:g}.")
    ready = prepare(request)
    if is_worker():
        _work(ready)
        return ready.folder
    with folders.lock(ready.folder, "study folder"):
        claim(ready)
        _search(ready)
    return ready.folder


def is_worker() -> bool:
    """Tell whether this process only runs trials that a chief hands out."""
    return roles.has_chief_oracle() and not roles.is_chief_oracle()


def _search(ready: Ready) -> None:
    study, folder, request = ready.request.study, ready.folder, ready.request
    oracle = _oracle(ready)
    _first_data(ready)
    if done := len(oracle.ended()):
        logger.info("continuing: %d trials are finished", done)
    oracle.on_end = announcer(study, oracle)
    with live.showing(study, oracle, folder):
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
    leaderboard.write(folder, table)
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
    report.write(folder)


def _run(ready: Ready, oracle: Any) -> None:
    """Run the trials here, or hand them out."""
    request = ready.request
    if oracle.total() == len(oracle.ended()):
        return
    if roles.is_chief_oracle():
        from kerasfaces.tune import chief

        address = chief.address_from_environment()
        chief.serve(oracle, address, None, request.timeout_s)
    elif request.workers > 1:
        from kerasfaces.tune import chief
        from kerasfaces.tune.local_workers import LocalWorkers

        local = LocalWorkers(request.command, request.workers, ready.folder)
        chief.serve(oracle, _LOCAL, local, request.timeout_s)
    else:
        _tuner(ready, oracle, "tuner0").search(_callbacks(ready))


def _work(ready: Ready) -> None:
    """Be a worker: wait for the chief's folder, run its trials."""
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
    changed = configs.diff(read_json(path), as_json(ready.identity))
    if changed:
        raise RunError(
            f"The chief runs another study in {ready.folder} ({'; '.join(changed[:6])}): use "
            "the same command for both."
        )
    oracle = new_oracle(ready.request.study)
    client = Client(oracle, ready.folder, ready.request.timeout_s)
    tuner = _tuner(ready, oracle, os.environ["KERASTUNER_TUNER_ID"])
    tuner.oracle = client
    tuner.search(_callbacks(ready))


def new_oracle(study: Study) -> Any:
    """Return the oracle a study asks for; `prepare` makes it read the trials."""
    from keras_tuner import Objective

    options: dict[str, Any] = {}
    if study.oracle == "hyperband":
        options = {"max_epochs": study.max_epochs, "factor": study.factor}
    objective = Objective(study.objective, study.direction)
    return _ORACLES[study.oracle](objective=objective, seed=study.seed, **options)


def _oracle(ready: Ready) -> Any:
    oracle = new_oracle(ready.request.study)
    oracle.prepare(
        ready.request.study, ready.space, ready.folder, ready.request.workers
    )
    return oracle


def _tuner(ready: Ready, oracle: Any, tuner_id: str) -> StudyTuner:
    return StudyTuner(
        oracle,
        ready.request.study,
        ready.offer,
        ready.space,
        ready.material,
        ready.folder,
        tuner_id,
    )


def _callbacks(ready: Ready) -> list[Any]:
    if not ready.request.tensorboard:
        return []
    import keras

    return [keras.callbacks.TensorBoard(str(ready.folder / "tensorboard"))]


def _first_data(ready: Ready) -> None:
    """Read images once before the first trial: their mistakes are no candidate's."""
    path = ready.folder / "val_labels.npy"
    if path.exists():
        leaderboard.read_labels(ready.folder)
        return
    config = space.configuration(ready.request.study, ready.offer, ready.space)
    data = ready.material.data(config)
    leaderboard.write_labels(ready.folder, data.labels(data.readable("val")))
