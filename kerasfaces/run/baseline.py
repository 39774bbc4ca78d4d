"""A finished run of a baseline -> logits of other images."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import arrays, registry
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.dataset.cache import cache_images
from kerasfaces.dataset.sizes import with_limits

if TYPE_CHECKING:
    from kerasfaces.run.folder import DetectorRun

PACKAGE = "kerasfaces.baselines.zoo"


def is_baseline(name: str) -> bool:
    """Tell whether a name on the command line is a baseline's."""
    return name in registry.names(PACKAGE)


def config_of(run: "DetectorRun") -> BaselineConfig | None:
    """Return a baseline run's configuration; None for a run of a model.

    Raises:
        MissingFileError: There is no config.json.
        InputError: It is damaged.
    """
    train = run.config.get("train", {})
    model = train.get("model", {}) if isinstance(train, dict) else {}
    name = model.get("name") if isinstance(model, dict) else None
    if not isinstance(name, str) or not is_baseline(name):
        return None
    kind: type[BaselineConfig] = registry.load(PACKAGE, name).CONFIG
    return configs.from_dict(kind, train, f"{run.path}/config.json")


def arrays_of(run: "DetectorRun") -> arrays.Arrays:
    """Return what a baseline has learnt.

    Raises:
        RunError: The run is unfinished or damaged.
    """
    path = run.arrays_file
    if not path.exists():
        raise RunError(
            f"{run.path}: training is not finished (no {path.name}); run it again."
        )
    return arrays.read(path, "train again")


def predict(
    run: "DetectorRun", config: BaselineConfig, files: list[Path], store: Path | None
) -> tuple[NDArray[np.float64], list[str]]:
    """Return the logit of each file (NaN where unreadable) and why there is none.

    Args:
        run: The run folder.
        config: What it was made with.
        files: Absolute paths.
        store: Must be None: baselines see pixels.

    Raises:
        InputError: A channel store is given.
        RunError: The run is unfinished or damaged.
    """
    if store is not None:
        raise InputError(
            f"`store={str(store)!r}`: {run.path} was trained on pixels; leave it out."
        )
    fitted = arrays_of(run)
    cached = cache_images(files, config.input_spec)
    reasons = with_limits(files, cached.reasons, run.limits)
    readable = np.array([not why for why in reasons], bool)
    keys = [key for key, good in zip(cached.keys, readable, strict=True) if good]
    logits = np.full(len(files), np.nan)
    if keys:
        logits[readable] = logits_of(
            config, fitted, cached.store.reader(keys), len(keys)
        )
    return logits, reasons


def logits_of(
    config: BaselineConfig, fitted: arrays.Arrays, read: arrays.Read, count: int
) -> NDArray[np.float64]:
    """Return the logits of the first `count` images of a reader, `(count,)`."""
    plugin = registry.load(PACKAGE, config.model.name)
    logits: NDArray[np.float64] = plugin.logits(config, fitted, read, count)
    return logits
