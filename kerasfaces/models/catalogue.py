"""Architectures by name. Listing imports no framework; `load` imports one file of `zoo/`."""

from typing import TYPE_CHECKING, Any

from kerasfaces.core import registry
from kerasfaces.models.presets import PRESETS as PRESETS

if TYPE_CHECKING:
    from kerasfaces.models.architecture import Architecture

ZOO = "kerasfaces.models.zoo"


def names() -> list[str]:
    """Return the sorted names of all architectures: files of `zoo/`, and presets."""
    files = {preset.file for preset in PRESETS.values()}
    return sorted([*PRESETS, *(set(registry.names(ZOO)) - files)])


def summary(name: str) -> str:
    """Return one line about an architecture."""
    if name in PRESETS:
        return PRESETS[name].summary
    return registry.summary(ZOO, name)


def load(name: str) -> "Architecture[Any]":
    """Import an architecture.

    Raises:
        InputError: There is no such name; the message lists those that exist.
    """
    registry.check("model", name, names())
    preset = PRESETS.get(name)
    module = registry.load(ZOO, preset.file if preset else name)
    architecture: Architecture[Any]
    architecture = module.of_preset(preset) if preset else module.ARCHITECTURE
    return architecture
