"""Which studies there are; imports none of them, nor a framework."""

import ast
from pathlib import Path

import kerasfaces


def files() -> dict[str, Path]:
    """Return name -> file of the studies in `tuning/`."""
    folder = Path(kerasfaces.__file__).parents[1] / "tuning"
    return {
        path.stem: path
        for path in sorted(folder.glob("*.py"))
        if not path.stem.startswith("_")
    }


def shipped() -> dict[str, str]:
    """Return name -> first line of the docstring of the studies in `tuning/`."""
    found = {}
    for name, path in files().items():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[name] = text.partition("\n")[0]
    return found
