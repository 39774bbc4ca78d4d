"""Which engine computed a store's channels and mask: one engine per store.

Two engines agree to a thousandth of a grey level, which can move the last digit of a
stored float16: a store is continued by the engine that its recipe names, or not at all.
Torch stays out of this module.
"""

import copy
import dataclasses
import functools
import importlib.util
import logging
from importlib import metadata

from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.core.files import Json

logger = logging.getLogger(__name__)
RUN_BY_ENGINE = frozenset({"lnp", "sam"})  # plug-ins with an option `engine`
_UNKNOWN = "an engine that is not recorded"


def chosen(engine: str, option: str) -> str:
    """Return the engine of a choice: `auto` is OpenVINO where it is installed.

    Args:
        engine: `auto`, `torch` or `openvino`.
        option: The user's name of the choice, for messages.

    Raises:
        MissingExtraError: `openvino` was asked for and is not installed.
    """
    installed = importlib.util.find_spec("openvino") is not None
    if engine == "openvino" and not installed:
        raise MissingExtraError(
            "openvino is not installed; run: pip install 'kerasfaces[fast]', or "
            f"set {option}=torch."
        )
    return "openvino" if installed and engine != "torch" else "torch"


def full_name(engine: str) -> str:
    """Return an engine with its version here, such as `openvino 2026.4.1`.

    What it was built for (`+cpu`) is left out; the text is empty where it is not
    installed.
    """
    try:
        return f"{engine} {metadata.version(engine).partition('+')[0]}"
    except metadata.PackageNotFoundError:
        return ""


def recorded(recipe: Json) -> dict[str, str]:
    """Return each plug-in's engine with version, empty where the recipe names none."""
    return {name: str(part.get("engine", "")) for name, part in _parts(recipe).items()}


def without(recipe: Json) -> Json:
    """Return a recipe without its engines."""
    plain = copy.deepcopy(dict(recipe))
    for part in _parts(plain).values():
        part.pop("engine", None)
    return plain


def available(recipe: Json) -> Json:
    """Return a run's recipe with engines that this machine has; log where they differ."""
    here = copy.deepcopy(dict(recipe))
    default = full_name(chosen("auto", "engine"))
    for part in _parts(here).values():
        if default and not _is_here(str(part.get("engine", ""))):
            part["engine"] = default
    log_difference(recipe, here)
    return here


def log_difference(trained: Json, here: Json) -> None:
    """Log once where channels are by other engines than those a run was trained on."""
    ours = recorded(here)
    for name, engine in recorded(trained).items():
        if ours.get(name, engine) != engine:
            _log_once(name, engine or _UNKNOWN, ours[name] or _UNKNOWN)


@functools.cache
def _log_once(channel: str, trained: str, here: str) -> None:
    logger.info(
        "the run was trained on %s by %s, here it is by %s: logits can differ in their "
        "last digits",
        channel,
        trained,
        here,
    )


def adopted(config: ChannelsConfig, recipe: Json) -> ChannelsConfig:
    """Return `config` with the engines of a recipe where they are left open.

    An engine that this machine does not have in that version is not adopted:
    `refuse_others` then says so.
    """
    options = dict(config.options)
    for name, engine in recorded(recipe).items():
        is_open = getattr(options.get(name), "engine", "") == "auto"
        if is_open and _is_here(engine):
            options[name] = dataclasses.replace(
                options[name], engine=engine.partition(" ")[0]
            )
    return dataclasses.replace(config, options=options)


def named(recipe: Json, config: ChannelsConfig) -> Json:
    """Return a recipe with the engines that `config` asks for by name."""
    changed = copy.deepcopy(dict(recipe))
    for name, part in _parts(changed).items():
        engine = getattr(config.options.get(name), "engine", "auto")
        if engine != "auto":
            part["engine"] = full_name(engine)
    return changed


def refuse_others(recipe: Json, here: Json, where: str) -> None:
    """Stop when another engine would compute here than the one of `recipe`.

    Raises:
        InputError: The message names both.
    """
    ours = recorded(here)
    for name, engine in recorded(recipe).items():
        if ours.get(name, engine) == engine:
            continue
        advice = f"install {engine}, or " if engine else ""
        if _is_here(engine):
            advice = f"leave {name}.engine out, or "
        raise InputError(
            f"{where}: {name} was computed by {engine or _UNKNOWN}, and here it would be "
            f"by {ours[name]}; two engines differ in the last digits and are not "
            f"mixed: {advice}compute a new store in another folder with "
            f"`options={{'{name}.engine': {ours[name].partition(' ')[0]!r}}}`."
        )


def _is_here(engine: str) -> bool:
    """Tell whether this machine has an engine in the version that its full name says."""
    return bool(engine) and engine == full_name(engine.partition(" ")[0])


def _parts(recipe: Json) -> dict[str, Json]:
    """Return what made each plug-in that an engine runs; a file may hold anything."""
    made_by, mask = inside(recipe, "made_by"), inside(recipe, "config").get("mask")
    parts = inside(made_by, "channels") | {str(mask): made_by.get("mask")}
    return {
        name: part
        for name, part in parts.items()
        if name in RUN_BY_ENGINE and isinstance(part, dict)
    }


def inside(values: Json, key: str) -> Json:
    """Return a part of a recipe, empty if it is none: a file may hold anything."""
    part = values.get(key)
    return part if isinstance(part, dict) else {}
