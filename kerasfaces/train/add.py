"""A finished run and new images -> a new run on all of them, with the same settings."""

from pathlib import Path
from typing import Any

from kerasfaces import manifest as manifests
from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import read_json
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import addition, contradictions
from kerasfaces.run.folder import DetectorRun, UnseenRun
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.training import Training, resolve


def training_of(
    finished: Path,
    new: manifests.Manifest,
    *,
    name: str,
    weights: str | None = None,
    notes: tuple[str, ...] = (),
    **others: Any,
) -> Training:
    """Return the training of a run's images and new ones.

    No old image changes its split; features of the old images are in the cache.

    Args:
        finished: The folder of the run to add to.
        new: The new images, e.g. of one more generator.
        name: What messages call them.
        weights: Base weights, where the run's came from a file.
        notes: See `Training`.
        **others: Further fields of `Training`, such as a store with all images.

    Raises:
        MissingFileError: There is no such run.
        InputError: The images contradict the run's, or the weights are not the run's.
    """
    parent = DetectorRun.open(finished)
    config = _config(parent)
    named = _weights(parent, weights)
    joined = addition.add(parent.manifest, new, str(finished), name)
    contradiction = contradictions.sentence(new.rows)
    training = Training(
        config=config,
        manifest=joined.manifest,
        weights=named,
        notes=(*notes, *joined.notes, *filter(None, [contradiction])),
        parent=parent,
        **others,
    )
    used, own = parent.base_weights, resolve(training)[1]
    if used is not None and own is not None and own.sha256 != used["sha256"]:
        raise InputError(
            f"`weights`: SHA-256 {own.sha256[:12]}, and {parent.path} was trained on "
            f"{used['sha256'][:12]} ({used['file']}); give that file."
        )
    return training


def _config(parent: DetectorRun) -> TrainConfig | BaselineConfig:
    """Return what was asked for: under the protocol `unseen` the choice is made anew."""
    if parent.baseline is not None:
        return parent.baseline
    asked = parent.path / UnseenRun.IDENTITY
    source = read_json(asked) if asked.exists() else parent.config
    where = asked if asked.exists() else parent.path / parent.IDENTITY
    return configs.from_dict(TrainConfig, source["train"], f"{where}.train")


def _weights(parent: DetectorRun, given: str | None) -> str:
    used = parent.base_weights
    if used is None:
        return given or "none"
    if used["kind"] != "file":
        return given or used["kind"]
    if given is None:
        raise InputError(
            f"{parent.path} was trained on base weights from the file {quoted(used['file'])} "
            f"(SHA-256 {used['sha256'][:12]}); name it: `weights='{used['file']}'`."
        )
    return given


def refuse_settings(**given: Any) -> None:
    """Refuse settings beside a run to add to: they are that run's.

    Raises:
        InputError: One of them has a value.
    """
    for name, value in given.items():
        if value:
            raise InputError(
                f"`{name}` does not go with `add`: the settings are those of the run; leave "
                "it out."
            )
