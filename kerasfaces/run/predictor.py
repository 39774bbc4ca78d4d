"""A finished run -> logits of other images, through the same pixels and features."""

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from kerasfaces import __version__
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core import numerics, registry
from kerasfaces.core.errors import (
    InputError,
    KerasfacesError,
    MissingFileError,
    RunError,
)
from kerasfaces.core.files import read_json
from kerasfaces.core.progress import progress
from kerasfaces.core.texts import plain, quoted, shortened
from kerasfaces.dataset.cache import CachedImages, cache_images
from kerasfaces.dataset.channels import (
    Arrays,
    ChannelArrays,
    channels_of,
    check_recipe,
    from_store,
)
from kerasfaces.dataset.sizes import with_limits
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.models import assemble, stem
from kerasfaces.models.config import ModelConfig
from kerasfaces.run import baseline, limits

if TYPE_CHECKING:
    import pandas as pd

    from kerasfaces.manifest import Manifest

logger = logging.getLogger(__name__)

BATCH = 32
Read = Callable[[NDArray[Any]], NDArray[Any]]


@dataclasses.dataclass(frozen=True)
class FinishedRun:
    """What a run folder says about its model.

    Attributes:
        folder: The run folder.
        model: The architecture.
        weights: Identity of the base's weights; None when it was trained from nothing.
        frozen: Whether the base is exactly those weights.
        input_spec: What stands between a file and the pixels.
        channel_recipe: What stands between the pixels and the input; None for pixels.
        limits: What a picture must have to get a verdict; None where nothing is known.
    """

    folder: Path
    model: ModelConfig
    weights: dict[str, str] | None
    frozen: bool
    input_spec: InputSpec
    channel_recipe: dict[str, Any] | None = None
    limits: Limits | None = None


def open_run(folder: Path) -> FinishedRun:
    """Read a run folder.

    Raises:
        MissingFileError: A file is missing.
        RunError: The run is not finished, or damaged.
        InputError: Its configuration is damaged, or it is a baseline's.
    """
    other = baseline.config_of(folder)
    if other is not None:
        raise InputError(
            f"{folder} holds {other.model.name}, which is no network: only its scores can "
            "be had (kerasfaces evaluate). Give a run of a model."
        )
    try:
        return _read(folder)
    except MissingFileError as error:
        raise MissingFileError(
            f"{error} {folder} is incomplete: copy the whole run folder, or train the run "
            f"again.{_other_version(folder)}"
        ) from error
    except InputError as error:
        raise RunError(
            f"{error} The run cannot be read by this version: train it again, or use the one "
            f"that made it.{_other_version(folder)}"
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(
            f"{folder}: config.json or input_spec.json is damaged, or of another version "
            f"({type(error).__name__}: {quoted(str(error))}); restore it, or train the run "
            f"again.{_other_version(folder)}"
        ) from error


def _other_version(folder: Path) -> str:
    """Return which version made a run, where it says so and that is not this one."""
    try:
        told = read_json(folder / "environment.json")["packages"]["kerasfaces"]
    except (KerasfacesError, KeyError, TypeError):
        return ""
    if told == __version__:
        return ""
    return (
        f" It was made by kerasfaces {shortened(plain(told))}; this is {__version__}."
    )


def _read(folder: Path) -> FinishedRun:
    config = read_json(folder / "config.json")
    if not (folder / "model.keras").exists():
        raise RunError(
            f"{folder}: training is not finished (no model.keras); run it again."
        )
    train = config["train"]
    model = configs.from_dict(ModelConfig, train["model"], f"{folder}/config.json")
    stays = not registry.load("kerasfaces.models.zoo", model.name).END_TO_END
    spec = read_json(folder / "input_spec.json")
    pixels = configs.from_dict(InputSpec, spec["input"], f"{folder}/input_spec.json")
    if pixels.size_px != model.size_px:
        raise RunError(
            f"{folder}: input_spec.json says {pixels.size_px} px and config.json "
            f"{model.size_px}: one is damaged; restore it, or train the run again."
        )
    recipe = spec.get("channel_recipe")
    if recipe is not None:
        configs.mapping(recipe, f"{folder}/input_spec.json.channel_recipe")
    return FinishedRun(
        folder=folder,
        model=model,
        weights=config["weights"],
        frozen=config["weights"] is not None
        and not (train["unfreeze"] or train.get("train_base"))
        and stays,
        input_spec=pixels,
        channel_recipe=recipe,
        limits=limits.of_run(folder),
    )


def load_model(run: FinishedRun) -> keras.Model:
    """Build the run's model from its JSON and load its weights; no code is loaded.

    Raises:
        RunError: The weights do not fit or are damaged.
        InputError: Keras is set to other numbers than ours.
    """
    numerics.refuse_changed()
    plugin = registry.load("kerasfaces.models.zoo", run.model.name)
    model: keras.Model = plugin.build(run.model)
    path = run.folder / "model.keras"
    try:
        model.load_weights(str(path))
    except Exception as error:
        raise RunError(f"{path} is damaged or of another model: {error}") from error
    return model


def predict_run(
    folder: Path,
    manifest: "Manifest",
    split: str | None = None,
    store: Path | None = None,
) -> "pd.DataFrame":
    """Return predictions of a manifest's rows by a run's model.

    Args:
        folder: A finished run folder.
        manifest: Any manifest.
        split: Only its rows; None is all rows.
        store: A channel store that holds the images; by default the channels a run needs
            are computed from the files, by the recipe it keeps.

    Returns:
        One row per manifest row: the manifest's columns that predictions carry, `logit`
        (NaN when unreadable), `score` (NaN: calibration is not known here), `reason`.

    Raises:
        InputError: No row is in `split`, or a store is given to a run on pixels.
        StoreError: The store was made by another recipe.
    """
    predictor = Predictor(folder)
    files, rows = manifest.files(), manifest.rows
    if split is not None:
        chosen = np.flatnonzero((rows["split"] == split).to_numpy())
        if not len(chosen):
            raise InputError(f"The manifest has no rows in split {quoted(split)}.")
        rows = rows.iloc[chosen].reset_index(drop=True)
        files = [files[position] for position in chosen]
    return as_predictions(rows, *predictor.logits(files, store))


class Predictor:
    """A finished run, of a model or a baseline, that is loaded once and asked often."""

    def __init__(self, folder: Path) -> None:
        """Read the run folder; weights are loaded when they are needed.

        Raises:
            KerasfacesError: See `open_run`.
        """
        self._folder = folder
        self._run = baseline.config_of(folder) or open_run(folder)
        self._model: keras.Model | None = None
        self._features: FeatureCache | None = None

    def logits(
        self, files: list[Path], store: Path | None = None
    ) -> tuple[NDArray[np.float64], list[str]]:
        """Return each file's logit, NaN where unreadable, and why there is none.

        Args:
            files: Absolute paths.
            store: See `predict_run`.

        Raises:
            KerasfacesError: See `inputs_of`, `load_model`.
        """
        run = self._run
        if isinstance(run, BaselineConfig):
            return baseline.predict(self._folder, run, files, store)
        cached = inputs_of(run, files, store)
        pairs = zip(cached.keys, cached.reasons, strict=True)
        keys = [key for key, why in pairs if not why]
        logits = np.full(len(files), np.nan)
        if keys:
            logits[[not why for why in cached.reasons]] = self._of(
                run, cached.store, keys
            )
        return logits, cached.reasons

    def _of(
        self, run: FinishedRun, images: Arrays, keys: list[str]
    ) -> NDArray[np.float64]:
        if self._model is None:
            self._model = load_model(run)
        if not run.frozen or run.weights is None:
            return image_logits(self._model, images.reader(keys))
        if self._features is None:
            scaling = stem.scaling_of(self._model)
            self._features = FeatureCache(
                assemble.extractor_of(self._model),
                base_recipe(configs.to_dict(run.model), run.weights, scaling),
                images,
            )
        self._features.look_at(images)
        before = self._features.engine
        reader = self._features.reader(keys)
        if not before:
            _compare_engines(run, self._features.engine)
        return image_logits(self._model.get_layer("head"), reader)


def _compare_engines(run: FinishedRun, engine: str) -> None:
    """Say so where a run's head was trained on another engine's features."""
    path = run.folder / "training.json"
    trained = read_json(path).get("engine") if path.exists() else None
    if trained and trained != engine:
        logger.info(
            "%s was trained on features by %s, here they are by %s: logits can differ in "
            "their fourth digit",
            run.folder,
            trained,
            engine,
        )


def inputs_of(
    run: FinishedRun, files: list[Path], store: Path | None = None
) -> CachedImages | ChannelArrays:
    """Return what a run's model takes, for files: pixels, or the channels it was made on.

    Files whose picture is too little to judge have a reason.

    Raises:
        InputError: A store is given to a run on pixels, or the channel stage refused.
        StoreError: The store was made by another recipe.
    """
    found = _arrays_of(run, files, store)
    reasons = with_limits(files, found.reasons, run.limits)
    return dataclasses.replace(found, reasons=reasons)


def _arrays_of(
    run: FinishedRun, files: list[Path], store: Path | None
) -> CachedImages | ChannelArrays:
    if run.channel_recipe is None:
        if store is not None:
            raise InputError(
                f"--store {store}: {run.folder} was trained on pixels; leave it out."
            )
        return cache_images(files, run.input_spec)
    names = run.model.channel_names
    if store is None:
        return channels_of(files, run.channel_recipe, names)
    joined = from_store(files, store, names)
    check_recipe(
        run.channel_recipe,
        joined.store.made_by,
        f"{run.folder.name}",
        joined.store.folder,
    )
    return joined


def as_predictions(
    rows: "pd.DataFrame", logits: NDArray[np.float64], reasons: list[str]
) -> "pd.DataFrame":
    """Return the columns of predictions.csv; the score is left open (NaN)."""
    carried = [
        name
        for name in rows.columns
        if name in ("path", "label", "source", "split", "pair_id")
        or name.startswith("attr_")
    ]
    return rows[carried].assign(logit=logits, score=np.nan, reason=reasons)


def image_logits(model: keras.Model, read: Read) -> NDArray[np.float64]:
    """Return the logits of all images of a reader, end to end, `(n,)`."""
    total = len(read)  # type: ignore[arg-type]
    parts = []
    with progress(total, "predicting") as add:
        for start in range(0, total, BATCH):
            positions = np.arange(start, min(start + BATCH, total))
            batch = read(positions).astype(np.float32)
            parts.append(np.asarray(model.predict_on_batch(batch))[:, 0])
            add(len(positions))
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
