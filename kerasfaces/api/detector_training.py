"""How a `Detector` learns: from a manifest, and from one more."""

from __future__ import annotations

import dataclasses
import os
from typing import Literal, Self

import pandas as pd

from kerasfaces.api.data import Manifest
from kerasfaces.api.detector_run import RunDetector
from kerasfaces.api.manifest_rows import require_manifest
from kerasfaces.api.paths import PathLike, as_path
from kerasfaces.core.errors import InputError
from kerasfaces.run.folder import DetectorRun


class TrainedDetector(RunDetector):
    """The methods of `Detector` that train."""

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
