"""A finished run -> logits of other images, through the same pixels and features."""

import logging
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kerasfaces.core.arrays import Read
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.dataset.cache import CachedImages, FileArrays
from kerasfaces.dataset.channels import Arrays, ChannelStore
from kerasfaces.faces.policy import FaceInput
from kerasfaces.features.cached import FeatureCache
from kerasfaces.images import InputSpec
from kerasfaces.manifest import Manifest, face_rows
from kerasfaces.models.network import (
    embedder_of,
    extractor_of,
    final_layer_of,
    poolings_of,
)
from kerasfaces.run import network_outputs
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.frozen import Nowhere, frozen_features
from kerasfaces.run.inputs import inputs_of, pixels_of
from kerasfaces.run.predictions import as_predictions

logger = logging.getLogger(__name__)


def predict_run(
    folder: Path,
    manifest: Manifest,
    split: str | None = None,
    store: Path | None = None,
) -> pd.DataFrame:
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
    face_rows.require_same(manifest, predictor.face_policy, str(folder))
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

    def __init__(self, run: Path | DetectorRun) -> None:
        """Read a run or its folder; weights are loaded when they are needed."""
        self._run = DetectorRun(run) if isinstance(run, Path) else run
        _ = self._run.network if self._run.baseline is None else self._run.fitted
        self._features: FeatureCache | None = None

    def logits(
        self, files: list[Path], store: Path | None = None
    ) -> tuple[NDArray[np.float64], list[str]]:
        """Return each file's logit, NaN where unreadable, and why there is none.

        Args:
            files: Absolute paths.
            store: See `predict_run`.
        """
        run, config = self._run, self._run.baseline
        inputs: CachedImages | FileArrays[ChannelStore]
        if config is None:
            inputs = inputs_of(run.network, files, store)
        else:
            spec = config.input_spec
            inputs = pixels_of(run.path, spec, run.limits, files, store)
        readable = [not why for why in inputs.reasons]
        keys = [key for key, good in zip(inputs.keys, readable, strict=True) if good]
        logits = np.full(len(files), np.nan)
        if keys:
            logits[readable] = self._of(inputs.store, keys)
        return logits, inputs.reasons

    @property
    def face_policy(self) -> FaceInput:
        """What the run is shown of a picture."""
        return self._run.baseline or self._run.network.input_spec

    @property
    def input_spec(self) -> InputSpec:
        """What stands between a picture and the pixels that `array_logits` takes.

        Raises:
            InputError: The run is on channels.
        """
        baseline = self._run.baseline
        if baseline is not None:
            return baseline.input_spec
        network = self._run.network
        if network.channel_recipe is not None:
            raise InputError(
                f"{network.folder} was trained on channels, which are computed from files; "
                "expected a run on pixels."
            )
        return network.input_spec

    def array_logits(self, arrays: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the logits `(n,)` of pictures that no cache keeps.

        Args:
            arrays: `(n, s, s, 3)` sRGB, prepared by `input_spec`; at least one.
        """
        run = self._run
        if run.baseline is not None:
            return run.baseline_logits(lambda at: arrays[at], len(arrays))
        return network_outputs.logits(*self._last_part(arrays))

    def array_outputs(
        self, arrays: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """Return `array_logits`, and what the head's last layer reads, `(n, width)`.

        Args:
            arrays: See `array_logits`; the run is of a network.
        """
        part, inputs = self._last_part(arrays)
        layer = self._final_layer if self._run.network.frozen else self._embedder
        embedding = network_outputs.of_arrays(layer, inputs)
        return network_outputs.logits(part, inputs), embedding

    def embeddings(
        self, files: list[Path], store: Path | None = None, *, final: bool = True
    ) -> tuple[NDArray[np.float32], list[str], list[str]]:
        """Return each file's final layer, why there is none, and the file's sha256.

        Args:
            files: Absolute paths.
            store: See `predict_run`.
            final: Without it, the features that the base gives the head.

        Returns:
            `(n, width)`, NaN where there is a reason; `(0, 0)` where no file is readable.

        Raises:
            InputError: The run is a baseline's, which has no network.
        """
        network = self._run.network
        inputs = inputs_of(network, files, store)
        readable = np.array([not why for why in inputs.reasons], np.bool_)
        keys = [key for key, good in zip(inputs.keys, readable, strict=True) if good]
        if not keys:
            return np.zeros((0, 0), np.float32), inputs.reasons, inputs.keys
        read: Read
        if network.frozen:
            read = self._cached_features(inputs.store).reader(keys)
            layer = self._final_layer if final else None
        else:
            read = inputs.store.reader(keys)
            layer = self._embedder if final else extractor_of(self._model)
        if layer is None:
            values = np.asarray(read(np.arange(len(keys))), np.float32)
        else:
            values = network_outputs.of_reader(layer, read, len(keys))
        filled = np.full((len(files), values.shape[1]), np.nan, np.float32)
        filled[readable] = values
        return filled, inputs.reasons, inputs.keys

    def columns_of(self, tap: str) -> NDArray[np.int64]:
        """Return the places of one tap's features among those of the base.

        Raises:
            InputError: The base has no such tap.
        """
        taps = self._run.network.model.taps
        if tap not in taps:
            raise InputError(
                f"`layer`: {self._run.path} has no layer {quoted(tap)}; it has: "
                f"{', '.join(('final', 'features', *taps))}."
            )
        widths = [int(each.output.shape[-1]) for each in poolings_of(self._model)]
        ends = np.cumsum(widths)
        parts = range(taps.index(tap), len(widths), len(taps))
        return np.concatenate([np.arange(ends[n] - widths[n], ends[n]) for n in parts])

    @cached_property
    def _embedder(self) -> keras.Model:
        return embedder_of(self._model)

    @cached_property
    def _final_layer(self) -> keras.Model:
        return final_layer_of(self._model.get_layer("head"))

    def _last_part(self, arrays: NDArray[Any]) -> tuple[keras.Model, NDArray[Any]]:
        """Return what gives logits, the head alone after a frozen base, and its input."""
        network = self._run.network
        if not network.frozen:
            return self._model, arrays
        if self._features is None:
            nowhere = Nowhere({"input": network.input_spec.recipe()})
            self._features = frozen_features(network, self._model, nowhere)
        return self._model.get_layer("head"), self._features.extract(arrays)

    def _cached_features(self, images: Arrays) -> FeatureCache:
        if self._features is None:
            self._features = frozen_features(self._run.network, self._model, images)
        self._features.look_at(images)
        return self._features

    @cached_property
    def _model(self) -> keras.Model:
        return self._run.network.load()

    def _of(self, images: Arrays, keys: list[str]) -> NDArray[np.float64]:
        run = self._run
        if run.baseline is not None:
            return run.baseline_logits(images.reader(keys), len(keys))
        network = run.network
        if not network.frozen:
            return network_outputs.image_logits(self._model, images.reader(keys))
        features = self._cached_features(images)
        before = features.engine
        reader = features.reader(keys)
        trained, engine = run.training.get("engine"), features.engine
        if not before and trained and trained != engine:
            logger.info(
                "%s was trained on features by %s, here they are by %s: logits can differ "
                "in their fourth digit",
                run.path,
                trained,
                engine,
            )
        return network_outputs.image_logits(self._model.get_layer("head"), reader)
