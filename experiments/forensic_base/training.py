"""Train MobileNetV2 0.35 end to end, a short epoch at a time, so it can be killed.

Shards of `training_set` enter; a checkpoint and a history grow in a folder, and the same
command continues from them.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kerasfaces import runs
from kerasfaces.rng import generator, integer_seed

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train.

    Attributes:
        epochs: Short epochs in all.
        steps: Batches in each.
        batch: Images in a batch, half of them photos: whole pairs.
        crop_px: Random crops of this size.
        learning_rate: Adam's, falling to 0 along a cosine.
        validation_shards: The last shards are kept for validation.
        seed: For crops and initial weights.
    """

    epochs: int = 24
    steps: int = 250
    batch: int = 48
    crop_px: int = 128
    learning_rate: float = 2e-3
    validation_shards: int = 4
    seed: int = 0


def build(size_px: int | None) -> Any:
    """Return base + pooling + logit; `size_px` None takes any size."""
    import keras

    base = keras.applications.MobileNetV2(
        input_shape=(size_px, size_px, 3), alpha=0.35, include_top=False, weights=None
    )
    for layer in base.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.98  # few steps: 0.999 would remember the first ones
    base.get_layer("Conv1").set_weights([high_pass_stem()])
    pooled = keras.layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, keras.layers.Dense(1, name="logit")(pooled))


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


def train(shards: list[Path], plan: Plan, folder: Path) -> Any:
    """Train, or continue; return the model at the end."""
    import keras

    keras.utils.set_random_seed(integer_seed(plan.seed, "forensic base"))
    train_set = [np.load(p, mmap_mode="r") for p in shards[: -plan.validation_shards]]
    held_out = [np.load(path) for path in shards[-plan.validation_shards :]]
    with runs.lock(folder, "training folder"):
        model, history = _resume(plan, folder)
        for epoch in range(len(history), plan.epochs):
            losses = [
                float(model.train_on_batch(images, labels)[0])
                for images, labels in _batches(train_set, plan, epoch)
            ]
            row = {"epoch": epoch, "loss": float(np.mean(losses))}
            row |= {"val_auc": validation_auc(model, held_out)}
            with runs.atomic_path(folder / "checkpoint.keras") as temporary:
                model.save(temporary)
            history.append(row)
            runs.write_json(folder / "history.json", history)
            os.write(2, f"{row}\n".encode())
    return model


def validation_auc(model: Any, shards: list[Pixels]) -> float:
    """Return the AUC on whole pictures."""
    from sklearn.metrics import roc_auc_score

    logits = np.concatenate([predict(model, shard) for shard in shards])
    labels = np.concatenate([np.arange(len(shard)) % 2 for shard in shards])
    return float(roc_auc_score(labels, logits))


def predict(model: Any, images: Pixels) -> npt.NDArray[np.float32]:
    """Return (n,) logits of (n, s, s, 3) uint8 pictures."""
    parts = [
        np.asarray(model(_scale(images[at : at + 50]), training=False))[:, 0]
        for at in range(0, len(images), 50)
    ]
    return np.concatenate(parts)


def _resume(plan: Plan, folder: Path) -> tuple[Any, list[dict[str, float]]]:
    import keras

    history = folder / "history.json"
    if history.exists():
        done = runs.read_json(history)
        return keras.models.load_model(folder / "checkpoint.keras"), done
    model = build(None)
    schedule = keras.optimizers.schedules.CosineDecay(
        plan.learning_rate / 20,
        plan.epochs * plan.steps,
        warmup_target=plan.learning_rate,
        warmup_steps=200,
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=["accuracy"],
        jit_compile=False,  # ten times slower on depthwise convolutions
    )
    return model, []


def _batches(
    shards: list[Pixels], plan: Plan, epoch: int
) -> Iterator[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """Yield the epoch's batches: whole pairs, each cropped and mirrored in one way."""
    rng = generator(plan.seed, "epoch", epoch)
    pairs = plan.batch // 2
    free = shards[0].shape[1] - plan.crop_px + 1
    labels = np.tile(np.array([0, 1], np.float32), pairs)[:, None]
    for _ in range(plan.steps):
        images = np.empty((2 * pairs, plan.crop_px, plan.crop_px, 3), np.uint8)
        for at in range(pairs):
            shard = shards[int(rng.integers(len(shards)))]
            first = 2 * int(rng.integers(len(shard) // 2))
            top, left = (int(value) for value in rng.integers(free, size=2))
            crop = shard[first : first + 2, top : top + plan.crop_px]
            crop = crop[:, :, left : left + plan.crop_px]
            images[2 * at : 2 * at + 2] = crop[:, :, :: -1 if rng.random() < 0.5 else 1]
        yield _scale(images), labels


def _scale(images: Pixels) -> npt.NDArray[np.float32]:
    return images.astype(np.float32) / np.float32(127.5) - 1
