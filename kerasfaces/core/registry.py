"""Plug-ins by file name.

A channel, model, baseline, report or explanation is one module directly inside its
package; the module's name is its name on the command line. Listing imports nothing.
Modules whose name starts with an underscore, and sub-packages, are not plug-ins.
"""

import ast
import difflib
import importlib
import pkgutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import quoted


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


def package_of(name: str, packages: Sequence[str]) -> str:
    """Return the first of `packages` that has the plug-in `name`.

    Raises:
        InputError: None has; the message lists the names of all.
    """
    known = {package: names(package) for package in packages}
    for package, held in known.items():
        if name in held:
            return package
    listed = [each for held in known.values() for each in held]
    raise InputError(_missing(packages[0], name, listed))


def load(package: str, name: str) -> ModuleType:
    """Import the plug-in `name` of `package`.

    Raises:
        InputError: There is no such plug-in; the message lists the names that exist.
    """
    known = names(package)
    if name not in known:
        raise InputError(_missing(package, name, known))
    return importlib.import_module(f"{package}.{name}")


def kind_of(package: str) -> str:
    """Return what a package's plug-ins are called: `model` for `kerasfaces.models.zoo`."""
    words = package.removesuffix(".zoo").removesuffix(".kinds").split(".")
    return words[-1].rstrip("s")


def _missing(package: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {quoted(near[0])}?" if near else ""
    return f"There is no {kind_of(package)} named {quoted(name)}; available: {', '.join(known)}.{hint}"
