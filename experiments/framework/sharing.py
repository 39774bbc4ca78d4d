"""Trainings that several experiments ask for: made once, in a folder they share.

A run's place under the shared folder is named by its model and by everything that decides
what it comes to (configuration, base weights, rows with their split, channels). Where an
experiment looks for its run there is a link to it.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasfaces.train.run import Training


def real(folder: Path) -> Path:
    """Return where a run folder really is: paths inside are relative to that."""
    return folder.resolve() if folder.is_symlink() else folder


def share(folder: Path, shared: Path, request: "Training", seed: int) -> Path:
    """Return the shared place of a run; `folder` becomes a link to it.

    Args:
        folder: Where the experiment looks for it; must not exist.
        shared: Holds the runs of all experiments.
        request: What is to be trained.
        seed: Of the split, for the name.
    """
    from kerasfaces.core import config as configs
    from kerasfaces.train import channels
    from kerasfaces.train import run as training

    config, found = training.resolve(request)
    recipe = channels.check(config, request.store)
    identity = training.identity(config, found, request.manifest, recipe)
    name = f"{config.model.name}-split-{seed}-{configs.digest(identity)}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.unlink(missing_ok=True)  # a link whose run somebody removed
    target = shared / name
    folder.symlink_to(os.path.relpath(target.absolute(), folder.parent.resolve()))
    return target
