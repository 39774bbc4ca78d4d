"""Find experiments and run them: splits, trainings and the clock live under one folder.

A manifest enters; ordinary run folders and `results.json` leave. Everything resumes:
finished runs are skipped, and the hours of earlier calls count.
"""

import ast
import dataclasses
import difflib
import functools
import importlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from experiments.framework import sharing
from experiments.framework.clock import clock, total_s
from experiments.framework.options import KEYWORDS, parse_seeds, parse_weights
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    MissingFileError,
    OutOfBudgetError,
    RunError,
)
from kerasfaces.core.files import read_json, write_json
from kerasfaces.models import catalogue

if TYPE_CHECKING:
    from experiments.framework.rows import Row
    from kerasfaces.baselines.config import BaselineConfig
    from kerasfaces.manifest import Manifest
    from kerasfaces.train.config import TrainConfig
    from kerasfaces.train.run import Training

__all__ = ["KEYWORDS", "Context", "Outcome", "parse_seeds", "parse_weights"]

logger = logging.getLogger("kerasfaces.experiments")
HERE = Path(__file__).parent.parent  # of all experiments


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an experiment found.

    Attributes:
        rows: Rows of results.json.
        weights: Model -> what its base was loaded from, as config.json says it.
        notes: Sentences to print under the tables.
        failed: What broke on some splits alone, so that no row says so -> why.
    """

    rows: Sequence["Row"]
    weights: Mapping[str, Any]
    notes: Sequence[str] = ()
    failed: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What an experiment works with.

    Attributes:
        manifest: Rows; their own splits are not used.
        folder: Where splits and runs go.
        weights: Model -> text of `--weights`.
        seeds: Split seeds.
        notes: Sentences for the top of every run's report.
        quick: Whether it is only to show that everything works.
        budget_h: Hours after which nothing new is started, all calls together; None is
            no limit.
        also: Other images, to test finished detectors on; None without.
        stores: Where channel stores go; None is `folder/stores`.
        runs: Where trainings go that other experiments may ask for as well; None keeps
            them in `folder`.
        hours_of: A folder of experiments whose hours count together; None is `folder`.
        engine: Where trainings run; one after another in this process by default.
    """

    manifest: "Manifest"
    folder: Path
    weights: Mapping[str, str]
    seeds: Sequence[int]
    notes: tuple[str, ...] = ()
    quick: bool = False
    budget_h: float | None = None
    also: "Manifest | None" = None
    stores: Path | None = None
    runs: Path | None = None
    hours_of: Path | None = None
    engine: Engine = dataclasses.field(default_factory=lambda: Engine(workers=1))
    _reasons: dict[Path, str] = dataclasses.field(default_factory=dict, repr=False)

    def missing_weights(self, model: str, text: str | None = None) -> str | None:
        """Return why a model cannot be run, or None when its base weights are there.

        Args:
            model: The model.
            text: Of `--weights`; by default the command's.

        Raises:
            MissingFileError: A file was named and is not there.
        """
        text = self.weights[model] if text is None else text
        return None if text == "none" else _missing(self.folder, model, text)

    def split(self, ratio: tuple[int, int, int], seed: int) -> "Manifest":
        """Return the manifest split anew; made once, kept in `folder/splits`."""
        from kerasfaces import manifest as manifests
        from kerasfaces.manifest import split

        name = "-".join(map(str, ratio))
        path = self.folder / "splits" / f"{name}-seed-{seed}.csv"
        if not path.exists():
            made = split.assign(self.unsplit(), ratio=ratio, seed=seed)
            logger.info("split %s, seed %d: rows moved by %s", name, seed, made.moved)
            manifests.write(made.manifest, path)
        return manifests.read(path)

    def unsplit(self) -> "Manifest":
        """Return the manifest without splits, with hashes, from `splits/unsplit.csv`."""
        from kerasfaces import manifest as manifests
        from kerasfaces.manifest import file_facts

        path = self.folder / "splits" / "unsplit.csv"
        if not path.exists():
            rows = self.manifest.rows.assign(split="")
            bare = dataclasses.replace(self.manifest, rows=rows)
            manifests.write(file_facts.complete(bare)[0], path)
        return manifests.read(path)

    def can_start(self) -> bool:
        """Tell whether the budget allows to start something new."""
        if self.budget_h is None:
            return True
        return total_s(self.hours_of or self.folder) < 3600 * self.budget_h

    def must_start(self, what: str) -> None:
        """Refuse to start something new where the budget is spent.

        Raises:
            OutOfBudgetError: It is.
        """
        if not self.can_start():
            raise OutOfBudgetError(
                f"{what} was not started: the budget of {self.budget_h or 0:g} hours is spent; "
                "the same command with a larger --budget-hours continues."
            )

    def run_folder(self, label: str, seed: int) -> Path:
        """Return where `train` works: `folder/<label>/split-<seed>` or what it links to."""
        return sharing.real(self.folder / label / f"split-{seed}")

    def train(
        self,
        label: str,
        config: "TrainConfig | BaselineConfig",
        ratio: tuple[int, int, int],
        seed: int,
        *,
        store: Path | None = None,
        manifest: "Manifest | None" = None,
        weights: str | None = None,
        audit: dict[str, Any] | None = None,
        notes: Sequence[str] = (),
    ) -> Path:
        """Train on one split, or find it trained; return its run folder.

        Args:
            label: Names the folder.
            config: What to train.
            ratio: Of the split.
            seed: Of the split.
            store: A channel store to train on; None is pixels.
            manifest: Rows with splits; None is the context's, split.
            weights: Text of `--weights`; None is the context's for the model.
            audit: Of the files, if that was done before.
            notes: Sentences for the top of this run's report, besides the context's.

        Raises:
            OutOfBudgetError: It is not trained, and the budget is spent.
            RunError: It failed on a worker.
        """
        from kerasfaces.run.folder import DetectorRun
        from kerasfaces.train import run as training

        request = self.request(
            label,
            config,
            ratio,
            seed,
            store=store,
            manifest=manifest,
            weights=weights,
            audit=audit,
            notes=notes,
        )
        folder = request.folder
        if folder in self._reasons:
            raise RunError(self._reasons[folder])
        if folder is not None and DetectorRun(folder).is_finished:
            logger.info("%s, split seed %d", label, seed)
        else:
            self.must_start(f"{label}, split seed {seed},")
            logger.info("%s, split seed %d: training", label, seed)
        with clock(self.folder):
            return training.train(request)

    def train_seeds(
        self,
        label: str,
        config: "TrainConfig | BaselineConfig",
        ratio: tuple[int, int, int],
        *,
        store: Path | None = None,
    ) -> dict[int, Path]:
        """Train on every split; return seed -> run folder. See `train`."""
        make = functools.partial(self.request, label, config, ratio, store=store)
        self.train_ahead(functools.partial(make, seed) for seed in self.seeds)
        return {
            seed: self.train(label, config, ratio, seed, store=store)
            for seed in self.seeds
        }

    def train_ahead(self, makers: "Iterable[Callable[[], Training]]") -> None:
        """Train on the engine's workers what is not trained yet, for `train` to find.

        In this process alone nothing is done: `train` does it. What fails is named when
        `train` asks for it; a request that cannot be made is left to it as well.

        Args:
            makers: Each returns a training; called when a worker is free.
        """
        if self.engine.in_process:
            return
        from experiments.framework import parallel

        with clock(self.folder):
            failed = parallel.train(
                self._unfinished(makers), self.folder, self.engine, self.can_start
            )
        self._reasons.update(failed)

    def _unfinished(
        self, makers: "Iterable[Callable[[], Training]]"
    ) -> "Iterator[Training]":
        from kerasfaces.run.folder import DetectorRun

        asked: set[Path] = set()
        for make in makers:
            try:
                request = make()
            except KerasfacesError as error:
                logger.info("left to the end: %s", error)
                continue
            folder = request.folder
            if folder is None or folder in asked or DetectorRun(folder).is_finished:
                continue
            asked.add(folder)
            yield request

    def request(
        self,
        label: str,
        config: "TrainConfig | BaselineConfig",
        ratio: tuple[int, int, int],
        seed: int,
        *,
        store: Path | None = None,
        manifest: "Manifest | None" = None,
        weights: str | None = None,
        audit: dict[str, Any] | None = None,
        notes: Sequence[str] = (),
    ) -> "Training":
        """Return a training with the folder where it belongs; see `train`."""
        from kerasfaces.train import run as training

        request = training.Training(
            config=config,
            manifest=self.split(ratio, seed) if manifest is None else manifest,
            weights=weights or self.weights[config.model.name],
            folder=self.run_folder(label, seed),
            store=store,
            notes=(*self.notes, *notes),
            audit=audit,
        )
        place = self._place(label, seed, request)
        return dataclasses.replace(request, folder=place)

    def _place(self, label: str, seed: int, request: "Training") -> Path:
        """Return the run folder, shared with other experiments where runs are."""
        folder = self.run_folder(label, seed)
        if self.runs is None or folder.exists():
            return folder
        link = self.folder / label / f"split-{seed}"
        return sharing.share(link, self.runs, request, seed)


@functools.cache
def _missing(folder: Path, model: str, text: str) -> str | None:
    """Look once per experiment folder: a download that fails takes its time."""
    try:
        catalogue.load(model).find_weights(text)
    except MissingFileError as error:
        if text not in KEYWORDS:
            raise
        logger.warning("%s is not run: %s", model, error)
        return f"{model} was not run: its {text} weights cannot be had here."
    return None


def names() -> list[str]:
    """Return the sorted names of the experiments that run under this command."""
    return sorted(path.parent.name for path in HERE.glob("*/experiment.py"))


def describe(name: str) -> str:
    """Return the first line of an experiment's docstring, importing nothing."""
    text = (HERE / name / "experiment.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def own_commands() -> dict[str, str]:
    """Return the experiments with a command of their own: name -> first line."""
    found = {}
    for path in sorted(HERE.glob("*/__main__.py")):
        text = (path.parent / "__init__.py").read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(text)) or ""
        found[path.parent.name] = docstring.partition("\n")[0]
    return found


def check_name(name: str) -> None:
    """Refuse an unknown experiment.

    Raises:
        InputError: With the names there are, and the nearest.
    """
    if name in names():
        return
    if name in own_commands():
        raise InputError(
            f"{name} has a command of its own: python -m experiments.{name} --help"
        )
    near = difflib.get_close_matches(name, [*names(), *own_commands(), "all"], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise InputError(
        f"There is no experiment named {name!r}; available: all, "
        f"{', '.join(names())}.{hint}"
    )


def load(name: str, part: str | None = None) -> ModuleType:
    """Import an experiment, or one of its parts: a file beside it with the same symbols.

    Raises:
        InputError: There is none of this name, or no such part.
    """
    check_name(name)
    experiment = importlib.import_module(f"experiments.{name}.experiment")
    if part is None:
        return experiment
    known = getattr(experiment, "PARTS", ())
    if part not in known:
        raise InputError(
            f"--part {part}: {name} has {', '.join(known) or 'no parts'}; without --part it "
            "runs its main tables."
        )
    return importlib.import_module(f"experiments.{name}.{part}")


def claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write folder/experiment.json, or check that the folder is this experiment's.

    Raises:
        RunError: It holds another experiment, or the same on other images.
    """
    from kerasfaces.core import config

    path = folder / "experiment.json"
    if not path.exists():
        write_json(path, dict(identity))
        return
    changed = config.diff(read_json(path), identity)
    if changed:
        raise RunError(
            f"{folder} holds another experiment ({'; '.join(changed)}); choose another "
            "folder with -o."
        )
