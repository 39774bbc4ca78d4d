"""Trainings of an experiment as tasks of the engine, as many at a time as there are workers.

Nothing new is submitted once the budget is spent. What fails is named and the rest goes on;
whoever asks for that training afterwards gets the reason.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.imports import import_keras
from kerasfaces.train.tasks import TrainingOutcome, TrainTask, anywhere
from kerasfaces.train.training import Training

logger = logging.getLogger("kerasfaces.experiments")


class TrainAlone:
    """The task: one training, whose graphs are gone when it ends."""

    def __init__(self, output: Path) -> None:
        """Train below `output`, which every worker must see."""
        self._output = output

    def __call__(self, request: Training) -> TrainingOutcome:
        """Train; see `Train`."""
        import_keras()
        import keras

        keras.utils.clear_session()
        return TrainTask(self._output)(request)


def train(
    requests: Iterator[Training],
    output: Path,
    workers: Engine,
    may_start: Callable[[], bool],
) -> dict[Path, str]:
    """Train what is asked for; return run folder -> reason of what failed.

    Args:
        requests: Each with a folder of its own; the next when a worker is free.
        output: A folder above the run folders.
        workers: The engine.
        may_start: Tells whether the budget allows to submit another one.
    """
    reasons: dict[Path, str] = {}
    folders: dict[str, Path] = {}
    task = TrainAlone(output.absolute())
    with engine.pool(task, workers, label="trainings", apart=True) as pool:
        while True:
            while pool.pending < pool.n_workers and may_start():
                request = next(requests, None)
                if request is None or request.folder is None:
                    break
                logger.info("%s: training", request.folder)
                folders[str(request.folder)] = request.folder
                pool.submit(str(request.folder), anywhere(request))
            if not pool.pending:
                return reasons
            outcome = pool.next()
            ended = outcome.value or TrainingOutcome(None, outcome.error)
            if ended.trace:
                logger.error("%s\n%s", outcome.key, ended.trace)
            if ended.folder is None:
                reasons[folders[str(outcome.key)]] = ended.reason
