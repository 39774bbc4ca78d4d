"""Study files: what is searched, how, and by what measure.

A study is a Python file with `get_study()`; its docstring says what it is for. The ones
we ship are in `tuning/`; any path to another one will do.
"""

import dataclasses
import difflib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import quoted
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune import listing
from kerasfaces.tune.blame import study_code
from kerasfaces.tune.offer import Offer
from kerasfaces.tune.published import Published

OBJECTIVES = {"val_auc": "max", "val_accuracy": "max", "val_loss": "min"}
ORACLES = ("grid", "random", "hyperband", "bayesian")
Configure = Callable[[Any, Offer], TrainConfig]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """A search over heads on frozen bases.

    Attributes:
        title: One line for the list.
        configure: Asks a `keras_tuner.HyperParameters` for values and returns the run
            they stand for; what it asks for is the search space.
        bases: Models it may choose from; those without weights are left out.
        oracle: Who chooses: every point, at random, Hyperband, Bayesian optimisation.
        objective: Column of the history by which trials are ranked.
        max_trials: Points to try at most; None is every point of a grid, or what
            Hyperband's brackets hold.
        repeats: Training seeds per point; the mean counts.
        seed: Of the choices and the first of the training seeds.
        max_epochs: Hyperband: epochs of the longest trials; `configure` should give as
            many. The learning rate falls over all of them, wherever a trial stops.
        factor: Hyperband: one in so many goes on to so many times the epochs.
        median_after: After so many epochs a trial whose best is worse than the median of
            the others' averages stops (Golovin et al. 2017, Google Vizier, 3.1.1); None
            trains all to their end.
        budget_h: No trial starts after so many hours of training, all calls together, those
            that were killed up to their last two seconds.
        published: The document's own grid, shown beside ours.
    """

    title: str
    configure: Configure
    bases: tuple[str, ...]
    oracle: Literal["grid", "random", "hyperband", "bayesian"]
    objective: str = "val_auc"
    max_trials: int | None = None
    repeats: int = 1
    seed: int = 0
    max_epochs: int = 81
    factor: int = 3
    median_after: int | None = None
    budget_h: float | None = None
    published: Published | None = None

    def __post_init__(self) -> None:
        """Check what can be checked before anything is trained."""
        if isinstance(self.bases, str):
            raise InputError(
                f"bases: expected names in a tuple, got the text {quoted(self.bases)}; write "
                f"({quoted(self.bases)},)."
            )
        if not callable(self.configure):
            raise InputError(
                f"configure: expected a function, got {quoted(self.configure)}."
            )
        for name in ("repeats", "max_epochs", "factor", "seed"):
            _whole(name, getattr(self, name))
        for name in ("max_trials", "median_after"):
            if getattr(self, name) is not None:
                _whole(name, getattr(self, name))
        _one_of("objective", self.objective, tuple(OBJECTIVES))
        _one_of("oracle", self.oracle, ORACLES)
        if not self.bases:
            raise InputError("bases: a study needs at least one model to choose from.")
        least = {"repeats": 1, "max_epochs": 1, "factor": 2}
        for name, limit in least.items():
            if getattr(self, name) < limit:
                raise InputError(
                    f"{name}: expected at least {limit}, got {getattr(self, name)}."
                )
        for name in ("max_trials", "median_after"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{name}: expected at least 1 or none, got {value}.")
        if self.oracle in ("random", "bayesian") and self.max_trials is None:
            raise InputError(
                f"max_trials: a study with {self.oracle} choices has no end; give a number."
            )
        if self.budget_h is not None and self.budget_h <= 0:
            raise InputError(f"budget_h: expected more than 0, got {self.budget_h}.")

    @property
    def direction(self) -> str:
        """Return `min` or `max`."""
        return OBJECTIVES[self.objective]

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the training seeds of every point."""
        return tuple(range(self.seed, self.seed + self.repeats))


def load(text: str) -> tuple[str, Study]:
    """Return a study's name and the study.

    Args:
        text: A path to a Python file, or the name of a shipped study.

    Raises:
        MissingFileError: No such file.
        InputError: No such study, or the file gives none.
    """
    path = Path(text)
    if path.suffix != ".py":
        known = listing.files()
        if text not in known:
            near = difflib.get_close_matches(text, known, n=1)
            hint = f" Did you mean {quoted(near[0])}?" if near else ""
            raise InputError(
                f"There is no study {quoted(text)}; available: {', '.join(known) or 'none'}, or a "
                f"path to a .py file.{hint}"
            )
        path = known[text]
    if not path.is_file():
        raise MissingFileError(f"{path} does not exist; it should be a study (.py).")
    return path.stem, _study_in(path)


def _study_in(path: Path) -> Study:
    spec = importlib.util.spec_from_file_location(f"tuning.{path.stem}", path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} cannot be imported; it should be a study (.py).")
    module = importlib.util.module_from_spec(spec)
    try:
        with study_code():
            spec.loader.exec_module(module)
        get_study = module.get_study
    except (SyntaxError, AttributeError) as error:
        raise InputError(
            f"{path}: {error}; a study is a Python file that defines get_study()."
        ) from error
    try:
        with study_code():
            study = get_study()
    except InputError as error:
        told = str(error)
        raise InputError(
            told if f"{path.name}, line" in told else f"{path}: {told}"
        ) from error
    if not isinstance(study, Study):
        raise InputError(
            f"{path}: get_study() returned {type(study).__name__}, expected a Study."
        )
    return study


def _whole(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise InputError(f"{name}: expected a whole number, got {quoted(value)}.")


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, n=1)
        hint = f" Did you mean {quoted(near[0])}?" if near else ""
        raise InputError(
            f"{name}: {quoted(value)} is unknown; expected {' or '.join(allowed)}.{hint}"
        )
