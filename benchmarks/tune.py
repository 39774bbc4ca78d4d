"""Studies: ours against KerasTuner's plain recipe, and what a trial costs beside its head.

The grid is kabber2023's 9 points of the MobileNetV2 head (dropout × learning rate), 10
epochs each on 480 images with validation on 120, after the imports. Plain: KerasTuner's
GridSearch over a model with the frozen base inside, fed by `image_dataset_from_directory`.
No augmentation on either side, base weights random, each side in processes of its own,
neither refits its winner. The 500-trial study trains small heads on features in memory.
"""

import dataclasses
import functools
import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import frozen
from benchmarks.framework import inputs, timing

EPOCHS = 10
DROPOUTS, RATES = (0.05, 0.1, 0.2), (1e-4, 5e-4, 1e-3)
N_TRIALS = 500
_OVERHEAD_S = 0.15
_MEGABYTE = 2**20


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return the rows."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        return [*_grid(root, quick), *_heads(root, quick)]


def _grid(root: Path, quick: bool) -> list[dict[str, Any]]:
    from kerasfaces.core.imports import import_keras

    import_keras()
    folder = inputs.folders(root, 60 if quick else frozen.N_IMAGES)
    weights = inputs.random_weights("mobilenetv2", root)
    manifest = inputs.manifest(folder, root)
    points = 1 if quick else 9
    plain_s = timing.seconds(functools.partial(_plain, folder, root / "plain", points))
    os.environ["KERASFACES_CACHE"] = str(root / "cache")
    seconds = {
        state: timing.seconds(
            functools.partial(_ours, manifest, weights, root / state, points)
        )
        for state in ("cold", "cached")
    }
    what = (
        f"{points}-point MobileNetV2 grid, {EPOCHS} epochs, KerasTuner's recipe / ours"
    )
    return [
        timing.row(
            f"grid_{state}", [plain_s / seconds[state]], target, f"{what}, {note}"
        )
        for state, target, note in (
            ("cold", 40.0, "nothing cached"),
            ("cached", 100.0, "features cached"),
        )
    ]


def _heads(root: Path, quick: bool) -> list[dict[str, Any]]:
    measured = timing.call(
        functools.partial(_many, root / "many", 20 if quick else N_TRIALS)
    )
    early, late = measured["memory"]
    return [
        timing.row(
            "overhead_per_trial",
            [_OVERHEAD_S / measured["overhead_s"]],
            1.0,
            f"{_OVERHEAD_S} s / time of a trial beside its head's training",
        ),
        timing.row(
            "memory_500_trials",
            [1.2 * early / late],
            1.0,
            "1.2 x resident memory after 100 trials / after the last",
        ),
        timing.row(
            "disk_per_trial",
            [_MEGABYTE / measured["bytes"]],
            1.0,
            "1 MB / a finished trial's files, the five best apart",
        ),
    ]


def _study(points: int) -> Any:
    from kerasfaces.tune import study

    loaded = study.load("kabber2023_mobilenetv2")[1]
    return dataclasses.replace(
        loaded,
        configure=functools.partial(_one_view, loaded.configure),
        max_trials=points,
    )


def _one_view(configure: Any, hp: Any, components: Any) -> Any:
    return dataclasses.replace(configure(hp, components), views=1, epochs=EPOCHS)


def _ours(manifest: Any, weights: Path, folder: Path, points: int) -> None:
    """Search as `kerasfaces tune` does, up to the leaderboard."""
    from kerasfaces.tune import run

    run.refit = lambda *_: {}  # type: ignore[assignment]
    run.tune("grid", _study(points), manifest, weights=[str(weights)], folder=folder)


def _plain(folder: Path, project: Path, points: int) -> None:
    """Search as a KerasTuner tutorial does."""
    import keras
    import keras_tuner
    from keras import layers

    size = (frozen.SIZE_PX, frozen.SIZE_PX)
    train, val = keras.utils.image_dataset_from_directory(
        folder,
        label_mode="binary",
        image_size=size,
        batch_size=32,
        validation_split=0.2,
        subset="both",
        seed=0,
        verbose=False,
    )

    def build(hp: Any) -> Any:
        base = keras.applications.MobileNetV2(
            input_shape=(*size, 3), include_top=False, weights=None
        )
        base.trainable = False
        dropout = hp.Choice("dropout", list(DROPOUTS))
        image = keras.Input((*size, 3))
        x = base(layers.Rescaling(1 / 127.5, offset=-1)(image), training=False)
        x = layers.GlobalAveragePooling2D()(x)
        for width in (256, 128, 64):
            x = layers.Dense(
                width, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)
            )(x)
            x = layers.Dropout(dropout)(x)
        net = keras.Model(image, layers.Dense(1)(x))
        net.compile(
            keras.optimizers.Adam(hp.Choice("learning_rate", list(RATES))),
            keras.losses.BinaryCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        return net

    tuner = keras_tuner.GridSearch(
        build,
        objective="val_accuracy",
        max_trials=points,
        directory=str(project),
        project_name="plain",
    )
    tuner.search(
        train.prefetch(2),
        validation_data=val.prefetch(2),
        epochs=EPOCHS,
        verbose=0,
    )


def _many(folder: Path, count: int) -> dict[str, Any]:
    """Run a study of small heads on made-up features; measure around the training."""
    import time

    import numpy as np

    from kerasfaces.core import engine, rng
    from kerasfaces.features.readers import InMemory
    from kerasfaces.train.examples import Examples
    from kerasfaces.tune import frozen as space_of
    from kerasfaces.tune import space
    from kerasfaces.tune.components import Components
    from kerasfaces.tune.search import Search
    from kerasfaces.tune.study import Study
    from kerasfaces.tune.trainer import Trainer

    components = Components(
        weights={"mobilenetv2": "forensic"}, loaded={"mobilenetv2": None}
    )
    random = rng.generator(0, "benchmark")
    labels = (np.arange(600) % 2).astype(np.float32)
    values = random.normal(0, 1, (600, 400)).astype(np.float32) + labels[:, None] / 9
    train, val = InMemory(values[:480]), InMemory(values[480:])
    features = Examples(
        train=[train],
        train_labels=labels[:480],
        train_sources=["a"] * 480,
        train_families=["a"] * 480,
        val=val,
        val_labels=labels[480:],
        val_families=["a"] * 120,
        engine="",
    )

    class Drawn:
        def data(self, config: Any) -> None:
            """Nothing is read."""

        def features(self, config: Any) -> Examples:
            return features

    def configure(hp: Any, components: Any) -> Any:
        from kerasfaces.core.config import updated

        config = space_of.configure(hp, components, epochs=5, patience=None)
        model = updated(config.model, {"options": {"alpha": 0.35}})
        return dataclasses.replace(config, model=model)

    study = Study(
        title="many",
        configure=configure,
        bases=("mobilenetv2",),
        oracle="random",
        max_trials=count,
    )
    trainer = Trainer(Drawn())  # type: ignore[arg-type]
    trained_s: list[float] = []
    memory: list[int] = []

    def train(training: Any) -> Any:
        result = trainer.train(training)
        trained_s.extend(one.summary["seconds"] for one in result.repeats)
        memory.append(_resident())
        return result

    search = Search(study, components, space.declare(study, components), folder)
    started = time.perf_counter()
    with engine.pool(train, engine.Engine(workers=1)) as pool:
        search.run(pool)
    total_s = time.perf_counter() - started
    best = {trial.trial_id for trial in search.completed()[:5]}
    sizes = [
        sum(path.stat().st_size for path in each.iterdir())
        for each in folder.glob("trial_*")
        if each.name.removeprefix("trial_") not in best
    ]
    return {
        "overhead_s": (total_s - sum(trained_s)) / count,
        "memory": (memory[min(99, count // 2)], memory[-1]),
        "bytes": max(sizes),
    }


def _resident() -> int:
    """Return this process's resident memory in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
