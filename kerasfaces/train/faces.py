"""Face crops to train on decide what the detector is shown of other pictures."""

import dataclasses
from pathlib import Path
from typing import TypeVar

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core.errors import InputError
from kerasfaces.faces.crops import FaceCrop
from kerasfaces.faces.policy import fields_of
from kerasfaces.manifest import Manifest, face_rows
from kerasfaces.train.config import TrainConfig

Config = TypeVar("Config", bound=TrainConfig | BaselineConfig)


def of_data(config: Config, manifest: Manifest, store: Path | None) -> Config:
    """Return a configuration that states how the pictures of a manifest were cut.

    Raises:
        InputError: It states another crop, or a face is to be cut out of channels.
    """
    if store is not None:
        if config.faces == "largest":
            raise InputError(
                f"`faces={config.faces!r}`: a channel store has its own pictures; cut the "
                "faces first (`data.crop_faces('DIR')`) and make the store of those."
            )
        return config
    stated = face_rows.crop_of(manifest)
    if stated and config.faces == "none":
        return dataclasses.replace(config, **fields_of(FaceCrop.of(stated)))
    face_rows.require_same(manifest, config, f"`faces={config.faces!r}`")
    return config
