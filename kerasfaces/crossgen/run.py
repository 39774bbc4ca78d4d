"""A request becomes a folder of runs and one result over them; it resumes anywhere."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import write_text
from kerasfaces.crossgen import (
    draw,
    page,
    paired,
    plan,
    results,
    sources,
    splits,
    warm,
)
from kerasfaces.crossgen.collect import collect
from kerasfaces.crossgen.request import Request, Trained
from kerasfaces.crossgen.results import Result
from kerasfaces.run.folder import MatrixRun
from kerasfaces.train import channels
from kerasfaces.train import run as training
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.network_builder import NetworkBuilders
from kerasfaces.train.tasks import Ended, train_all

if TYPE_CHECKING:
    from kerasfaces.manifest import Manifest

logger = logging.getLogger(__name__)


def crossgen(request: Request) -> Path:
    """Train everything, measure, report; return the folder.

    Raises:
        InputError: The manifest or the request cannot be used, or every training failed.
        RunError: The folder holds something else.
        LockedError: Another process is writing the folder.
    """
    _check(request)
    found = sources.find(request.manifest.rows, request.at_least)
    made = plan.make(found, request.pairings)
    identity = _identity(request, made)
    name = f"crossgen-{request.config.model.name}-{configs.digest(identity, 10)}"
    folder = request.folder or Path("runs") / name
    run = MatrixRun(folder)
    with run.writing(identity):
        if run.is_finished:
            logger.info("%s is finished; nothing to do", folder)
            return folder
        run.describe_machine()
        split = splits.make(request.manifest, request.seeds, folder)
        size = _size(request, made, split)
        drawn = _draw_all(made, split, size)
        audit = run.keep_audit(next(iter(split.values())))
        trained = _train_all(request, made, drawn, audit, run)
        _require_one(trained)
        _write(
            run,
            Result(
                name=folder.resolve().name,
                request=request,
                sources=found,
                plan=made,
                splits=split,
                size=size,
                trained=trained,
                found=collect(made.cells, trained, _n_tested(made, split)),
                compared=paired.compare(made, trained),
                audit=audit,
            ),
        )
    return folder


def _n_tested(made: plan.Plan, split: Mapping[int, "Manifest"]) -> dict[str, int]:
    """Return generator -> its test images, of the seed with the fewest."""
    return {
        name: min(
            int(((m.rows["source"] == name) & (m.rows["split"] == "test")).sum())
            for m in split.values()
        )
        for name in made.generators
    }


def _write(run: MatrixRun, result: Result) -> None:
    """Write crossgen.json, crossgen.csv and report.html, the page last."""
    run.result = results.content(result, run.path)
    write_text(run.table_file, results.table(result))
    run.write_report(page.render(result))


def _check(request: Request) -> None:
    if request.repeat < 1:
        raise InputError(f"`repeat`: expected at least 1, got {request.repeat}.")
    if request.at_least < 3:
        raise InputError(f"`at_least`: expected at least 3, got {request.at_least}.")
    if request.keep_all and request.size is not None:
        raise InputError("`size` and `keep_all` exclude each other; leave one out.")


def _identity(request: Request, made: plan.Plan) -> dict[str, Any]:
    config, found = training.resolve(_asked(request, request.manifest))
    recipe = channels.check(config, request.store)
    return {
        "train": configs.to_dict(config),
        "weights": found.describe() if found else None,
        "manifest": request.manifest.digest(),
        "channel_recipe": configs.digest(recipe) if recipe else None,
        "repeat": request.repeat,
        "size": request.size,
        "keep_all": request.keep_all,
        "at_least": request.at_least,
        "pairings": [[list(p.train), list(p.test)] for p in made.pairings],
    }


def _size(
    request: Request, made: plan.Plan, split: Mapping[int, "Manifest"]
) -> draw.Size:
    if request.keep_all:
        return draw.Size(None, None)
    if request.pairings:
        alone = {name for pairing in request.pairings for name in pairing.train}
    else:
        alone = set(made.generators)
    rows = [each.rows for each in split.values()]
    return draw.equal_size(rows, sorted(alone), request.size)


def _draw_all(
    made: plan.Plan, split: Mapping[int, "Manifest"], size: draw.Size
) -> dict[tuple[str, ...], dict[int, draw.Drawn] | str]:
    """Return each training set's draws by seed, or why it cannot be filled."""
    rows = [each.rows for each in split.values()]
    return {
        one: draw.problem(rows, one, size)
        or {
            seed: draw.draw(manifest, one, made.generators, size, seed)
            for seed, manifest in split.items()
        }
        for one in made.training_sets
    }


def _train_all(
    request: Request,
    made: plan.Plan,
    drawn: Mapping[tuple[str, ...], Mapping[int, draw.Drawn] | str],
    audit: dict[str, Any] | None,
    run: MatrixRun,
) -> list[Trained]:
    """Train every set with every seed; what cannot be trained is named, the rest goes on."""
    base = NetworkBuilders()
    config, weights = training.resolve(_asked(request, request.manifest))
    usable = {one: by for one, by in drawn.items() if not isinstance(by, str)}
    rows = [each.manifest for by in usable.values() for each in by.values()]
    if isinstance(config, TrainConfig):
        warm.features(config, weights, base, rows, request.spread)
    requests = [
        _training(request, made, one, seed, each, audit, run)
        for one, by in usable.items()
        for seed, each in by.items()
    ]
    ended = train_all(requests, run.path, request.spread, base)
    trained = []
    for one, by_seed in drawn.items():
        name = plan.folder_name(one, made.generators)
        if isinstance(by_seed, str):
            logger.warning("%s: %s", name, by_seed)
            trained.append(Trained(sources=one, status=by_seed))
            continue
        status, folders = _status(name, dict(zip(by_seed, ended, strict=False)))
        taken = {seed: each.taken for seed, each in by_seed.items()}
        trained.append(
            Trained(sources=one, status=status, folders=folders, taken=taken)
        )
    return trained


def _training(
    request: Request,
    made: plan.Plan,
    one: tuple[str, ...],
    seed: int,
    drawn: draw.Drawn,
    audit: dict[str, Any] | None,
    run: MatrixRun,
) -> training.Training:
    """Return what to train on one set with one seed."""
    name = plan.folder_name(one, made.generators)
    return dataclasses.replace(
        _asked(request, drawn.manifest),
        config=dataclasses.replace(request.config, seed=seed),
        folder=run.training_set(name).seed(seed).path,
        store=request.store,
        notes=(*request.notes, _note(one, made.generators)),
        audit=audit,
    )


def _status(name: str, ended: Mapping[int, Ended]) -> tuple[str, dict[int, Path]]:
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


def _asked(request: Request, manifest: "Manifest") -> training.Training:
    return training.Training(
        config=request.config, manifest=manifest, weights=request.weights
    )


def _note(trained: Sequence[str], generators: Sequence[str]) -> str:
    unseen = [name for name in generators if name not in trained]
    text = f"Trained on {', '.join(trained)} (kerasfaces crossgen)."
    if unseen:
        text += (
            f" Never seen in training: {', '.join(unseen)}; the numbers over all test "
            "images mix them with what was seen, so read the table by source."
        )
    return text


def _require_one(trained: Sequence[Trained]) -> None:
    if any(each.status == "run" for each in trained):
        return
    why = "; ".join(dict.fromkeys(each.status for each in trained))
    raise InputError(f"Nothing could be trained: {why}")
