"""A manifest and a run -> which of its images are near-copies of training images.

Two kinds of evidence, because each misses what the other finds: on photos the head's final
layer sees through a crop and is blind after rescaling, which takes traces away; the
perceptual hash of the pixels is the reverse. What a run's layer sees differs much, so every
report measures both on copies of training images made for the purpose. The distance that counts as near is one that a hundredth of
the validation images stay below, which splitting has kept apart from training: so many
images are expected by chance, and the report says how many.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from kerasfaces import images
from kerasfaces.core import rng
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import Json
from kerasfaces.images import launderings
from kerasfaces.manifest import Manifest, file_facts, groups
from kerasfaces.manifest.split import NEAR_DUPLICATES, rows_in
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.training_features import TrainingFeatures
from kerasfaces.serve import stability
from kerasfaces.serve.similar import Neighbour, TrainingImages, name_of

if TYPE_CHECKING:
    from kerasfaces.run.predictor import Predictor

CHANCE = 0.01  # share of validation images that are nearer than the limit
COPIED = 20  # training images that are copied to measure what is found
COLUMNS = ("path", "label", "source", "evidence", "training_image", "training_label")


@dataclasses.dataclass(frozen=True)
class Leaks:
    """What was found.

    Attributes:
        rows: One per suspicious image; columns `COLUMNS`, `distance`, `percentile`, `bits`.
        facts: `n` images looked at, `n_unreadable`, `limit` of the distance, `by_chance`
            (images that the distance alone is expected to name), `n_train`,
            `n_train_files` on this machine, and `copies`: per kind of copy how many of
            `n` were found by `features`, by `pixels` and by either.
    """

    rows: list[Json]
    facts: Json


def find(run: DetectorRun, manifest: Manifest, split: str | None = "test") -> Leaks:
    """Look for near-copies of the training images of a run on pixels in a manifest.

    Only in rows of `split`, where the manifest has splits; None is all.

    Raises:
        InputError: No row is in it, or the run keeps no training features.
    """
    from kerasfaces.core.imports import import_keras

    training = TrainingImages(run)
    positions, every = rows_in(manifest, split), manifest.files()
    files = [every[at] for at in positions]
    named = manifest.rows.loc[positions, ["path", "label", "source"]].to_dict("records")
    rows = [{str(k): str(v) for k, v in each.items()} for each in named]
    import_keras()
    from kerasfaces.run.predictor import Predictor

    predictor = Predictor(run)
    embeddings, reasons, keys = predictor.embeddings(files)
    readable = np.array([not why for why in reasons], np.bool_)
    if not readable.any():
        raise InputError(f"None of the {len(files):,} images can be read.")
    near = iter(training.near(embeddings[readable], 1))
    nearest = [next(near)[0] if good else None for good in readable]
    limit, labels = limit_of(training.features), training.labels
    trained = sorted(training.files.items())
    trained_files = [file for _, file in trained]
    bits, which = _bits(_hashes(files), _hashes(trained_files))
    suspects = []
    for at, file in enumerate(files):
        twin = trained[which[at]][0] if bits[at] <= NEAR_DUPLICATES else ""
        same = keys[at] in labels
        evidence = evidence_of(same, nearest[at], limit, twin != "")
        if same:  # others can have the same perceptual hash, a fake made of it first
            twin, bits[at] = keys[at], 0
        if evidence:
            known = (name_of(twin, training.files.get(twin)), labels.get(twin, ""))
            row = {**rows[at], "path": rows[at]["path"] or str(file)}
            row["evidence"] = evidence
            suspects.append(
                row | _facts(nearest[at], known if twin else None, bits[at])
            )
    suspects.sort(
        key=lambda row: (_ORDER.index(row["evidence"]), row["distance"] or 0.0)
    )
    n = int(readable.sum())
    facts = {
        "n": n,
        "n_unreadable": len(files) - n,
        "limit": limit,
        "by_chance": CHANCE * n,
        "n_train": training.features.n_training,
        "n_train_files": len(trained),
        "copies": _copies(predictor, training, trained_files, limit),
    }
    return Leaks(suspects, facts)


def limit_of(features: TrainingFeatures) -> float:
    """Return the distance below which `CHANCE` of validation images lie, at most."""
    distances = features.val_distances
    return float(distances[int(CHANCE * len(distances))])


_ORDER = ("same file", "pixels and features", "pixels", "features")


def evidence_of(
    same: bool, nearest: Neighbour | None, limit: float, has_twin: bool
) -> str:
    """Return what speaks for a copy, in words; empty where nothing does."""
    near = nearest is not None and nearest.distance < limit
    if same:
        return _ORDER[0]
    if has_twin:
        return _ORDER[1] if near else _ORDER[2]
    return _ORDER[3] if near else ""


def _facts(nearest: Neighbour | None, twin: tuple[str, str] | None, bits: int) -> Json:
    if twin is None and nearest is not None:
        image, label = nearest.name, nearest.label
    else:
        image, label = twin or ("", "")
    return {
        "training_image": image,
        "training_label": label,
        "distance": None if nearest is None else nearest.distance,
        "percentile": None if nearest is None else nearest.percentile,
        "bits": int(bits) if twin is not None else None,
    }


def _hashes(files: Sequence[Path]) -> list[str]:
    return [facts.phash for facts in file_facts.scan(files)] if files else []


def _bits(
    texts: list[str], known: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the fewest bits that differ from any known hash, and from which.

    Mirror images count. 257 where there is nothing to compare.
    """
    bits = np.full(len(texts), groups.BITS + 1, np.int64)
    which = np.zeros(len(texts), np.int64)
    places = np.array([at for at, text in enumerate(known) if text], np.int64)
    if not len(places):
        return bits, which
    straight = groups.from_hex([known[at] for at in places])
    among = np.concatenate([straight, groups.mirrored(straight)]).view(np.uint64)
    for at, text in enumerate(texts):
        if text:
            apart = among ^ groups.from_hex([text]).view(np.uint64)
            counts = np.bitwise_count(apart).sum(axis=1)
            best = int(np.argmin(counts))
            bits[at], which[at] = counts[best], places[best % len(places)]
    return bits, which


def _copies(
    predictor: "Predictor",
    training: TrainingImages,
    files: Sequence[Path],
    limit: float,
) -> list[Json]:
    """Measure what is found of copies made of training images."""
    draw = rng.generator(0, "copies").permutation(len(files))[:COPIED]
    originals = []
    for at in sorted(draw.tolist()):
        with contextlib.suppress(ImageError):
            originals.append(images.load(files[at]))
    if not originals:
        return []
    own = list(map(groups.phash, originals))
    results = []
    for name, change in _changes().items():
        copies = list(map(change, originals))
        pixels = [images.to_array(copy, predictor.input_spec) for copy in copies]
        _, embeddings = predictor.array_outputs(np.stack(pixels))
        near = training.near(embeddings, 1)
        by_features = np.array([each[0].distance < limit for each in near])
        pairs = zip(map(groups.phash, copies), own, strict=True)
        bits = np.array([_bits([a], [b])[0][0] for a, b in pairs])
        by_pixels = bits <= NEAR_DUPLICATES
        results.append(
            {
                "copy": name,
                "n": len(copies),
                "features": int(by_features.sum()),
                "pixels": int(by_pixels.sum()),
                "either": int((by_features | by_pixels).sum()),
            }
        )
    return results


def _changes() -> dict[str, Callable[[Image.Image], Image.Image]]:
    def laundered(name: str, strength: float) -> Callable[[Image.Image], Image.Image]:
        one = launderings.get(name)
        return lambda image: Image.fromarray(one.apply(np.asarray(image), strength))

    trials = {text: laundered(name, value) for text, name, value in stability.TRIALS}
    return trials | {"mirrored": ImageOps.mirror}
