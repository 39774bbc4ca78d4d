"""Which studies there are; imports none of them, nor a framework."""

import ast
from importlib import metadata
from pathlib import Path

import kerasfaces

_INSTALLED = "share/kerasfaces/tuning"  # as in setup.cfg


def files() -> dict[str, Path]:
    """Return name -> file of the studies that we ship."""
    return {
        path.stem: path for path in sorted(_paths()) if not path.stem.startswith("_")
    }


def shipped() -> dict[str, str]:
    """Return name -> first line of the docstring of the studies that we ship."""
    found = {}
    for name, path in files().items():
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        found[name] = text.partition("\n")[0]
    return found


def _paths() -> list[Path]:
    """Return `tuning/*.py` of the sources, or where an installation put them."""
    root = Path(kerasfaces.__file__).parents[1]
    if (root / "setup.cfg").exists():
        return list((root / "tuning").glob("*.py"))
    # The installation this very package came with, not another one on the path.
    found = metadata.distributions(name="kerasfaces", path=[str(root)])
    return [
        Path(str(each.locate())).resolve()
        for distribution in found
        for each in distribution.files or []
        if each.parent.as_posix().endswith(_INSTALLED) and each.suffix == ".py"
    ]
