"""Several trainings as tasks of the engine.

By default they follow each other in this process and share a frozen base; each of several
workers keeps a base of its own. Workers on other machines read images and caches and write
run folders where the driver would: they need a shared disk.
"""

import contextlib
import dataclasses
import logging
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, KerasfacesError
from kerasfaces.core.imports import import_keras
from kerasfaces.train import run
from kerasfaces.train.network_builder import NetworkBuilders
from kerasfaces.train.training import Training

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingOutcome:
    """What became of a training: a finished run folder, or the reason why there is none."""

    folder: Path | None  # None where it failed
    reason: str = ""  # in one line; empty where it is finished
    trace: str = ""  # the traceback of a defect


class TrainTask:
    """The task: one training after another, on one base where they share it."""

    def __init__(self, output: Path, builders: NetworkBuilders | None = None) -> None:
        """Take a folder that holds the run folders, and what is built here already."""
        self._output, self._builders = output, builders or NetworkBuilders()

    def __reduce__(self) -> tuple["Callable[[Path], TrainTask]", tuple[Path]]:
        """Pickle the folder alone: every worker builds its base."""
        return _train, (self._output,)

    def __call__(self, training: Training) -> TrainingOutcome:
        """Train; a failure of one training is its end, what would stop all is raised.

        Raises:
            OSError: There is no room, or a folder is locked.
            InputError: This machine does not see the output folder.
        """
        if not self._output.is_dir():
            raise InputError(
                f"{self._output} is not here: trainings on several machines need a shared disk "
                "for images, caches (KERASFACES_CACHE) and the output folder."
            )
        try:
            return TrainingOutcome(run.train(training, self._builders))
        except OSError:
            raise
        except KerasfacesError as error:
            return TrainingOutcome(None, str(error))
        except Exception as error:  # noqa: BLE001 - named, traceback kept
            return TrainingOutcome(None, repr(error), traceback.format_exc())


def _train(output: Path) -> TrainTask:
    import_keras()
    return TrainTask(output)


def anywhere(training: Training) -> Training:
    """Return a training that means the same in another working directory."""
    paths = {
        name: path.absolute()
        for name in ("folder", "store")
        if (path := getattr(training, name)) is not None
    }
    return dataclasses.replace(training, **paths)


def train_all(
    trainings: Sequence[Training],
    output: Path,
    spread: Engine,
    builders: NetworkBuilders | None = None,
) -> Iterator[TrainingOutcome]:
    """Train all, each into a folder of its own below `output`; yield how each ended.

    Without a number of workers this process trains them alone, in order.
    """
    outcomes = engine.map(
        TrainTask(output.absolute(), builders),
        trainings,
        spread=spread.or_in_process(),
        load=anywhere,
    )
    with contextlib.closing(outcomes):
        for training, outcome in zip(trainings, outcomes, strict=True):
            ended = outcome.value or TrainingOutcome(None, outcome.error)
            if ended.folder is not None:
                ended = TrainingOutcome(training.folder)
            if ended.trace:
                logger.error("%s\n%s", training.folder, ended.trace)
            yield ended
