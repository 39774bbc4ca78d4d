"""Fakes in a process of their own: torch and TensorFlow must not share one."""

import functools
from collections.abc import Mapping
from pathlib import Path

from kerasfaces.channels import own_process
from kerasfaces.core.engine import Engine
from kerasfaces.manifest import Manifest


def generate(
    manifest: Manifest,
    folder: Path,
    kind: str,
    options: Mapping[str, object],
    workers: int = 1,
) -> None:
    """Make fakes of a manifest's photos, in a fresh process; see `pairs.generate`.

    For `kind` and `options` see `config.from_names`.

    Raises:
        KerasfacesError: The stage refused (its own sentence).
        RunError: The process died.
    """
    work = functools.partial(_generate, manifest, folder, kind, dict(options), workers)
    own_process.call(work, folder)


def _generate(
    manifest: Manifest,
    folder: Path,
    kind: str,
    options: Mapping[str, object],
    workers: int,
) -> str:
    from kerasfaces.generate import config, pairs

    settings = config.from_names(kind, options)  # a kind's file may import torch
    written = pairs.generate(manifest, folder, settings, Engine(workers=workers))
    return f"{len(written):,} rows"
