"""A run folder -> a `Subject`: pixels in memory -> logits, whatever the detector is."""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.channels import engines as channel_engines
from kerasfaces.channels import own_process
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.dataset.channels import from_store
from kerasfaces.explain.contract import Pixels
from kerasfaces.explain.network import Network
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.network import TrainedNetwork
from kerasfaces.run.network_outputs import image_logits

Logits = Callable[[Pixels], NDArray[np.float64]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Subject:
    """A finished run as something that can be asked.

    Attributes:
        name: Its folder's name.
        kind: Its model, for messages.
        spec: What stands between a file and the pixels.
        n_heads: The learnt head, and those re-drawn.
        logits: `(n, s, s, 3)` uint8 -> `(n, n_heads)` float64.
        network: The network, where it sees pixels; else None.
        limits: What a picture must have to be judged; None where nothing is known.
    """

    name: str
    kind: str
    spec: InputSpec
    n_heads: int
    logits: Logits
    network: Network | None
    limits: Limits | None = None

    def learnt(self) -> Self:
        """Return the same subject with its learnt head alone."""
        if self.network is None:
            return self
        alone = self.network.learnt()
        return dataclasses.replace(self, n_heads=1, network=alone, logits=alone.logits)

    def of_pictures(self) -> Self:
        """Return the same subject for pictures that are no crops of faces yet.

        A detector of crops that were cut beforehand is shown the largest face, as by `predict`.
        """
        if self.spec.faces != "cut":
            return self
        return dataclasses.replace(
            self, spec=dataclasses.replace(self.spec, faces="largest")
        )

    def network_for(self, method: str) -> Network:
        """Return the network, which a method needs; refuse where none sees pixels."""
        if self.network is None:
            raise InputError(
                f"{method} needs a network that sees pixels, and {self.name} is "
                f"{self.kind}: give `method='occlusion'`, which asks for nothing but logits."
                + self._instead()
            )
        return self.network

    def _instead(self) -> str:
        """Say what else explains a detector on channels."""
        if "on channels" not in self.kind:
            return ""
        return " `method='channel_shapley'` says what each channel adds."


def open_subject(folder: Path, redraws: int = 0, seed: int = 0) -> Subject:
    """Open a finished run of a model or of a baseline; see `DetectorRun.network`.

    `redraws` is the number of heads with re-drawn weights, by the key `seed`; a head
    without weights has none.
    """
    run = DetectorRun(folder)
    network = None
    if (config := run.baseline) is not None:
        kind, spec, limits = config.model.name, config.input_spec, run.limits
        logits = _baseline_logits(run)
    else:
        trained = run.network
        kind, spec, limits = trained.model.name, trained.input_spec, trained.limits
        if trained.model.crops:
            raise InputError(
                f"{folder}: it averages {trained.model.crops} crops of a picture, which no "
                "explanation follows yet; give a run that sees the whole picture."
            )
        if trained.model.is_rgb:
            network = Network(trained, redraws, seed)
            logits = network.logits
        else:
            kind += f" on channels ({', '.join(trained.model.inputs)})"
            logits = _channel_logits(trained)
    return Subject(
        name=run.name,
        kind=kind,
        spec=spec,
        n_heads=len(network.heads) if network else 1,
        logits=logits,
        network=network,
        limits=limits,
    )


def _baseline_logits(run: DetectorRun) -> Logits:
    _ = run.fitted  # an unfinished run is refused here
    return lambda images: run.baseline_logits(images.__getitem__, len(images))[:, None]


def _channel_logits(trained: TrainedNetwork) -> Logits:
    """Return image -> channels -> logit, the channels by the stage's own process.

    Each call starts that process, so it gets as many images as there are at once.
    """
    model = trained.load()

    def logits(images: Pixels) -> NDArray[np.float64]:
        with tempfile.TemporaryDirectory() as scratch:
            files = [Path(scratch) / f"{n:05d}.png" for n in range(len(images))]
            for path, pixels in zip(files, images, strict=True):
                Image.fromarray(pixels).save(path)  # as large as the stage makes it
            store = Path(scratch) / "store"
            recipe = channel_engines.available(trained.channel_recipe or {})
            own_process.compute_as(files, recipe, store)
            joined = from_store(files, store, trained.model.channel_names)
            bad = [reason for reason in joined.reasons if reason]
            if bad:
                raise ImageError(f"no channels of {len(bad)} changed copies: {bad[0]}")
            return image_logits(model, joined.store.reader(joined.keys))[:, None]

    return logits
