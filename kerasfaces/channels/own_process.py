"""Channels in a process of their own: torch and TensorFlow must not share one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kerasfaces.core import engine
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import RunError


@dataclass(frozen=True, kw_only=True)
class Computation:
    """What a store is made of.

    Attributes:
        files: Images.
        known: SHA-256 of each file, where the manifest has them.
        folder: The store.
        channels: Names of channels.
        mask: Name of a mask.
        assignments: Further settings as texts `KEY=VALUE`.
    """

    files: Sequence[Path]
    known: Sequence[str] | None
    folder: Path
    channels: Sequence[str]
    mask: str = "none"
    assignments: Sequence[str] = ()


def compute(computation: Computation) -> str:
    """Bring channels of images into a store, in a fresh process.

    Returns:
        Counts of images with and without an array, in a few lines.

    Raises:
        KerasfacesError: The settings cannot be used, or not one image has an array.
        RunError: The process died.
    """
    with engine.pool(
        _compute, Engine(workers=1), retries=0, label="channels", apart=True
    ) as pool:
        pool.submit("channels", computation)
        outcome = pool.next()
    if outcome.value is None:
        raise RunError(
            f"{computation.folder}: {outcome.error}. The same call continues."
        )
    return outcome.value


def _compute(computation: Computation) -> str:
    from kerasfaces.channels import config, run

    summary = run.build(
        computation.files,
        computation.folder,
        config.make(computation.channels, computation.mask, computation.assignments),
        known=computation.known,
    )
    if computation.files and not summary.n_ok:
        raise RunError(f"No image has an array. {summary.text()}")
    return summary.text()
