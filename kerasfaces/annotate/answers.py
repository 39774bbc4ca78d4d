"""Pictures -> what annotators say of their main faces, computed once, kept in the cache.

Each annotator has a store of its own (`store`), named by everything that decides its numbers,
so another annotator beside it, another threshold or a corrected table computes nothing anew. A
killed call continues; pictures are looked at in worker processes.
"""

import contextlib
import dataclasses
import functools
import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from kerasfaces import images, store
from kerasfaces.annotate import facts
from kerasfaces.annotate.contract import PACKAGE, Annotator, Floats, Weights
from kerasfaces.core import engine, registry
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import ImageError, MissingExtraError, TemporaryImageError
from kerasfaces.faces import blazeface
from kerasfaces.faces.crops import NO_FACE

FACES = "faces"  # name of the facts' store beside those of annotators
TOO_SMALL = "the face is too small"
CHANGED = "file content differs from the manifest's sha256"
_SHARD_IMAGES = 64  # at most so many are looked at again after a kill


@dataclasses.dataclass(frozen=True)
class Answers:
    """What was said of files, in their order.

    Attributes:
        numbers: `faces` or an annotator's name -> per file its numbers, or None.
        reasons: Likewise, why there are none; empty where there are.
        made_by: Annotator's name -> what decides its numbers.
    """

    numbers: Mapping[str, list[Floats | None]]
    reasons: Mapping[str, list[str]]
    made_by: Mapping[str, Mapping[str, Any]]


class _Job(NamedTuple):
    """A file, its SHA-256, who has not looked at it yet, and its facts if they are known."""

    file: Path
    sha256: str
    names: tuple[str, ...]
    facts: Floats | None


class _Looked(NamedTuple):
    """What one file came to: name -> numbers, or why not; temporary reasons are not kept."""

    numbers: Mapping[str, Floats]
    reasons: Mapping[str, str]
    is_temporary: bool = False


class Look:
    """The task: decodes a picture, finds its main face and asks annotators.

    Args:
        weights: Where annotators get their weights; all are here already.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def __call__(self, job: _Job) -> _Looked:
        """Return what one picture comes to."""
        try:
            data = images.read_file(job.file)
            if images.sha256(data) != job.sha256:
                raise TemporaryImageError(CHANGED)
            image = np.asarray(images.decode(data))
        except ImageError as error:
            temporary = isinstance(error, TemporaryImageError)
            return _Looked({}, dict.fromkeys(job.names, str(error)), temporary)
        of_face = facts.look(image) if job.facts is None else job.facts
        face = facts.main_face(of_face)
        numbers, reasons = dict[str, Floats](), dict[str, str]()
        for name in job.names:
            if name == FACES:
                numbers[name] = of_face
                continue
            try:
                if face is None:
                    raise ImageError(NO_FACE)
                numbers[name] = _annotator(name, self._weights).compute(image, face)
            except ImageError as error:
                reasons[name] = str(error)
        return _Looked(numbers, reasons)


@functools.cache
def _annotator(name: str, weights: Weights) -> Annotator:
    annotator: Annotator = registry.load(PACKAGE, name).build(weights)
    return annotator


def ask(
    files: Sequence[Path],
    digests: Sequence[str],
    names: Sequence[str],
    weights: Weights,
    spread: Engine | None = None,
) -> Answers:
    """Return what annotators say of files, computing what the cache does not hold.

    Args:
        files: Absolute paths.
        digests: Per file its SHA-256, empty where it cannot be read.
        names: Annotators.
        weights: Where they get their weights.
        spread: Where pictures are looked at; a process per core by default.

    Raises:
        InputError: There is no such annotator, or its weights are another version's.
        MissingFileError: Its weights are not there.
        MissingExtraError: A package that it needs is not installed.
    """
    if not blazeface.is_available():
        raise MissingExtraError(blazeface.MISSING)
    annotators = {name: _annotator(name, weights) for name in names}
    with contextlib.ExitStack() as stack:
        stores = {
            name: stack.enter_context(_store(name, annotators.get(name)))
            for name in (FACES, *names)
        }
        temporary = _fill(stores, files, digests, weights, spread)
        pairs = list(zip(files, digests, strict=True))
        temporary |= {str(file): _unreadable(file) for file, key in pairs if not key}
        keys = [digest or str(file) for file, digest in pairs]
        numbers = {name: _gathered(each, keys) for name, each in stores.items()}
        reasons = {
            name: [temporary.get(key) or _status(each, key) for key in keys]
            for name, each in stores.items()
        }
    for name in names:
        if registry.load(PACKAGE, name).ATTRIBUTES:
            _leave_out_small(numbers[FACES], numbers[name], reasons[name])
    made_by = {name: dict(each.made_by) for name, each in annotators.items()}
    return Answers(numbers, reasons, made_by)


def _store(
    name: str, annotator: Annotator | None
) -> contextlib.AbstractContextManager[store.Store]:
    recipe: dict[str, Any] = {
        "kind": "annotations",
        "annotator": name,
        "loader": images.LOADER_VERSION,
        "faces": {**blazeface.recipe(), "facts": facts.VERSION},
    }
    size = facts.SIZE
    if annotator is not None:
        size = annotator.size
        version = importlib.import_module(f"{PACKAGE}.{name}").VERSION
        recipe |= {"version": version, "made_by": dict(annotator.made_by)}
    folder = store.cache_folder("annotations", recipe)
    return store.writing(folder, recipe, (size,), "float32", wait=True)


def _fill(
    stores: Mapping[str, store.Store],
    files: Sequence[Path],
    digests: Sequence[str],
    weights: Weights,
    spread: Engine | None,
) -> dict[str, str]:
    """Look at what a store lacks; return the reasons that are only true of now."""
    jobs, known = [], stores[FACES]
    for digest, file in dict(zip(digests, files, strict=True)).items():
        lacking = tuple(name for name, each in stores.items() if digest not in each)
        if digest and lacking:
            has_facts = known.status(digest) == store.OK
            of_face = np.array(known.gather([digest])[0]) if has_facts else None
            jobs.append(_Job(file, digest, lacking, of_face))
    temporary: dict[str, str] = {}
    pending: list[tuple[str, _Looked]] = []
    if not jobs:
        return temporary
    chunk = engine.CHUNK // 4
    outcomes = engine.map(
        Look(weights), jobs, spread=spread, progress="annotating", chunk=chunk
    )
    for job, outcome in zip(jobs, outcomes, strict=True):
        crashed = _Looked({}, dict.fromkeys(job.names, images.DECODER_CRASHED))
        looked = outcome.value or crashed
        if looked.is_temporary:
            temporary[job.sha256] = next(iter(looked.reasons.values()))
        else:
            pending.append((job.sha256, looked))
        if len(pending) == _SHARD_IMAGES:
            _flush(stores, pending)
    _flush(stores, pending)
    return temporary


def _flush(
    stores: Mapping[str, store.Store], pending: list[tuple[str, _Looked]]
) -> None:
    for name, each in stores.items():
        rows = {k: got.numbers[name] for k, got in pending if name in got.numbers}
        if rows:
            each.append(list(rows), np.stack(list(rows.values())))
        reasons = {k: got.reasons[name] for k, got in pending if name in got.reasons}
        if reasons:
            each.append_failures(reasons)
    pending.clear()


def _leave_out_small(
    faces: Sequence[Floats | None], numbers: list[Floats | None], reasons: list[str]
) -> None:
    """Replace the answers on faces below `facts.LEAST_PX` by the reason, in place."""
    for at, face in enumerate(faces):
        small = face is not None and facts.size_px(face) < facts.LEAST_PX
        if small and numbers[at] is not None:
            numbers[at], reasons[at] = None, TOO_SMALL


def _gathered(each: store.Store, keys: Sequence[str]) -> list[Floats | None]:
    ready = [key for key in dict.fromkeys(keys) if each.status(key) == store.OK]
    rows = dict(zip(ready, each.gather(ready), strict=True)) if ready else {}
    return [rows.get(key) for key in keys]


def _status(each: store.Store, key: str) -> str:
    status = each.status(key)
    return "" if status == store.OK else status


def _unreadable(file: Path) -> str:
    try:
        images.read_file(file)
    except ImageError as error:
        return str(error)
    return CHANGED
