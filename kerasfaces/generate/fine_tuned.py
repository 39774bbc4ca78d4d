"""Faces drawn by a diffusion model that was taught by the photos: DreamBooth and LoRA.

A fake is drawn for each photo so that both get one size, encoder and quality; it does not show
the photo's person, so its row has neither pair nor identity nor attributes.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces.core.errors import InputError, RunError
from kerasfaces.generate.contract import Floats, Pixels, check_ranges
from kerasfaces.generate.networks import (
    diffusers_files,
    diffusion,
    finetuning,
    training_pictures,
)

TRAINING = "training"
_LIMITS = {
    "resolution_px": (16, 2048),
    "steps": (1, 1_000_000),
    "learning_rate": (0, 1),
    "prior_weight": (0, 100),
    "n_class": (1, 100_000),
    "n_photos": (1, 100_000),
    "repeats": (1, 10_000),
    "sample_steps": (1, 1000),
    "save_every": (1, 1_000_000),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of both, at yu2024's values where it states them.

    Attributes:
        network: Stable Diffusion 1.x or 2.x: `sd-1.5`, `sd-2.1`, `hf://OWNER/NAME` or a folder
            with `model_index.json`; safetensors only.
        instance_prompt: The phrase that is taught.
        class_prompt: The phrase of its class.
        negative_prompt: Words for what sampling steers away from.
        resolution_px: Side of the pictures it learns from.
        steps: Optimizer steps of the training.
        learning_rate: Step size of AdamW, constant.
        prior_weight: Weight of pictures of the class; with 0 none are drawn.
        n_class: Pictures of the class.
        n_photos: Photos that it learns from, at most.
        repeats: Times that a photo comes before the next round.
        sample_steps: Denoising steps per fake.
        save_every: Steps of the training between checkpoints.
        seed: Keys initial weights, order and noise of the training.
        device: Of torch, such as `cpu` or `cuda`.
        variant: Of the weights' files, such as `fp16`.
        local_files_only: Do not download from the Hub.
    """

    network: str = "sd-1.5"
    instance_prompt: str = "a photo of NewFace humanface"
    class_prompt: str = "a photo of a humanface"
    negative_prompt: str = "drawing, deformed face, blurred"
    resolution_px: int = 512
    steps: int = 800
    learning_rate: float = 5e-6
    prior_weight: float = 1.0
    n_class: int = 100
    n_photos: int = 20
    repeats: int = 1
    sample_steps: int = 30
    save_every: int = 100
    seed: int = 0
    device: str = "cpu"
    variant: str | None = None
    local_files_only: bool = False

    def __post_init__(self) -> None:
        check_ranges(self, _LIMITS)


class FineTuned:
    """A pipeline that is taught once and draws then."""

    def __init__(self, options: Options, rank: int) -> None:
        """Load the pipeline that is to be taught.

        Args:
            options: Settings.
            rank: Of LoRA's matrices; 0 trains the whole network.

        Raises:
            MissingFileError: The weights are not there.
            InputError: They are damaged, or there is no such device.
        """
        self._options, self._rank = options, rank
        pipeline, place = self._load()
        self.stride_px = diffusion.stride_px(pipeline)
        if options.resolution_px % self.stride_px:
            raise InputError(
                f"options.resolution_px: expected a multiple of {self.stride_px}, got "
                f"{options.resolution_px}."
            )
        self.recipe: dict[str, object] = dict(diffusers_files.digests(place))
        self._untaught: Any = pipeline
        self._taught: Any = None
        self._folder: Path | None = None

    def use_folder(self, folder: Path) -> None:
        """Keep the training in the folder of the fakes."""
        self._folder = folder / TRAINING

    def train(self, files: Sequence[Path]) -> None:
        """Teach it by photos, or continue, or find it taught already; see `finetuning`."""
        pipeline = self._untaught or self._load()[0]
        self._untaught = None
        finetuning.train(pipeline, files, self._options, self._rank, self._place())

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return a fake of the photo's size; see `contract.Generator`."""
        if self._taught is None:
            if not finetuning.is_trained(self._place()):
                raise RunError(
                    f"{self._place()}: there are no weights; call train first."
                )
            self._taught, self._untaught = self._load()[0], None
            finetuning.load(self._taught, self._rank, self._place())
        options = self._options
        fake = training_pictures.draw(
            self._taught,
            options.instance_prompt,
            (real.shape[0], real.shape[1]),
            options.sample_steps,
            int(random.integers(2**63)),
            options.negative_prompt,
        )
        return diffusion.checked(fake, real)

    def _load(self) -> tuple[Any, Path]:
        return diffusion.load(self._options, "Text2Image")

    def _place(self) -> Path:
        if self._folder is None:
            raise RunError(
                "There is no folder for the training; call use_folder first."
            )
        return self._folder
