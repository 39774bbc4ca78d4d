"""What an experiment works with: splits, trainings and the clock under one folder.

A manifest enters; ordinary run folders leave. Everything resumes: finished runs are
skipped, and the hours of earlier calls count. Trainings that several experiments ask for
may stand in a folder they share, under a name of everything that decides what they come to
(configuration, base weights, rows with their split, channels); where an experiment looks
for its run there is then a link.
"""

import dataclasses
import functools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.framework.catalogue import KEYWORDS
from experiments.framework.hours import clock, total_s
from experiments.framework.rows import Row
from kerasfaces import manifest as manifests
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import (
    KerasfacesError,
    MissingExtraError,
    MissingFileError,
    OutOfBudgetError,
    RunError,
)
from kerasfaces.manifest import Manifest, file_facts, split
from kerasfaces.models import catalogue
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import channels
from kerasfaces.train import run as training
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.training import Training, identity, resolve

logger = logging.getLogger("kerasfaces.experiments")
Ratio = tuple[int, int, int]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """Results of an experiment.

    Attributes:
        rows: Rows of results.json.
        weights: Model -> what its base was loaded from, as config.json says it.
        notes: Sentences to print under the tables.
        failed: What broke on some splits alone, so that no row says so -> why.
    """

    rows: Sequence[Row]
    weights: Mapping[str, Any]
    notes: Sequence[str] = ()
    failed: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What an experiment works with.

    Attributes:
        manifest: Rows; their own splits are not used.
        folder: Folder of splits and runs.
        weights: Model -> text of `--weights`.
        seeds: Split seeds.
        notes: Sentences for the top of every run's report.
        quick: Whether it is only to show that everything works.
        budget_h: Hours after which nothing new is started, all calls together; None is
            no limit.
        also: Other images, to test finished detectors on; None without.
        mask: Mask that cuts faces out for channels; empty is the experiment's own.
        stores: Folder of channel stores; None is `folder/stores`.
        runs: Folder of trainings that other experiments may ask for as well; None keeps
            them in `folder`.
        hours_of: A folder of experiments whose hours count together; None is `folder`.
        engine: Where trainings run; one after another in this process by default.
    """

    manifest: Manifest
    folder: Path
    weights: Mapping[str, str]
    seeds: Sequence[int]
    notes: tuple[str, ...] = ()
    quick: bool = False
    budget_h: float | None = None
    also: Manifest | None = None
    mask: str = ""
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

    def split(self, ratio: Ratio, seed: int) -> Manifest:
        """Return the manifest split anew, once, into `folder/splits`."""
        name = "-".join(map(str, ratio))
        path = self.folder / "splits" / f"{name}-seed-{seed}.csv"
        if not path.exists():
            assigned = split.assign(self.unsplit(), ratio=ratio, seed=seed)
            logger.info(
                "split %s, seed %d: rows moved by %s", name, seed, assigned.moved
            )
            manifests.write(assigned.manifest, path)
        return manifests.read(path)

    def unsplit(self) -> Manifest:
        """Return the manifest without splits, with hashes, from `splits/unsplit.csv`."""
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

    def must_start(self, name: str) -> None:
        """Refuse to start something new where the budget is spent.

        Raises:
            OutOfBudgetError: It is.
        """
        if not self.can_start():
            raise OutOfBudgetError(
                f"{name} was not started: the budget of {self.budget_h or 0:g} hours is spent; "
                "the same command with a larger --budget-hours continues."
            )

    def run_folder(self, label: str, seed: int) -> Path:
        """Return where `train` works: `folder/<label>/split-<seed>` or what it links to.

        Paths inside a run folder are relative to where it really is.
        """
        folder = self.folder / label / f"split-{seed}"
        return folder.resolve() if folder.is_symlink() else folder

    def request(
        self,
        label: str,
        config: TrainConfig | BaselineConfig,
        ratio: Ratio,
        seed: int,
        *,
        store: Path | None = None,
        manifest: Manifest | None = None,
        weights: str | None = None,
        audit: dict[str, Any] | None = None,
        notes: Sequence[str] = (),
    ) -> Training:
        """Return a training on one split, with the folder where it belongs.

        Args:
            label: Names the folder.
            config: What to train.
            ratio: Ratio of the split.
            seed: Seed of the split.
            store: A channel store to train on; None is pixels.
            manifest: Rows with splits; None is the context's, split.
            weights: Text of `--weights`; None is the context's for the model.
            audit: The audit of the files, where there is one.
            notes: Sentences for the top of this run's report, besides the context's.
        """
        folder = self.run_folder(label, seed)
        request = Training(
            config=config,
            manifest=self.split(ratio, seed) if manifest is None else manifest,
            weights=weights or self.weights[config.model.name],
            folder=folder,
            store=store,
            notes=(*self.notes, *notes),
            audit=audit,
        )
        if self.runs is None or folder.exists():
            return request
        link = self.folder / label / f"split-{seed}"
        return dataclasses.replace(
            request, folder=_share(link, self.runs, request, seed)
        )

    def train(
        self,
        label: str,
        config: TrainConfig | BaselineConfig,
        ratio: Ratio,
        seed: int,
        **options: Any,
    ) -> Path:
        """Train on one split, or find it trained; return its run folder.

        The arguments are those of `request`.

        Raises:
            OutOfBudgetError: It is not trained, and the budget is spent.
            RunError: It failed on a worker.
        """
        request = self.request(label, config, ratio, seed, **options)
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
        config: TrainConfig | BaselineConfig,
        ratio: Ratio,
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

    def train_ahead(self, makers: Iterable[Callable[[], Training]]) -> None:
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
        self, makers: Iterable[Callable[[], Training]]
    ) -> Iterator[Training]:
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


@functools.cache
def _missing(folder: Path, model: str, text: str) -> str | None:
    """Look once per experiment folder: a download that fails takes its time."""
    try:
        catalogue.load(model).find_weights(text)
    except (MissingFileError, MissingExtraError) as error:
        if text not in KEYWORDS:
            raise
        logger.warning("%s is not run: %s", model, error)
        return f"{model} was not run: its {text} weights cannot be had here."
    return None


def _share(link: Path, shared: Path, request: Training, seed: int) -> Path:
    """Return a run's place in the shared folder; `link` becomes a link to it."""
    config, weights = resolve(request)
    recipe = channels.check(config, request.store)
    decisive = identity(config, weights, request.manifest, recipe)
    name = f"{config.model.name}-split-{seed}-{configs.digest(decisive)}"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)  # a link whose run somebody removed
    target = shared / name
    link.symlink_to(os.path.relpath(target.absolute(), link.parent.resolve()))
    return target
