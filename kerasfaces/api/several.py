"""Several detectors at once: compared, joined, searched for, crossed with generators."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from kerasfaces.api.data import Manifest
from kerasfaces.api.detector import Detector
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.api.result import Result
from kerasfaces.api.several_results import (
    ComparisonResult,
    GeneratorMatrix,
    StudyResult,
)
from kerasfaces.core import config as configs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_table
from kerasfaces.core.imports import optional_import
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import EnsembleRun, MatrixRun, StudyRun

AnyDetector = Detector | str | os.PathLike[str]
Detectors = Sequence[AnyDetector] | Mapping[str, AnyDetector]
_FEWEST_RESAMPLES = 100  # below, a 95 % interval ends at a draw or two


def compare_detectors(
    detectors: Detectors,
    *,
    split: str = "test",
    against: str | None = None,
    root: PathLike | None = None,
    resamples: int = 1000,
    seed: int = 0,
    output: PathLike | None = None,
) -> ComparisonResult:
    """Measure detectors on the images all of them scored, and test their differences.

    Args:
        detectors: Detectors, run folders or CSV files with the columns path, label,
            source, split and logit or score; or name -> one of these.
        split: Name of the split whose predictions are compared.
        against: Name of the detector that the others are compared with; by default the
            one with the highest AUC.
        root: What relative paths in CSV files are relative to.
        resamples: Number of bootstrap resamples.
        seed: Key of the resamples.
        output: Folder to write; by default `runs/compare-<hash>`.

    Raises:
        KerasfacesError: Fewer than two can be read, or they share no image.
    """
    from kerasfaces.compare import report
    from kerasfaces.compare.comparison import compare

    if resamples < _FEWEST_RESAMPLES:
        raise InputError(
            f"`resamples`: expected at least {_FEWEST_RESAMPLES}, got {resamples}."
        )
    comparison = compare(
        _arguments(detectors),
        split,
        root=as_path(root),
        against=against,
        resamples=resamples,
        seed=seed,
    )
    folder = report.write(comparison, as_path(output))
    return ComparisonResult(folder, comparison)


def build_ensemble(
    detectors: Detectors,
    *,
    method: str = "average",
    root: PathLike | None = None,
    seed: int = 0,
    output: PathLike | None = None,
) -> Result:
    """Join detectors; what is fitted is fitted on their validation predictions.

    Args:
        detectors: See `compare_detectors`; each needs validation predictions.
        method: `average` (of probabilities), `logits`, `rank` or `stacked`.
        root: What relative paths in CSV files are relative to.
        seed: Key of resamples and folds.
        output: The run folder to write; by default `runs/ensemble-<hash>`.

    Returns:
        Its measures on the test images that all members scored; the report's first line
        says what it gains over the member that is best on validation.

    Raises:
        KerasfacesError: A detector cannot be read, or they share no image.
    """
    from kerasfaces.compare import combiners, ensemble

    if method not in combiners.METHODS:
        known = ", ".join(combiners.METHODS)
        raise InputError(f"method: expected one of {known}, got {quoted(method)}.")
    members = ensemble.read_members(_arguments(detectors), as_path(root))
    identity = ensemble.identity(members, method, seed)
    folder = as_path(output)
    folder = folder or Path("runs") / f"ensemble-{configs.digest(identity, 10)}"
    ensemble.make(members, method, folder, seed=seed)
    return Result(folder, "test", EnsembleRun(folder).operating_point)


def run_study(
    study: PathLike,
    data: Manifest,
    *,
    weights: PathLike | Sequence[PathLike] = (),
    store: PathLike | None = None,
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str = "",
    max_trials: int | None = None,
    repeat: int | None = None,
    tensorboard: bool = False,
    output: PathLike | None = None,
) -> StudyResult:
    """Search for the best head on frozen bases; a killed search continues.

    Args:
        study: A shipped study's name (`kerasfaces tune` lists them) or a Python file
            with `get_study()`, which is executed.
        data: Images, split or not.
        weights: `imagenet`, `forensic`, a file, or `BASE=FILE` for one base; or several of
            these; by default `forensic` on the built-in sample, else `imagenet`.
        store: A channel store to search on.
        workers: Number of processes, by default this one; with `engine="ray"`, the upper
            limit of its workers, by default as many as fit.
        engine: Who trains the trials: `local`, processes of this machine, or `ray`, a cluster.
        address: HOST:PORT of the Ray cluster; see `core.engine.Engine`.
        max_trials: Largest number of points to try; by default the study's.
        repeat: Training seeds per trial; by default the study's.
        tensorboard: Write TensorBoard logs into the study's folder (slower).
        output: The study's folder; by default `runs/tune-<study>-<hash>`.

    Raises:
        KerasfacesError: The study or the data cannot be used, or an extra is missing.
    """
    from kerasfaces.tune import study as studies

    require_manifest(data)
    studies.file_of(os.fspath(study))
    optional_import("tensorboard", "tune")
    optional_import("keras_tuner", "tune")
    from kerasfaces.tune.run import tune

    name, loaded = studies.load(os.fspath(study))
    several = [weights] if isinstance(weights, str | os.PathLike) else weights
    folder = tune(
        name,
        studies.limited(loaded, max_trials, repeat),
        data.manifest,
        weights=[os.fspath(each) for each in several],
        default_weights="forensic" if data.is_sample else "imagenet",
        store=as_path(store),
        folder=as_path(output),
        spread=Engine(name=engine, address=address, workers=workers),
        tensorboard=tensorboard,
        notes=data.notes,
    )
    run = StudyRun(folder)
    board = read_table(run.leaderboard_file, {"trial": str, "reason": str})
    return StudyResult(folder, board, Detector.load(folder / run.result["run"]))


def cross_generators(
    data: Manifest,
    model: str | None = None,
    *,
    weights: PathLike | None = None,
    preset: str | None = None,
    store: PathLike | None = None,
    repeat: int = 3,
    size: int | None = None,
    keep_all: bool = False,
    at_least: int = 50,
    train: str | Sequence[str] = (),
    test: str | Sequence[str] = (),
    workers: int | None = None,
    engine: Literal["local", "ray"] = "local",
    address: str = "",
    output: PathLike | None = None,
    **config: object,
) -> GeneratorMatrix:
    """Train on each generator, on all and on all but one; test on each.

    Args:
        data: Images of several generators.
        model: See `Detector`, also for `weights`, `preset`, `store` and `config`.
        weights: Base weights.
        preset: A published configuration.
        store: A channel store to train on.
        repeat: Seeds of split, draw and training.
        size: Fakes per training set; by default as many as the smallest generator has.
        keep_all: Train on everything, in sets of different size.
        at_least: Number of images below which a generator is named, not run.
        train: Only this pairing: generators to train on together, such as
            `"stylegan,stylegan2"`, or a list of such texts; by default the whole matrix.
        test: And those to test on, as often as `train`.
        workers: Number of processes, by default this one; with `engine="ray"`, the upper
            limit of its workers.
        engine: Who trains: `local`, processes of this machine, or `ray`, a cluster.
        address: HOST:PORT of the Ray cluster; see `core.engine.Engine`.
        output: Folder to write; by default `runs/crossgen-<model>-<hash>`.
        **config: Fields of the training configuration.

    Raises:
        KerasfacesError: The data has too few generators or images.
    """
    from kerasfaces.crossgen.plan import MatrixSettings, parse
    from kerasfaces.crossgen.run import crossgen

    require_manifest(data)
    detector = Detector(model, weights=weights, preset=preset, store=store, **config)
    settings = MatrixSettings(
        config=detector.settings.configuration(data.is_sample),
        manifest=data.manifest,
        weights=detector.settings.weights_for(data.is_sample),
        pairings=parse(_listed(train), _listed(test)),
        folder=as_path(output),
        store=as_path(store),
        notes=data.notes,
        engine=Engine(name=engine, address=address, workers=workers),
    )
    numbers = {"repeat": repeat, "at_least": at_least}
    sizes = {"size": size, "keep_all": keep_all}
    folder = crossgen(configs.updated(settings, {**numbers, **sizes}))
    run = MatrixRun(folder)
    return GeneratorMatrix(folder, read_table(run.table_file), run.result["failed"])


def _arguments(detectors: Detectors) -> list[str]:
    """Return detectors as the stages take them: `PATH` or `NAME=PATH`."""
    if isinstance(detectors, Mapping):
        unusable = [name for name in detectors if "=" in name]
        if unusable:
            raise InputError(
                f"detectors: the name {quoted(unusable[0])} has an equals sign; expected "
                "names without."
            )
        return [f"{name}={_place(each)}" for name, each in detectors.items()]
    if isinstance(detectors, str | os.PathLike | Detector):
        raise InputError("detectors: expected several, got one.")
    return [_place(each) for each in detectors]


def _listed(texts: str | Sequence[str]) -> Sequence[str]:
    return [texts] if isinstance(texts, str) else texts


def _place(detector: AnyDetector) -> str:
    if isinstance(detector, Detector):
        return str(detector.folder)
    return os.fspath(detector)
