"""Train MobileNetV2 0.35 end to end, a short epoch at a time, so it can be killed.

Shards of `training_set` enter; a checkpoint and a history grow in a folder, and the same
command continues from them.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kerasfaces.core import folders
from kerasfaces.core.files import atomic_path, read_json, write_json
from kerasfaces.core.rng import generator, integer_seed

TAPS = tuple(f"block_{block}_expand_relu" for block in (3, 6, 9, 13))
HEADED = ("block_1_expand_relu", *TAPS, "out_relu")  # layers that get a logit
logger = logging.getLogger(__name__)
Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of the training.

    Attributes:
        epochs: Number of short epochs.
        steps: Batches in each.
        batch: Images in a batch, half of them photos: whole pairs.
        flat_epochs: First epochs, on pictures of nothing, where the trace is all there is.
        easy_epochs: Next epochs, on the calmest of several crops, and only of pairs with
            little detail left: a fifth of all at first, then ever more.
        crop_px: Size of random crops.
        wide_epochs: Last epochs, with crops of `wide_px`.
        wide_px: Size that statistics over a whole picture need.
        learning_rate: Learning rate of Adam, falling to 0 along a cosine.
        validation_shards: Number of last shards that are for validation.
        seed: Seed of crops and initial weights.
    """

    epochs: int = 26
    steps: int = 200
    batch: int = 64
    flat_epochs: int = 2
    easy_epochs: int = 6
    crop_px: int = 64
    wide_epochs: int = 10
    wide_px: int = 96
    learning_rate: float = 2e-3
    validation_shards: int = 2
    seed: int = 0


def build(size_px: int | None) -> Any:
    """Return the base with a logit on every tap and on its last layer.

    The taps are what a frozen base is used by later, so each is asked directly.

    Args:
        size_px: Size of the pictures; None takes any.

    Returns:
        A model from (n, s, s, 3) float32 in [-1, 1] to (n, taps + 1) logits.
    """
    import keras
    from keras import layers, ops

    base = keras.applications.MobileNetV2(
        input_shape=(size_px, size_px, 3), alpha=0.35, include_top=False, weights=None
    )
    for layer in base.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.98  # few steps: 0.999 would remember the first ones
    base.get_layer("Conv1").set_weights([high_pass_stem()])
    logits = []
    for name in HEADED:
        tap = base.get_layer(name).output
        mean = ops.mean(tap, axis=(1, 2))
        variance = ops.mean(ops.square(tap), axis=(1, 2)) - ops.square(mean)
        pooled = ops.concatenate([mean, ops.sqrt(ops.relu(variance) + 1e-5)], axis=1)
        pooled = layers.BatchNormalization(momentum=0.98, name=f"head_{name}_bn")(
            pooled
        )
        logits.append(layers.Dense(1, name=f"head_{name}")(pooled))
    return keras.Model(base.input, ops.concatenate(logits, axis=1))


def pair_loss(labels: Any, logits: Any) -> Any:
    """Return the loss of whole pairs, a photo before what was generated from its scene.

    Half of it asks which picture of a pair is generated, so that the scene, which both
    share, cannot mislead; the other half is the usual cross-entropy.
    """
    from keras import ops

    labels = ops.cast(labels, logits.dtype)
    real, fake = logits[0::2], logits[1::2]
    alone = ops.softplus(logits) - labels * logits
    return 0.5 * ops.mean(alone) + 0.5 * ops.mean(ops.softplus(real - fake))


def high_pass_stem() -> npt.NDArray[np.float32]:
    """Return first-layer kernels (3, 3, 3, 16) that see no flat colour.

    The cosine basis without its constant, on luma, and its four finest members on two
    colour differences: traces of up-sampling are fine and weak, and from random kernels
    training takes long to find them. These are only where training starts.
    """
    cosine = np.cos(np.pi * np.outer(np.arange(3), np.arange(3) + 0.5) / 3)
    basis = np.einsum("iy,jx->ijyx", cosine, cosine).reshape(9, 3, 3)[1:]
    finest = basis[[4, 5, 6, 7]]
    colours = np.array([[0.3, 0.6, 0.1], [0.7, -0.6, -0.1], [-0.3, -0.6, 0.9]])
    filters = [(basis, colours[0]), (finest, colours[1]), (finest, colours[2])]
    stem = np.concatenate([part[..., None] * rgb for part, rgb in filters])
    return stem.transpose(1, 2, 3, 0).astype(np.float32)


def train(
    shards: list[Path], flat: Path, hardness: list[Floats], plan: Plan, folder: Path
) -> Any:
    """Train, or continue.

    Args:
        shards: Files of `training_set.make`.
        flat: The file of `training_set.make_flat`.
        hardness: For each shard, `(pairs,)` how hard each pair is.
        plan: Settings of the training.
        folder: Folder of the checkpoint and the history.

    Returns:
        The model at the end.
    """
    import keras

    keras.utils.set_random_seed(integer_seed(plan.seed, "forensic base"))
    train_set = [np.load(p, mmap_mode="r") for p in shards[: -plan.validation_shards]]
    held_out = [np.load(path) for path in shards[-plan.validation_shards :]]
    nothing = [np.load(flat)]
    everywhere = [np.arange(len(nothing[0]) // 2)]
    with folders.lock(folder, "training folder"):
        model, history = _resume(plan, folder)
        for epoch in range(len(history), plan.epochs):
            started = time.monotonic()
            if epoch < plan.flat_epochs:
                batches = _batches(nothing, everywhere, plan, epoch)
            else:
                allowed = _easiest(hardness, plan, epoch)
                batches = _batches(train_set, allowed, plan, epoch)
            losses = [float(model.train_on_batch(*batch)) for batch in batches]
            row = {
                "epoch": epoch,
                "loss": float(np.mean(losses)),
                "val_auc": validation_auc(model, held_out),
                "seconds": time.monotonic() - started,
            }
            with atomic_path(folder / "checkpoint.keras") as temporary:
                model.save(temporary)
            history.append(row)
            write_json(folder / "history.json", history)
            logger.info("%s", row)
    return model


def validation_auc(model: Any, shards: list[Pixels]) -> float:
    """Return the AUC on whole pictures."""
    from sklearn.metrics import roc_auc_score

    logits = np.concatenate([predict(model, shard) for shard in shards])
    labels = np.concatenate([np.arange(len(shard)) % 2 for shard in shards])
    return float(roc_auc_score(labels, logits))


def predict(model: Any, images: Pixels) -> npt.NDArray[np.float32]:
    """Return (n,) logits, the heads' mean, of (n, s, s, 3) uint8 pictures."""
    parts = [
        np.asarray(model(_scale(images[at : at + 50]), training=False)).mean(axis=1)
        for at in range(0, len(images), 50)
    ]
    return np.concatenate(parts)


def _resume(plan: Plan, folder: Path) -> tuple[Any, list[dict[str, float]]]:
    import keras

    history = folder / "history.json"
    if history.exists():
        rows = read_json(history)
        own = {"pair_loss": pair_loss}
        return keras.models.load_model(folder / "checkpoint.keras", own), rows
    model = build(None)
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.learning_rate / 20,
        plan.epochs * plan.steps,
        warmup_target=plan.learning_rate,
        warmup_steps=50,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=pair_loss,
        jit_compile=False,  # ten times slower on depthwise convolutions
    )
    return model, []


def _easiest(hardness: list[Floats], plan: Plan, epoch: int) -> list[Any]:
    """Return, for each shard, the numbers of the pairs to draw from."""
    progress = (epoch - plan.flat_epochs) / max(plan.easy_epochs, 1)
    share = min(1.0, 0.2 + 0.8 * progress)
    return [np.argsort(row)[: max(1, round(share * len(row)))] for row in hardness]


def _batches(
    shards: list[Pixels], allowed: list[Any], plan: Plan, epoch: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Yield the epoch's batches: whole pairs, each cropped and mirrored in one way."""
    rng = generator(plan.seed, "epoch", epoch)
    pairs = plan.batch // 2
    calm = 8 if epoch < plan.flat_epochs + plan.easy_epochs else 1
    wide = epoch >= plan.epochs - plan.wide_epochs
    size = plan.wide_px if wide else plan.crop_px
    labels = np.tile(np.array([0, 1], np.float32), pairs)[:, None]
    for _ in range(plan.steps):
        images = np.empty((2 * pairs, size, size, 3), np.uint8)
        for at in range(pairs):
            which = int(rng.integers(len(shards)))
            first = 2 * int(rng.choice(allowed[which]))
            both = shards[which][first : first + 2]
            images[2 * at : 2 * at + 2] = _crop(both, size, calm, rng)
        yield _scale(images), labels


def _crop(both: Pixels, size: int, tries: int, rng: np.random.Generator) -> Pixels:
    """Crop a pair in one place, the calmest of `tries`, and mirror it or not."""
    small = both[0, ::4, ::4].mean(-1)
    free = both.shape[1] - size + 1
    places = rng.integers(free, size=(tries, 2))
    side = size // 4
    unrest = [small[y // 4 :, x // 4 :][:side, :side].std() for y, x in places]
    top, left = places[int(np.argmin(unrest))]
    crop = both[:, top : top + size, left : left + size]
    return crop[:, :, :: -1 if rng.random() < 0.5 else 1]


def _scale(images: Pixels) -> npt.NDArray[np.float32]:
    return images.astype(np.float32) / np.float32(127.5) - 1
