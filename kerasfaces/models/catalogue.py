"""Architectures by name. Listing imports no framework; `load` imports one file of `zoo/`."""

from typing import TYPE_CHECKING, Any

from kerasfaces.core import registry
from kerasfaces.models.presets import PRESETS, ZOO, names, plugin

if TYPE_CHECKING:
    from kerasfaces.models.architecture import Architecture

__all__ = ["PRESETS", "load", "names", "summary"]


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
    architecture: Architecture[Any] = plugin(name)
    return architecture
