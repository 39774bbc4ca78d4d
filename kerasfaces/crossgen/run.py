"""Settings become a folder of runs and one result over them; it resumes anywhere."""

import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasfaces.core import config as configs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json, write_text
from kerasfaces.crossgen import page, training_sets
from kerasfaces.crossgen.cells import TrainedSet, measure_cells
from kerasfaces.crossgen.comparisons import compare
from kerasfaces.crossgen.plan import MatrixSettings, Plan, Sources
from kerasfaces.crossgen.results import Result
from kerasfaces.crossgen.training_sets import Size, TrainingSet
from kerasfaces.dataset.cache import cache_images
from kerasfaces.features.extraction import View
from kerasfaces.manifest import Manifest
from kerasfaces.run.folder import MatrixRun
from kerasfaces.train import channels
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.frozen_features import feature_cache
from kerasfaces.train.network_builder import NetworkBuilders
from kerasfaces.train.tasks import TrainingOutcome, train_all
from kerasfaces.train.training import Training, identity, resolve

logger = logging.getLogger(__name__)

Drawn = Mapping[int, TrainingSet]  # seed -> training set


def crossgen(settings: MatrixSettings) -> Path:
    """Train everything, measure, report; return the folder.

    Raises:
        InputError: The manifest or the settings cannot be used, or every training failed.
        RunError: The folder holds something else.
        LockedError: Another process is writing the folder.
    """
    sources = Sources.of(settings.manifest.rows, settings.at_least)
    plan = Plan.of(sources, settings.pairings)
    sets = plan.training_sets
    training_sets.check_size([settings.manifest.rows], sets, settings.size)
    decisive = _identity(settings, plan)
    name = f"crossgen-{settings.config.model.name}-{configs.digest(decisive, 10)}"
    folder = settings.folder or Path("runs") / name
    run = MatrixRun(folder)
    with run.writing(decisive):
        if run.is_finished:
            logger.info("%s is finished; nothing to do", folder)
            return folder
        run.describe_machine()
        splits = training_sets.splits(settings.manifest, settings.seeds, folder)
        rows = [each.rows for each in splits.values()]
        training_sets.check_size(rows, sets, settings.size)
        size = _size(settings, plan, splits)
        audit = run.keep_audit(next(iter(splits.values())))
        trained = _train_all(settings, plan, _draw_all(plan, splits, size), audit, run)
        if all(each.status != "run" for each in trained):
            why = "; ".join(dict.fromkeys(each.status for each in trained))
            raise InputError(f"Nothing could be trained: {why}")
        n_tested = {
            name: min(
                training_sets.count(each.rows, name, "test") for each in splits.values()
            )
            for name in plan.generators
        }
        result = Result(
            name=folder.resolve().name,
            matrix=settings,
            sources=sources,
            plan=plan,
            splits=splits,
            size=size,
            trained=trained,
            cells=measure_cells(plan.cells, trained, n_tested),
            compared=compare(plan, trained),
            audit=audit,
        )
        run.result = result.content(run.path)
        write_text(run.table_file, result.table())
        run.write_report(page.render(result))  # last: with it the matrix is finished
    return folder


def _identity(settings: MatrixSettings, plan: Plan) -> Json:
    config, weights = resolve(_training(settings, settings.manifest))
    recipe = channels.check(config, settings.store)
    return identity(config, weights, settings.manifest, recipe) | {
        "repeat": settings.repeat,
        "size": settings.size,
        "keep_all": settings.keep_all,
        "at_least": settings.at_least,
        "pairings": [[list(p.train), list(p.test)] for p in plan.pairings],
    }


def _size(settings: MatrixSettings, plan: Plan, splits: Mapping[int, Manifest]) -> Size:
    if settings.keep_all:
        return Size(None, None)
    alone = set(plan.generators)
    if settings.pairings:
        alone = {name for pairing in settings.pairings for name in pairing.train}
    rows = [each.rows for each in splits.values()]
    return training_sets.equal_size(rows, sorted(alone), settings.size)


def _draw_all(
    plan: Plan, splits: Mapping[int, Manifest], size: Size
) -> dict[tuple[str, ...], Drawn | str]:
    """Return each training set's draws by seed, or why it cannot be filled."""
    rows = [each.rows for each in splits.values()]
    return {
        one: training_sets.problem(rows, one, size)
        or {
            seed: training_sets.draw(manifest, one, plan.generators, size, seed)
            for seed, manifest in splits.items()
        }
        for one in plan.training_sets
    }


def _train_all(
    settings: MatrixSettings,
    plan: Plan,
    drawn: Mapping[tuple[str, ...], Drawn | str],
    audit: Json | None,
    run: MatrixRun,
) -> list[TrainedSet]:
    """Train every set with every seed; what cannot be trained is named, the rest goes on."""
    builders = NetworkBuilders()
    config, weights = resolve(_training(settings, settings.manifest))
    trainings, manifests = [], []
    for one, by_seed in drawn.items():
        if isinstance(by_seed, str):
            continue
        runs = run.training_set(plan.folder_name(one))
        for seed, each in by_seed.items():
            manifests.append(each.manifest)
            one_run = dataclasses.replace(
                _training(settings, each.manifest),
                config=dataclasses.replace(settings.config, seed=seed),
                folder=runs.seed(seed).path,
                store=settings.store,
                notes=(*settings.notes, _note(one, plan.generators)),
                audit=audit,
            )
            trainings.append(one_run)
    if isinstance(config, TrainConfig):
        compute_features(config, weights, builders, manifests, settings.engine)
    ended = train_all(trainings, run.path, settings.engine, builders)
    trained = []
    for one, by_seed in drawn.items():
        name = plan.folder_name(one)
        if isinstance(by_seed, str):
            logger.warning("%s: %s", name, by_seed)
            trained.append(TrainedSet(one, by_seed))
            continue
        status, folders = _status(name, dict(zip(by_seed, ended, strict=False)))
        taken = {seed: each.taken for seed, each in by_seed.items()}
        trained.append(TrainedSet(one, status, folders, taken))
    return trained


def compute_features(
    config: TrainConfig,
    weights: Any,
    builders: NetworkBuilders,
    manifests: Iterable[Manifest],
    spread: Engine,
) -> None:
    """Bring the frozen features of all training sets into the cache.

    Each run would compute what it lacks by itself; together it is one pass over the images,
    with one conversion of the base. Nothing is done where the base is trained, or where its
    input's statistics are those of each training set (channels of a store).
    """
    if config.trains_whole(weights) or not config.model.is_rgb:
        return
    every: dict[Path, None] = {}
    trained: dict[Path, None] = {}
    for manifest in manifests:
        files = manifest.files()
        every |= dict.fromkeys(files)
        in_train = (manifest.rows["split"] == "train").tolist()
        trained |= dict.fromkeys(
            file for file, used in zip(files, in_train, strict=True) if used
        )
    builder = builders.get(config, weights)
    images = cache_images(list(every), config.input_spec, spread, builder.start)
    key_of = {
        file: key
        for file, key, reason in zip(every, images.keys, images.reasons, strict=True)
        if not reason
    }
    cache = feature_cache(config, images.store, builder, weights, spread=spread)
    cache.reader(list(key_of.values()))
    builder.get()  # the thread is done before the first head is trained
    for number in range(1, config.views):
        view = View(number=number, augment=config.augment)
        cache.reader([key_of[file] for file in trained if file in key_of], view)


def _status(
    name: str, ended: Mapping[int, TrainingOutcome]
) -> tuple[str, dict[int, Path]]:
    """Return `run` and the finished folders, or why a seed failed and none."""
    folders: dict[int, Path] = {}
    for seed, each in ended.items():
        if each.folder is None:
            status = f"failed: seed {seed}: {each.reason}"
            logger.error("%s: %s; the rest goes on", name, status)
            return status, {}
        logger.info("trained on %s, seed %d", name, seed)
        folders[seed] = each.folder
    return "run", folders


def _training(settings: MatrixSettings, manifest: Manifest) -> Training:
    return Training(config=settings.config, manifest=manifest, weights=settings.weights)


def _note(trained: Sequence[str], generators: Sequence[str]) -> str:
    unseen = [name for name in generators if name not in trained]
    text = f"Trained on {', '.join(trained)} (kerasfaces crossgen)."
    if unseen:
        text += (
            f" Never seen in training: {', '.join(unseen)}; the numbers over all test "
            "images mix them with what was seen, so read the table by source."
        )
    return text
