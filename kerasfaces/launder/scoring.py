"""A run and image files -> one logit per image and version, resumable.

Worker processes decode and launder; this process runs the model on full batches. What is
scored is in the folder's store, by sha256: a killed run continues after it.
"""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images, store
from kerasfaces.core import config as configs
from kerasfaces.core import engine, files
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import ImageError
from kerasfaces.core.files import Json
from kerasfaces.core.progress import progress
from kerasfaces.images import launderings
from kerasfaces.images.limits import NO_VERDICT
from kerasfaces.launder.laundered import Launder, Laundered, Photo
from kerasfaces.launder.variants import Variant
from kerasfaces.run.folder import DetectorRun, LaunderedRun

if TYPE_CHECKING:
    from kerasfaces.run.predictor import Predictor

Floats = NDArray[np.float64]
_BLOCK = 64  # arrays scored at a time: a multiple of every engine's batch
_SHARD_IMAGES = 32  # whose logits a kill loses at most
_FORGOTTEN = "no logit, for a reason that is no longer on file"
_VERSION = 1  # raise whenever the same images give other logits


@dataclasses.dataclass(frozen=True)
class Scores:
    """What the detector says of every version."""

    logits: Floats  # `(images, variants)` float64, NaN where there is none
    reasons: list[dict[str, str]]  # per image, variant's name -> why it has no logit

    def refused(self, variants: Sequence[Variant]) -> NDArray[np.bool_]:
        """Return whether each version is beyond the sizes that the detector judges."""
        rows = [
            [NO_VERDICT in why.get(each.name, "") for each in variants]
            for why in self.reasons
        ]
        return np.array(rows, dtype=bool).reshape(self.logits.shape)


def identity(detector: DetectorRun) -> Json:
    """Return what decides a logit of an array, JSON types."""
    limits = detector.limits
    return {
        "learnt": {file.name: files.sha256(file) for file in detector.learnt_files},
        "limits": None if limits is None else configs.to_dict(limits),
        "launderings": launderings.VERSION,
    }


def recipe(
    detector: DetectorRun, variants: Sequence[Variant], spec: images.InputSpec
) -> Json:
    """Return everything that decides a logit, JSON types."""
    return {
        "kind": "laundered logits",
        "version": _VERSION,
        **identity(detector),
        "input": spec.recipe(),
        "variants": [each.name for each in variants],
    }


def score(
    detector: DetectorRun,
    predictor: "Predictor",
    photos: Sequence[Photo],
    variants: Sequence[Variant],
    folder: LaunderedRun,
    spread: Engine | None = None,
) -> Scores:
    """Return the logits of all versions of all photos, scoring what is not there yet.

    Args:
        detector: The run.
        predictor: Of that run.
        photos: With an empty key where the file could not be read.
        variants: The versions.
        folder: Where logits are stored; the caller holds its lock.
        spread: Where images are decoded and laundered; default is a process per core.
    """
    spec, count = predictor.input_spec, len(variants)
    store_recipe = recipe(detector, variants, spec)
    reasons: dict[str, dict[str, str]] = {
        key: each for key, each in folder.failures.items() if isinstance(each, dict)
    }
    with store.writing(
        folder.logits_folder, store_recipe, (count,), "float64"
    ) as scored:
        missing = {
            each.key: each for each in photos if each.key and each.key not in scored
        }
        task = Launder(variants, spec, detector.limits)
        keys: list[str] = []
        rows: list[Floats] = []
        unscored: dict[str, dict[str, str]] = {}  # tried again by the next call
        stream = _logits(task, predictor, list(missing.values()), count, spread)
        for key, values, why in stream:
            named = {variants[at].name: text for at, text in why.items()}
            if len(why) == count:
                unscored[key] = named
                continue
            keys.append(key)
            rows.append(values)
            if why:
                reasons[key] = named
            if len(keys) == _SHARD_IMAGES:
                _keep(scored, folder, keys, rows, reasons)
        _keep(scored, folder, keys, rows, reasons)
        logits = _stored(scored, photos, count)
    reasons |= unscored
    by_photo = [
        _explained(values, variants, reasons.get(photo.key, {})) if photo.key else {}
        for photo, values in zip(photos, logits, strict=True)
    ]
    return Scores(logits, by_photo)


def _stored(scored: store.Store, photos: Sequence[Photo], count: int) -> Floats:
    """Return the logits that are stored, `(photos, count)`, else NaN."""
    logits = np.full((len(photos), count), np.nan)
    known = [at for at, photo in enumerate(photos) if photo.key in scored]
    if known:
        logits[known] = scored.gather([photos[at].key for at in known])
    return logits


def _explained(
    values: Floats, variants: Sequence[Variant], why: dict[str, str]
) -> dict[str, str]:
    """Return a reason for each NaN, also where somebody deleted the file of reasons."""
    return {
        each.name: why.get(each.name, _FORGOTTEN)
        for each, missing in zip(variants, np.isnan(values), strict=True)
        if missing
    }


def _keep(
    scored: store.Store,
    folder: LaunderedRun,
    keys: list[str],
    rows: list[Floats],
    reasons: dict[str, dict[str, str]],
) -> None:
    """Write what was scored, reasons first: a logit that is NaN always has one."""
    if any(key in reasons for key in keys):
        folder.failures = reasons
    if keys:
        scored.append(keys, np.stack(rows))
    keys.clear()
    rows.clear()


def _logits(
    task: Launder,
    predictor: "Predictor",
    photos: Sequence[Photo],
    count: int,
    spread: Engine | None,
) -> Iterator[tuple[str, Floats, dict[int, str]]]:
    """Yield each photo's key, logits `(count,)` and reasons, in order.

    Versions of several photos fill a batch together: a model is compiled for one size.
    """
    outcomes = engine.map(
        task,
        photos,
        spread=spread,
        load=_read if spread and spread.name == "ray" else None,
    )
    lost = Laundered([], np.zeros((0,), np.uint8), {})
    open_photos: list[tuple[Photo, Floats, dict[int, str]]] = []
    waiting: list[tuple[int, int]] = []  # number of a photo, version
    arrays: list[NDArray[np.uint8]] = []
    n_closed = 0

    def run(size: int) -> None:
        logits = predictor.array_logits(np.stack(arrays[:size]))
        for (number, version), logit in zip(waiting[:size], logits, strict=True):
            _, values, why = open_photos[number - n_closed]
            values[version] = logit if np.isfinite(logit) else np.nan
            if not np.isfinite(logit):
                why[version] = "the detector gives no finite logit"
        del arrays[:size], waiting[:size]

    label = "laundering and scoring"
    with contextlib.closing(outcomes), progress(len(photos), label) as add:
        for number, (photo, outcome) in enumerate(zip(photos, outcomes, strict=True)):
            result, why = outcome.value or lost, {}
            if outcome.value is None:
                why = dict.fromkeys(range(count), images.DECODER_CRASHED)
            open_photos.append(
                (photo, np.full(count, np.nan), {**why, **result.reasons})
            )
            waiting += [(number, version) for version in result.positions]
            arrays += list(result.arrays)
            while len(arrays) >= _BLOCK:
                run(_BLOCK)
            first = waiting[0][0] if waiting else number + 1
            while n_closed < first:
                done, values, reasons = open_photos.pop(0)
                n_closed += 1
                add(1)
                yield done.key, values, reasons
        if arrays:
            run(len(arrays))
        for done, values, reasons in open_photos:
            add(1)
            yield done.key, values, reasons


def _read(photo: Photo) -> Photo:
    """Return a photo with its bytes; a file that cannot be read is left to the worker."""
    try:
        return dataclasses.replace(photo, data=images.read_file(photo.file))
    except ImageError:
        return photo
