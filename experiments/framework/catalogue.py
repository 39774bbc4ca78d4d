"""Names of experiments, their modules, and the options that depend on them."""

import ast
import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from kerasfaces.core.errors import InputError
from kerasfaces.core.texts import near_hint
from kerasfaces.models import catalogue as models

HERE = Path(__file__).parent.parent  # of all experiments
KEYWORDS = (
    "forensic",
    "imagenet",
    "published",
    "none",
)  # what --weights may say besides a file


def names() -> list[str]:
    """Return the sorted names of the experiments that run under this command."""
    return sorted(path.parent.name for path in HERE.glob("*/experiment.py"))


def describe(name: str) -> str:
    """Return the first line of an experiment's docstring, importing nothing."""
    return _first_line(HERE / name / "experiment.py")


def own_commands() -> dict[str, str]:
    """Return the experiments with a command of their own: name -> first line."""
    folders = [path.parent for path in sorted(HERE.glob("*/__main__.py"))]
    return {folder.name: _first_line(folder / "__init__.py") for folder in folders}


def _first_line(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    return (docstring or "").partition("\n")[0]


def check_name(name: str) -> None:
    """Refuse an unknown experiment.

    Raises:
        InputError: With the names there are, and the nearest.
    """
    if name in names():
        return
    if name in own_commands():
        raise InputError(
            f"{name} has a command of its own: python -m experiments.{name} --help"
        )
    hint = near_hint(name, [*names(), *own_commands(), "all"])
    raise InputError(
        f"There is no experiment named {name!r}; available: all, "
        f"{', '.join(names())}.{hint}"
    )


def load(name: str, part: str | None = None) -> ModuleType:
    """Import an experiment, or one of its parts: a file beside it with the same symbols.

    Raises:
        InputError: There is none of this name, or no such part.
    """
    check_name(name)
    experiment = importlib.import_module(f"experiments.{name}.experiment")
    if part is None:
        return experiment
    parts = getattr(experiment, "PARTS", ())
    if part not in parts:
        raise InputError(
            f"--part {part}: {name} has {', '.join(parts) or 'no parts'}; without --part it "
            "runs its main tables."
        )
    return importlib.import_module(f"experiments.{name}.{part}")


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the seeds of `0-4` or `0,2,5`.

    Raises:
        InputError: Anything else.
    """
    seeds: list[int] = []
    try:
        for part in text.split(","):
            first, dash, last = part.partition("-")
            seeds += range(int(first), int(last if dash else first) + 1)
    except ValueError:
        seeds = []
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"--seeds {text}: expected e.g. 0-4 or 0,2,5, each once.")
    return tuple(seeds)


def parse_weights(
    texts: Sequence[str], wanted: Sequence[str], default: Callable[[str], str]
) -> dict[str, str]:
    """Return model -> weights of `MODEL=W` texts; a bare W is for every model.

    Args:
        texts: Values of `--weights`, `W` or `MODEL=W`.
        wanted: Models of the experiment; others may be named for other experiments.
        default: Model -> weights where no text names it.

    Raises:
        InputError: One file for several architectures.
    """
    weights = {model: default(model) for model in wanted}
    known = models.names()
    for text in texts:
        model, equals, value = text.partition("=")
        if equals and model in known:
            if model in weights:
                weights[model] = value
        elif len(wanted) > 1 and text not in KEYWORDS:
            raise InputError(
                f"--weights {text}: say which of {', '.join(wanted)} it is for, e.g. "
                f"--weights {wanted[0]}=FILE."
            )
        else:
            weights = dict.fromkeys(wanted, text)
    return weights
