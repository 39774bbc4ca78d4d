"""Plug-ins by file name.

A channel, model, baseline, report or explanation is one module directly inside its
package; the module's name is its name on the command line. Listing imports nothing.
Modules whose name starts with an underscore, and sub-packages, are not plug-ins.
"""

import ast
import importlib
import pkgutil
from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import near_hint, quoted


def names(package: str) -> list[str]:
    """Return the sorted plug-in names of `package` (a dotted name) without importing them.

    Only the package's own `__init__` runs, which imports nothing heavy.
    """
    spec = find_spec(package)
    locations = list(spec.submodule_search_locations or []) if spec else []
    return sorted(
        module.name
        for module in pkgutil.iter_modules(locations)
        if not module.ispkg and not module.name.startswith("_")
    )


def summary(package: str, name: str) -> str:
    """Return the first line of a plug-in's docstring, read without importing it."""
    spec = find_spec(package)
    for location in list(spec.submodule_search_locations or []) if spec else []:
        path = Path(location) / f"{name}.py"
        if path.is_file():
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            return (text or "").partition("\n")[0]
    return ""


def check(kind: str, name: str, known: Collection[str]) -> None:
    """Refuse a name that does not exist.

    Args:
        kind: What it names, in the singular.
        name: The unknown name.
        known: Names that exist.

    Raises:
        InputError: The message lists them and says which is near.
    """
    if name in known:
        return
    raise InputError(
        f"There is no {kind} named {quoted(name)}; available: {', '.join(known)}."
        f"{near_hint(name, known)}"
    )


def load(package: str, name: str) -> ModuleType:
    """Import the plug-in `name` of `package`.

    Raises:
        InputError: There is no such plug-in; the message lists the names that exist.
    """
    check(kind_of(package), name, names(package))
    return importlib.import_module(f"{package}.{name}")


def kind_of(package: str) -> str:
    """Return what a package's plug-ins are called: `model` for `kerasfaces.models.zoo`."""
    words = package.removesuffix(".zoo").removesuffix(".kinds").split(".")
    return words[-1].rstrip("s")
