"""Which engine computed a store's channels and mask: one engine per store.

Two engines agree to a thousandth of a grey level, which can move the last digit of a
stored float16: a store is continued by the engine that its recipe names, or not at all.
"""

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any

from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.networks import engine_names
from kerasfaces.core.errors import InputError

_UNKNOWN = "an engine that is not recorded"


def recorded(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Return each plug-in's engine with version, empty where the recipe names none."""
    return {name: str(part.get("engine", "")) for name, part in _parts(recipe).items()}


def without(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe without its engines."""
    plain = copy.deepcopy(dict(recipe))
    for part in _parts(plain).values():
        part.pop("engine", None)
    return plain


def available(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe with the engines of this machine where it lacks those named."""
    here = copy.deepcopy(dict(recipe))
    default = engine_names.full_name(engine_names.chosen("auto", "engine"))
    for part in _parts(here).values():
        name = str(part.get("engine", ""))
        if default and (not name or name != _version_here(name)):
            part["engine"] = default
    return here


def adopted(config: ChannelsConfig, recipe: Mapping[str, Any]) -> ChannelsConfig:
    """Return `config` with the engines of a recipe where they are left open.

    An engine that this machine does not have in that version is not adopted:
    `refuse_others` then says so.
    """
    options = dict(config.options)
    for name, engine in recorded(recipe).items():
        open_here = getattr(options.get(name), "engine", "") == "auto"
        if open_here and engine and engine == _version_here(engine):
            options[name] = dataclasses.replace(
                options[name], engine=engine.partition(" ")[0]
            )
    return dataclasses.replace(config, options=options)


def named(recipe: Mapping[str, Any], config: ChannelsConfig) -> dict[str, Any]:
    """Return a recipe with the engines that `config` asks for by name."""
    changed = copy.deepcopy(dict(recipe))
    for name, part in _parts(changed).items():
        engine = getattr(config.options.get(name), "engine", "auto")
        if engine != "auto":
            part["engine"] = engine_names.full_name(engine)
    return changed


def refuse_others(
    recipe: Mapping[str, Any], here: Mapping[str, Any], where: str
) -> None:
    """Stop when another engine would compute here than the one of `recipe`.

    Raises:
        InputError: The message names both.
    """
    ours = recorded(here)
    for name, engine in recorded(recipe).items():
        if name in ours and ours[name] != engine:
            known = f"install {engine}, or " if engine else ""
            if engine and engine == _version_here(engine):
                known = f"leave {name}.engine out, or "
            raise InputError(
                f"{where}: {name} was computed by {engine or _UNKNOWN}, and here it would be "
                f"by {ours[name]}; two engines differ in the last digits and are not "
                f"mixed: {known}compute a new store in another folder with "
                f"`options={{'{name}.engine': {ours[name].partition(' ')[0]!r}}}`."
            )


def _version_here(name: str) -> str:
    return engine_names.full_name(name.partition(" ")[0])


def _parts(recipe: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what made each plug-in that an engine runs; a file may hold anything."""
    made_by = recipe.get("made_by")
    config = recipe.get("config")
    if not isinstance(made_by, Mapping) or not isinstance(config, Mapping):
        return {}
    channels = made_by.get("channels")
    parts = dict(channels) if isinstance(channels, Mapping) else {}
    parts[str(config.get("mask"))] = made_by.get("mask")
    return {
        name: part
        for name, part in parts.items()
        if name in engine_names.RUN_BY_ENGINE and isinstance(part, dict)
    }
