"""A run folder -> a `Subject`: pixels in memory -> logits, whatever the detector is."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.imports import import_keras
from kerasfaces.explain.contract import Pixels, Subject
from kerasfaces.run.folder import DetectorRun

if TYPE_CHECKING:
    from kerasfaces.baselines.config import BaselineConfig
    from kerasfaces.explain.network import Network
    from kerasfaces.run.network import TrainedNetwork


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
    run = DetectorRun(folder)
    if run.baseline is not None:
        return Subject(
            name=run.name,
            kind=run.baseline.model.name,
            spec=run.baseline.input_spec,
            n_heads=1,
            logits=_of_baseline(run, run.baseline),
            network=None,
            limits=run.limits,
        )
    trained = run.network
    if not trained.model.is_rgb:
        inputs = ", ".join(trained.model.inputs)
        return Subject(
            name=run.name,
            kind=f"{trained.model.name} on channels ({inputs})",
            spec=trained.input_spec,
            n_heads=1,
            logits=_of_channels(trained),
            network=None,
            limits=trained.limits,
        )
    from kerasfaces.explain.network import Network

    network = Network(trained, redraws, seed)
    return Subject(
        name=run.name,
        kind=trained.model.name,
        spec=trained.input_spec,
        n_heads=len(network.heads),
        logits=network.logits,
        network=network,
        limits=trained.limits,
    )


def network_of(subject: Subject, method: str) -> "Network":
    """Return a subject's network.

    Raises:
        InputError: It has none that sees pixels.
    """
    if subject.network is None:
        raise InputError(
            f"{method} needs a network that sees pixels, and {subject.name} is "
            f"{subject.kind}: give `method='occlusion'`, which asks for nothing but logits."
        )
    return subject.network


def _of_baseline(
    run: DetectorRun, config: "BaselineConfig"
) -> Callable[[Pixels], NDArray[np.float64]]:
    from kerasfaces.run import baseline

    fitted = baseline.arrays_of(run)

    def logits(images: Pixels) -> NDArray[np.float64]:
        return baseline.logits_of(config, fitted, _Held(images))[:, None]

    return logits


def _of_channels(trained: "TrainedNetwork") -> Callable[[Pixels], NDArray[np.float64]]:
    """Return image -> channels -> logit, the channels by the stage's own process.

    Each call starts that process, so it gets as many images as there are at once.
    """
    from kerasfaces.dataset import stage
    from kerasfaces.dataset.channels import from_store
    from kerasfaces.run.predictor import image_logits

    model = trained.load()

    def logits(images: Pixels) -> NDArray[np.float64]:
        from PIL import Image

        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch) / f"{n:05d}.png" for n in range(len(images))]
            for path, pixels in zip(files, images, strict=True):
                Image.fromarray(pixels).save(path)  # as large as the stage makes it
            made = Path(scratch) / "store"
            stage.run(files, stage.recipe_here(trained.channel_recipe or {}), made)
            joined = from_store(files, made, trained.model.channel_names)
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
