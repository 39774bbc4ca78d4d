"""What a `Detector` is: settings and, once trained, the folder of its run."""

from __future__ import annotations

import dataclasses
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import pandas as pd

from kerasfaces.api.data import Manifest
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.train.settings import DetectorSettings

if TYPE_CHECKING:
    import keras


class RunDetector:
    """Settings of a detector, its training, and the run folder that training wrote."""

    def __init__(
        self,
        name: str | None = None,
        /,
        *,
        weights: PathLike | None = None,
        preset: str | None = None,
        store: PathLike | None = None,
        **config: Any,
    ) -> None:
        """Choose a model and its settings; nothing is loaded or trained yet.

        Args:
            name: A name of `kerasfaces.list_models()`; by default `lnp_attention` where a
                store is given, else `mobilenetv2`.
            weights: `forensic` (our own small base), `imagenet` or `published` (what the
                base's authors publish), `none` (train the whole network), a file, or for
                transformers a folder or an address (`hf://OWNER/NAME`, `kaggle://...`); by
                default `forensic` on the built-in sample, `none` where everything is
                trained, else the published ones.
            preset: A published configuration, e.g. `kabber2023`.
            store: A channel store to train on instead of pixels.
            **config: Fields of the training configuration: `epochs=20`, `seed=1`,
                `views=4`; fields of a part as `model={"size_px": 160}` or
                `model__size_px=160`.

        Raises:
            InputError: An unknown model, preset or field (the message says which is
                near), or a value that the field cannot hold.
        """
        if isinstance(config.get("model"), str):  # Detector(model="resnet50")
            if name is not None:
                raise InputError(
                    f"model: {quoted(config['model'])}, and the name is {quoted(name)}; give "
                    "one of them."
                )
            name = config.pop("model")
        self.settings = DetectorSettings(
            model=name,
            weights=None if weights is None else os.fspath(weights),
            preset=preset,
            store=as_path(store),
            changes=config,
        )
        self.settings.configuration()
        self._folder: Path | None = None

    @classmethod
    def load(cls, run: PathLike) -> Self:
        """Open a finished run folder, made here or by `kerasfaces train`.

        Args:
            run: The folder, or the address of a published one: `hf://OWNER/NAME`, or
                `hf://OWNER/NAME@REVISION`, a branch, tag or commit. Its files are compared
                with the hashes that were published, and no code of it is executed.

        Raises:
            MissingFileError: There is no such folder, or no finished run in it.
            RunError: It is damaged.
            InputError: It holds something else, such as an ensemble or a study.
        """
        from kerasfaces.serve.publish import fetch

        folder = fetch.local(run)
        config = DetectorRun.open(folder).config  # says what else it is
        detector = cls.__new__(cls)
        detector.settings = DetectorSettings(model=config["train"]["model"]["name"])
        return detector._opened(folder)

    @property
    def name(self) -> str:
        """Return the model's name."""
        return self.settings.name

    @property
    def folder(self) -> Path:
        """Return the run folder.

        Raises:
            InputError: The detector is not trained.
        """
        if self._folder is None:
            raise InputError(
                f"This detector ({self.name}) is not trained; call fit(data) first, or "
                "open a run with kerasfaces.load_run(folder)."
            )
        return self._folder

    @property
    def point(self) -> OperatingPoint:
        """Return calibration, threshold and unsure band, frozen on validation."""
        return DetectorRun.open(self.folder).operating_point

    @property
    def model(self) -> keras.Model:
        """Return the trained network: pixels 0..255 `(n, s, s, 3)` in, logits `(n, 1)` out.

        Raises:
            InputError: A baseline such as hog_svm has no network.
        """
        return self._network

    def __repr__(self) -> str:
        """Return the name and what the detector was trained on."""
        if self._folder is None:
            return f"Detector({quoted(self.name)}), not trained"
        trained_on = DetectorRun(self._folder).trained_on()
        return f"Detector({quoted(self.name)}): {trained_on}"

    @cached_property
    def _network(self) -> keras.Model:
        return DetectorRun(self.folder).network.load()

    def _opened(self, folder: Path) -> Self:
        """Point to a run; what was read of an earlier one is forgotten."""
        self._folder = folder
        for name in ("_network", "_engines"):
            self.__dict__.pop(name, None)
        return self

    def fit(
        self,
        data: Manifest,
        *,
        output: PathLike | None = None,
        tensorboard: bool = False,
        devices: str = "",
        protocol: Literal["standard", "unseen"] = "standard",
    ) -> Self:
        """Train on the train split, choose everything on val, measure on test.

        The run folder is written as `kerasfaces train` writes it. A finished run is found
        again, not repeated; an interrupted one continues.

        Args:
            data: Images; without splits they are split 5:1:1 inside the run folder.
            output: The run folder; by default `runs/<model>-<hash of settings and data>`.
            tensorboard: Write TensorBoard logs into the run.
            devices: What trains a network end to end: `all`, or names separated by commas
                (`gpu:0,gpu:1`), which share each batch; by default what
                `KERASFACES_DEVICES` says, else the first.
            protocol: `unseen` prepares for generators that are in no training image:
                laundered views, layers and penalty of the head, threshold and unsure band
                chosen by heads that each had not seen one family of fakes. `unseen` and
                the report say what the detector would have done on each.

        Returns:
            This detector.

        Raises:
            InputError: The data cannot be trained on.
            MissingFileError: Weights are not there and cannot be downloaded.
            RunError: The folder holds a run of other settings or data.
        """
        from kerasfaces.train.run import train
        from kerasfaces.train.training import Training

        require_manifest(data)
        settings = self.settings
        if protocol != "standard":
            settings = dataclasses.replace(settings, protocol=protocol)
        training = Training.of(
            settings,
            data.manifest,
            on_sample=data.is_sample,
            folder=as_path(output),
            tensorboard=tensorboard,
            notes=data.notes,
            devices=devices,
        )
        return self._opened(train(training))

    def add(
        self,
        data: Manifest,
        *,
        output: PathLike | None = None,
        weights: PathLike | None = None,
        store: PathLike | None = None,
    ) -> Self:
        """Train again with this detector's images and new ones, e.g. of one more generator.

        Settings and the splits of the old images stay; features of the old images come
        from the cache. The report says what each old family of fakes lost or gained, on
        the same test images.

        Args:
            data: The new images; without splits they are split as the old ones are.
            output: The new run folder; by default `runs/<model>-<hash>`.
            weights: Base weights, where this detector's came from a file.
            store: A channel store with all images, where this detector was trained on one.

        Returns:
            Another detector; this one stays as it is.

        Raises:
            InputError: The images contradict the old ones, or the weights are others.
        """
        from kerasfaces.train import add, run

        require_manifest(data)
        training = add.training_of(
            self.folder,
            data.manifest,
            name=data.name,
            weights=None if weights is None else os.fspath(weights),
            store=as_path(store),
            folder=as_path(output),
            notes=data.notes,
        )
        return type(self).load(run.train(training))

    @property
    def unseen(self) -> pd.DataFrame:
        """Return what the detector would do on each family of fakes, had it not seen it.

        One row per family and split (`val`, `test`): `n_fake`, `n_real`, and `auc`, `low`,
        `high`, `recall`, `tpr_at_fpr_1pct`, `unsure_fake` by the head without the family.

        Raises:
            InputError: The detector was not trained with `fit(data, protocol="unseen")`.
        """
        from kerasfaces.evaluate.unseen import as_table, read

        content = read(DetectorRun.open(self.folder))
        if not content:
            raise InputError(
                f"{self.folder}: no family was left out; train with "
                "`fit(data, protocol='unseen')`."
            )
        return as_table(content)
