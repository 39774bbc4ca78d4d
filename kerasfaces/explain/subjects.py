"""A run folder -> a `Subject`: pixels in memory -> logits, whatever the detector is."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import ImageError, InputError, RunError
from kerasfaces.core.imports import import_keras
from kerasfaces.explain.contract import Pixels, Subject

if TYPE_CHECKING:
    from kerasfaces.explain.network import Network


def open_subject(folder: Path, redraws: int = 0, seed: int = 0) -> Subject:
    """Open a finished run of a model or of a baseline.

    Args:
        folder: The run folder; a study's winner is one like any other.
        redraws: Heads with re-drawn weights wanted (see `Network`).
        seed: Of those weights.

    Raises:
        InputError: Its configuration is damaged.
        MissingFileError: A file is missing.
        RunError: The run is not finished, or damaged.
    """
    import_keras()
    from kerasfaces.run import baseline, limits
    from kerasfaces.run.predictor import open_run

    fitted = baseline.config_of(folder)
    if fitted is not None:
        return Subject(
            name=folder.resolve().name,
            kind=fitted.model.name,
            spec=fitted.input_spec,
            n_heads=1,
            logits=_of_baseline(folder),
            network=None,
            limits=limits.of_run(folder),
        )
    run = open_run(folder)
    if not run.model.is_rgb:
        return Subject(
            name=folder.resolve().name,
            kind=f"{run.model.name} on channels ({', '.join(run.model.inputs)})",
            spec=run.input_spec,
            n_heads=1,
            logits=_of_channels(folder),
            network=None,
            limits=run.limits,
        )
    from kerasfaces.explain.network import Network

    network = Network(run, redraws, seed)
    return Subject(
        name=folder.resolve().name,
        kind=run.model.name,
        spec=run.input_spec,
        n_heads=len(network.heads),
        logits=network.logits,
        network=network,
        limits=run.limits,
    )


def network_of(subject: Subject, method: str) -> "Network":
    """Return a subject's network.

    Raises:
        InputError: It has none that sees pixels.
    """
    if subject.network is None:
        raise InputError(
            f"{method} needs a network that sees pixels, and {subject.name} is "
            f"{subject.kind}: give --method occlusion, which asks for nothing but logits."
        )
    return subject.network


def _of_baseline(folder: Path) -> Callable[[Pixels], NDArray[np.float64]]:
    from kerasfaces.baselines import arrays
    from kerasfaces.run import baseline

    config, fitted = baseline.config_of(folder), arrays.load(folder)
    if config is None:
        raise RunError(f"{folder} changed while it was read; run the command again.")

    def logits(images: Pixels) -> NDArray[np.float64]:
        return baseline.logits_of(config, fitted, _Held(images))[:, None]

    return logits


def _of_channels(folder: Path) -> Callable[[Pixels], NDArray[np.float64]]:
    """Return image -> channels -> logit, the channels by the stage's own process.

    Each call starts that process, so it gets as many images as there are at once.
    """
    from kerasfaces.dataset import stage
    from kerasfaces.dataset.channels import from_store
    from kerasfaces.run.predictor import image_logits, load_model, open_run

    run = open_run(folder)
    model = load_model(run)

    def logits(images: Pixels) -> NDArray[np.float64]:
        from PIL import Image

        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch) / f"{n:05d}.png" for n in range(len(images))]
            for path, pixels in zip(files, images, strict=True):
                Image.fromarray(pixels).save(path)  # as large as the stage makes it
            made = Path(scratch) / "store"
            stage.run(files, stage.recipe_here(run.channel_recipe or {}), made)
            joined = from_store(files, made, run.model.channel_names)
            bad = [reason for reason in joined.reasons if reason]
            if bad:
                raise ImageError(f"no channels of {len(bad)} changed copies: {bad[0]}")
            return image_logits(model, joined.store.reader(joined.keys))[:, None]

    return logits


class _Held:
    """Images in memory, read as those of a store."""

    def __init__(self, images: Pixels) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def __call__(self, positions: NDArray[np.intp]) -> Pixels:
        return self._images[positions]
