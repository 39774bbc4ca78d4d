"""Channels in a process of their own: torch and TensorFlow must not share one."""

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kerasfaces.core import engine, logs
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, KerasfacesError, RunError
from kerasfaces.core.files import Json


def compute(
    files: Sequence[Path],
    folder: Path,
    channels: Sequence[str],
    mask: str = "none",
    assignments: Sequence[str] = (),
    known: Sequence[str] | None = None,
) -> str:
    """Bring channels of images into a store, in a fresh process, and return counts as text.

    For the settings see `config.from_names`, for `known` see `run.build`.

    Raises:
        KerasfacesError: The settings cannot be used, or not one image has an array.
        RunError: The process died.
    """
    work = functools.partial(
        _by_name, files, folder, channels, mask, assignments, known
    )
    return call(work, folder)


def compute_as(files: Sequence[Path], recipe: Json, folder: Path) -> None:
    """Bring channels of images into a store as a recipe has them, in a fresh process.

    Reasons why images have no array stand in the store, which others may write, too.

    Raises:
        InputError: The stage refused (its own sentence).
        RunError: The process died.
    """
    unique = list(dict.fromkeys(files))
    try:
        call(functools.partial(_by_recipe, unique, recipe, folder), folder)
    except RunError:
        raise
    except KerasfacesError as error:
        raise InputError(f"The channel stage: {error}") from error


def write_graph(recipe: Json, names: Sequence[str], path: Path) -> None:
    """Write the channel stage as an ONNX graph, in a fresh process; see `graph.write`.

    Raises:
        KerasfacesError: The stage refused (its own sentence).
    """
    call(functools.partial(_graph, recipe, names, path), path)


def call(work: Callable[[], str], folder: Path) -> str:
    """Return what a picklable function returns in a process of its own, which logs as here.

    Raises:
        RunError: The process died; the message names `folder`, which it was writing.
    """
    task = functools.partial(_apart, shown=bool(logs.logger.handlers))
    with engine.pool(
        task, Engine(workers=1), retries=0, label="channels", apart=True
    ) as pool:
        pool.submit("channels", work)
        outcome = pool.next()
    if outcome.value is None:
        raise RunError(f"{folder}: {outcome.error}. The same call continues.")
    return outcome.value


def _apart(work: Callable[[], str], *, shown: bool) -> str:
    if "tensorflow" in sys.modules:
        raise RunError(
            "Channels need torch in a process of its own, and none could be started; "
            "end others, and run this again."
        )
    if shown:
        logs.log_to_stderr()
    return work()


def _by_name(
    files: Sequence[Path],
    folder: Path,
    channels: Sequence[str],
    mask: str,
    assignments: Sequence[str],
    known: Sequence[str] | None,
) -> str:
    from kerasfaces.channels import config, run

    settings = config.from_names(channels, mask, assignments)
    summary = run.build(files, folder, settings, known=known)
    if files and not summary.n_ok:
        raise RunError(f"No image has an array. {summary.text()}")
    return summary.text()


def _by_recipe(files: Sequence[Path], recipe: Json, folder: Path) -> str:
    from kerasfaces.channels import run

    return run.build_as(recipe, "the run's recipe", files, folder, wait=True).text()


def _graph(recipe: Json, names: Sequence[str], path: Path) -> str:
    from kerasfaces.channels import graph

    graph.write(recipe, names, path)
    return path.name
