"""A model's name and a few settings -> the whole configuration and its base weights."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.models import catalogue
from kerasfaces.train import channels
from kerasfaces.train import config as train_configs
from kerasfaces.train.config import TrainConfig

BASELINES = "kerasfaces.baselines.zoo"
_OF_NETWORKS = ("views", "unfreeze", "mixed_precision")


def names() -> list[str]:
    """Return the name of every model and every baseline."""
    return [*catalogue.names(), *registry.names(BASELINES)]


def default_model(store: Path | None = None) -> str:
    """Return the model that is trained where none is named."""
    return "lnp_attention" if store else "mobilenetv2"


def is_baseline(model: str) -> bool:
    """Tell whether `model` is a baseline, which has no network.

    Raises:
        InputError: There is no such model.
    """
    registry.check("model", model, names())
    return model in registry.names(BASELINES)


def summary(model: str) -> str:
    """Return one line about a model or a baseline."""
    if is_baseline(model):
        return registry.summary(BASELINES, model)
    return catalogue.summary(model)


def default_weights(model: str, on_sample: bool) -> str:
    """Return the base weights of `model` where none are named.

    Args:
        model: A model or baseline.
        on_sample: The images are the built-in sample, which our own base knows best.
    """
    if is_baseline(model) or catalogue.load(model).end_to_end:
        return "none"
    return "forensic" if on_sample else "imagenet"


def configuration(
    model: str,
    weights: str,
    *,
    preset: str | None = None,
    store: Path | None = None,
    changes: Mapping[str, Any] | None = None,
    assignments: Iterable[str] = (),
) -> TrainConfig | BaselineConfig:
    """Return the configuration of a training run.

    Args:
        model: A model or baseline.
        weights: `forensic` brings the sizes that our own base needs.
        preset: A published configuration of `kerasfaces/train/presets`.
        store: A channel store to train on.
        changes: Fields to change, by name; a mapping changes single fields of a part.
        assignments: The same as texts such as `model.size_px=224`; applied last.

    Raises:
        InputError: An unknown name or field (the message says which is near), a value
            of another type or out of range, or a setting of networks for a baseline.
    """
    changes = dict(changes or {})
    made: TrainConfig | BaselineConfig
    if is_baseline(model):
        _refuse_network_settings(model, preset, changes)
        made = registry.load(BASELINES, model).CONFIG()
    elif preset:
        channels.require_store(preset, store)
        made = train_configs.preset(preset, model)
    elif store:
        made = channels.default(model, weights, store)
    else:
        made = train_configs.default(model, weights)
    return configs.override(configs.updated(made, changes), assignments)


def _refuse_network_settings(
    model: str, preset: str | None, changes: Mapping[str, Any]
) -> None:
    given = [name for name in _OF_NETWORKS if changes.get(name)]
    for name in [*(["preset"] if preset else []), *given]:
        raise InputError(
            f"{name} is for networks; {model} is a baseline: leave it out."
        )
