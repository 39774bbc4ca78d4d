"""Study files: what is searched, how, and by what measure.

A study is a Python file with `get_study()`; its docstring says what it is for. The ones
we ship are in `tuning/`; any path to another one will do. Imports no framework.
"""

import ast
import dataclasses
import math
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import kerasfaces
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.texts import near_hint, quoted
from kerasfaces.metrics.main_effects import Value
from kerasfaces.models import catalogue
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.components import Components
from kerasfaces.tune.user_code import check_arguments, study_code

if TYPE_CHECKING:
    from keras_tuner import HyperParameters

    from kerasfaces.run.trials import Trial

UNSEEN = "val_auc_unseen"
# Objective -> 1 where more is better, -1 where less is.
OBJECTIVES = {"val_auc": 1.0, "val_accuracy": 1.0, "val_loss": -1.0, UNSEEN: 1.0}
ORACLES = ("grid", "random", "hyperband", "bayesian")
Configure = Callable[["HyperParameters", Components], TrainConfig]

_INSTALLED = "share/kerasfaces/tuning"  # as in setup.cfg
# Whole numbers, and the lowest; the optional ones may be None.
_LOWEST = {"repeats": 1, "seed": -math.inf, "max_epochs": 1, "factor": 2}
_LOWEST |= {"max_trials": 1, "median_after": 1}
_OPTIONAL = ("max_trials", "median_after")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Point:
    """One line of a published grid."""

    values: Mapping[str, Value]  # hyperparameter -> value
    metrics: Mapping[str, float]  # one of `printed_metrics.NAMES` -> the printed number

    def find(self, trials: "Sequence[Trial]") -> "Trial | None":
        """Return the trial with these values; None without one."""
        same = (one for one in trials if dict(one.values) == dict(self.values))
        return next(same, None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Published:
    """A grid of hyperparameters that a document printed, with its numbers."""

    source: str  # whose, and which table
    data: str  # images that its numbers were measured on
    points: tuple[Point, ...]  # its lines, in its order


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """A search over heads on frozen bases.

    Attributes:
        title: One line for the list.
        configure: Asks a `keras_tuner.HyperParameters` for values and returns the run
            they stand for; what it asks for is the search space.
        bases: Models it may choose from; those without weights are left out.
        oracle: Who chooses: every point, at random, Hyperband, Bayesian optimisation.
        objective: Column of the history by which trials are ranked, or `val_auc_unseen`:
            the mean AUC of families of fakes (the manifest's column `family`, else the
            source), each by a head that was trained without it.
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
        budget_h: No trial starts after so many hours of searching by the clock, all calls
            together, those that were killed up to their last two seconds.
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
        for mistake in self._mistakes():
            raise InputError(mistake)

    def _mistakes(self) -> Iterator[str]:
        if isinstance(self.bases, str) or not self.bases:
            yield f"bases: expected names in a tuple, got {quoted(self.bases)}."
        if not callable(self.configure):
            yield f"configure: expected a function, got {quoted(self.configure)}."
        for name, lowest in _LOWEST.items():
            value = getattr(self, name)
            if value is None and name in _OPTIONAL:
                continue
            if type(value) is not int:
                yield f"{name}: expected a whole number, got {quoted(value)}."
            elif value < lowest:
                yield f"{name}: expected at least {lowest}, got {value}."
        for name, known in (("objective", tuple(OBJECTIVES)), ("oracle", ORACLES)):
            value = getattr(self, name)
            if value not in known:
                names = f"{' or '.join(known)}.{near_hint(value, known)}"
                yield f"{name}: {quoted(value)} is unknown; expected {names}"
        by_epoch = self.oracle == "hyperband" or self.median_after is not None
        if self.objective == UNSEEN and by_epoch:
            yield (
                f"objective: {UNSEEN} is known when a training is over, and hyperband and "
                "median_after compare epochs; choose grid, random or bayesian."
            )
        if self.oracle in ("random", "bayesian") and self.max_trials is None:
            yield f"max_trials: {self.oracle} choices have no end; give a number."
        if self.budget_h is not None and not 0 < self.budget_h < math.inf:
            yield (f"budget_h: expected a finite number above 0, got {self.budget_h}.")

    @property
    def sign(self) -> float:
        """1 where more of the objective is better, -1 where less is."""
        return OBJECTIVES[self.objective]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The training seeds of every point."""
        return tuple(range(self.seed, self.seed + self.repeats))


def column_of(objective: str) -> str:
    """Return the column of the history that is an objective, or nearest to it."""
    return "val_auc" if objective == UNSEEN else objective


def shipped() -> dict[str, str]:
    """Return name -> first line of the docstring of the studies that we ship."""
    texts = {name: path.read_text("utf-8") for name, path in _shipped_files().items()}
    docstrings = {name: ast.get_docstring(ast.parse(texts[name])) for name in texts}
    return {name: (docstrings[name] or "").partition("\n")[0] for name in texts}


def load(text: str) -> tuple[str, Study]:
    """Return a study's name and the study.

    Args:
        text: A path to a Python file, or the name of a shipped study.

    Raises:
        MissingFileError: No such file.
        InputError: No such study, or the file gives none.
    """
    path = file_of(text)
    try:
        with study_code(path):
            names = runpy.run_path(str(path), run_name=f"tuning.{path.stem}")
    except SyntaxError as error:
        raise InputError(f"{path}: {error}; mend the study.") from error
    get_study = names.get("get_study")
    if not callable(get_study):
        found = quoted(get_study) if "get_study" in names else "none"
        raise InputError(
            f"{path}: a study is a Python file that defines get_study(), got {found}."
        )
    with study_code(path):
        check_arguments("get_study", get_study)
        study = get_study()
        if not isinstance(study, Study):
            raise InputError(
                f"get_study() returned {type(study).__name__}, expected a Study."
            )
        check_arguments("configure", study.configure, "hp", "components")
        for base in study.bases:
            registry.check("model", base, catalogue.names())
    return path.stem, study


def file_of(text: str) -> Path:
    """Return a study's file; nothing is run.

    Raises:
        MissingFileError: No such file.
        InputError: No shipped study of this name.
    """
    path = Path(text)
    if path.suffix != ".py":
        known = _shipped_files()
        if text not in known:
            raise InputError(
                f"There is no study {quoted(text)}; available: {', '.join(known) or 'none'}, or a "
                f"path to a .py file.{near_hint(text, known)}"
            )
        path = known[text]
    if not path.is_file():
        raise MissingFileError(f"{path} does not exist; it should be a study (.py).")
    return path


def limited(study: Study, max_trials: int | None, repeat: int | None) -> Study:
    """Return a study with a caller's numbers instead of its own; None keeps its own.

    Raises:
        InputError: One is no whole number of at least 1.
    """
    for name, value in (("max_trials", max_trials), ("repeat", repeat)):
        if value is not None and (type(value) is not int or value < 1):
            raise InputError(
                f"`{name}`: expected a whole number, at least 1, got {quoted(value)}."
            )
    return dataclasses.replace(
        study,
        max_trials=study.max_trials if max_trials is None else max_trials,
        repeats=study.repeats if repeat is None else repeat,
    )


def _shipped_files() -> dict[str, Path]:
    """Return name -> `tuning/*.py` of the sources, or where an installation put them."""
    root = Path(kerasfaces.__file__).parents[1]
    if (root / "setup.cfg").exists():
        paths = list((root / "tuning").glob("*.py"))
    else:
        # The installation this very package came with, not another one on the path.
        paths = [
            Path(str(file.locate())).resolve()
            for one in metadata.distributions(name="kerasfaces", path=[str(root)])
            for file in one.files or []
            if file.parent.as_posix().endswith(_INSTALLED) and file.suffix == ".py"
        ]
    return {path.stem: path for path in sorted(paths) if path.stem[0] != "_"}
