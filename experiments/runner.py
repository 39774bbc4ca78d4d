"""Find experiments and run them: splits, trainings and the clock live under one folder.

A manifest enters; ordinary run folders and `results.json` leave. Everything resumes:
finished runs are skipped, and the hours of earlier calls count.
"""

import ast
import dataclasses
import difflib
import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from experiments.runner_clock import clock, spent_s
from kerasfaces import registry, runs
from kerasfaces.errors import InputError, MissingFileError, RunError

if TYPE_CHECKING:
    from experiments.runner_rows import Row
    from kerasfaces.baselines.parts.config import BaselineConfig
    from kerasfaces.manifest import Manifest
    from kerasfaces.train.config import TrainConfig

logger = logging.getLogger("kerasfaces.experiments")
HERE = Path(__file__).parent
KEYWORDS = ("forensic", "imagenet", "none")  # what --weights may say besides a file


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an experiment found.

    Attributes:
        rows: Rows of results.json.
        weights: Model -> what its base was loaded from, as config.json says it.
        notes: Sentences to print under the tables.
    """

    rows: Sequence["Row"]
    weights: Mapping[str, Any]
    notes: Sequence[str] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What an experiment works with.

    Attributes:
        manifest: Rows; their own splits are not used.
        folder: Where splits and runs go.
        weights: Model -> text of `--weights`.
        seeds: Split seeds.
        notes: Sentences for the top of every run's report.
        quick: Whether it is only to show that everything works.
        budget_h: Hours after which nothing new is started, all calls together; None is
            no limit.
        also: Other images, to test finished detectors on; None without.
        stores: Where channel stores go; None is `folder/stores`.
    """

    manifest: "Manifest"
    folder: Path
    weights: Mapping[str, str]
    seeds: Sequence[int]
    notes: tuple[str, ...] = ()
    quick: bool = False
    budget_h: float | None = None
    also: "Manifest | None" = None
    stores: Path | None = None

    def missing_weights(self, model: str) -> str | None:
        """Return why a model cannot be run, or None when its base weights are there.

        Raises:
            MissingFileError: A file was named and is not there.
        """
        plugin = registry.load("kerasfaces.models", model)
        text = self.weights[model]
        try:
            plugin.find_weights(text, None)
        except MissingFileError as error:
            if text not in KEYWORDS:
                raise
            logger.warning("%s is not run: %s", model, error)
            return f"{model} was not run: its {text} weights cannot be had here."
        return None

    def split(self, ratio: tuple[int, int, int], seed: int) -> "Manifest":
        """Return the manifest split anew; made once, kept in `folder/splits`."""
        from kerasfaces import manifest as manifests
        from kerasfaces.manifest import split

        name = "-".join(map(str, ratio))
        path = self.folder / "splits" / f"{name}-seed-{seed}.csv"
        if not path.exists():
            made = split.assign(self.unsplit(), ratio=ratio, seed=seed)
            logger.info("split %s, seed %d: rows moved by %s", name, seed, made.moved)
            manifests.write(made.manifest, path)
        return manifests.read(path)

    def unsplit(self) -> "Manifest":
        """Return the manifest without splits, with hashes, from `splits/unsplit.csv`."""
        from kerasfaces import manifest as manifests
        from kerasfaces.manifest import scan

        path = self.folder / "splits" / "unsplit.csv"
        if not path.exists():
            rows = self.manifest.rows.assign(split="")
            bare = dataclasses.replace(self.manifest, rows=rows)
            manifests.write(scan.complete(bare)[0], path)
        return manifests.read(path)

    def can_start(self) -> bool:
        """Tell whether the budget allows to start something new."""
        return self.budget_h is None or spent_s(self.folder) < 3600 * self.budget_h

    def run_folder(self, label: str, seed: int) -> Path:
        """Return where `train` works, `folder/<label>/split-<seed>`."""
        return self.folder / label / f"split-{seed}"

    def train(
        self,
        label: str,
        config: "TrainConfig | BaselineConfig",
        ratio: tuple[int, int, int],
        seed: int,
        *,
        store: Path | None = None,
        manifest: "Manifest | None" = None,
        weights: str | None = None,
        audit: dict[str, Any] | None = None,
        notes: Sequence[str] = (),
    ) -> Path:
        """Train on one split, or find it trained; return its run folder.

        Args:
            label: Names the folder.
            config: What to train.
            ratio: Of the split.
            seed: Of the split.
            store: A channel store to train on; None is pixels.
            manifest: Rows with splits; None is the context's, split.
            weights: Text of `--weights`; None is the context's for the model.
            audit: Of the files, if that was done before.
            notes: Sentences for the top of this run's report, besides the context's.
        """
        from kerasfaces.train import run as training

        folder = self.run_folder(label, seed)
        if training.is_finished(folder):
            logger.info("%s, split seed %d", label, seed)
        else:
            logger.info("%s, split seed %d: training", label, seed)
        request = training.Request(
            config=config,
            manifest=self.split(ratio, seed) if manifest is None else manifest,
            weights=weights or self.weights[config.model.name],
            folder=folder,
            store=store,
            notes=(*self.notes, *notes),
            audit=audit,
        )
        with clock(self.folder):
            return training.train(request)


def names() -> list[str]:
    """Return the sorted names of the experiments that run under this command."""
    return sorted(path.parent.name for path in HERE.glob("*/experiment.py"))


def describe(name: str) -> str:
    """Return the first line of an experiment's docstring, importing nothing."""
    text = (HERE / name / "experiment.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def own_commands() -> dict[str, str]:
    """Return the experiments with a command of their own: name -> first line."""
    found = {}
    for path in sorted(HERE.glob("*/__main__.py")):
        text = (path.parent / "__init__.py").read_text(encoding="utf-8")
        docstring = ast.get_docstring(ast.parse(text)) or ""
        found[path.parent.name] = docstring.partition("\n")[0]
    return found


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
    near = difflib.get_close_matches(name, [*names(), *own_commands(), "all"], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
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
    known = getattr(experiment, "PARTS", ())
    if part not in known:
        raise InputError(
            f"--part {part}: {name} has {', '.join(known) or 'no parts'}; without --part it "
            "runs its main tables."
        )
    return importlib.import_module(f"experiments.{name}.{part}")


def claim(folder: Path, identity: Mapping[str, Any]) -> None:
    """Write folder/experiment.json, or check that the folder is this experiment's.

    Raises:
        RunError: It holds another experiment, or the same on other images.
    """
    from kerasfaces import config

    path = folder / "experiment.json"
    if not path.exists():
        runs.write_json(path, dict(identity))
        return
    changed = config.diff(runs.read_json(path), identity)
    if changed:
        raise RunError(
            f"{folder} holds another experiment ({'; '.join(changed)}); choose another "
            "folder with -o."
        )


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
    given: Sequence[str], models: Sequence[str], default: Callable[[str], str]
) -> dict[str, str]:
    """Return model -> weights of `MODEL=W` texts; a bare W is for every model.

    Raises:
        InputError: An unknown model, or one file for several architectures.
    """
    found = {model: default(model) for model in models}
    known = registry.names("kerasfaces.models")
    for text in given:
        model, equals, value = text.partition("=")
        if equals and model in known:
            if model in found:
                found[model] = value
        elif len(models) > 1 and text not in KEYWORDS:
            raise InputError(
                f"--weights {text}: say which of {', '.join(models)} it is for, e.g. "
                f"--weights {models[0]}=FILE."
            )
        else:
            found = dict.fromkeys(models, text)
    return found
