"""A picture noised a little and denoised again by a diffusion model, or inpainted by it.

Self-conditioned fakes, after B-Free (Guillaro et al. 2024, arXiv 2412.17671): the fake keeps
the photo's content, so that a detector learns the generator and not what it was asked for.
"""

import dataclasses
import inspect
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image

from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.generate.contract import Floats, Pixels
from kerasfaces.generate.networks import diffusers_files, diffusion

_TASKS = {"image": "Image2Image", "inpaint": "Inpainting"}
UNCLAIMED = ("local_files_only",)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of the diffusion.

    Attributes:
        network: A name of `diffusion.NETWORKS`, `hf://OWNER/NAME` or a folder with
            `model_index.json`; safetensors only.
        task: `image` noises the whole picture; `inpaint` fills a random rectangle.
        strength: Share of the noise that is added, 0 to 1: how far the fake may go.
        steps: Of the whole schedule; `strength * steps` are done.
        prompt: What the picture shows; B-Free gives none.
        guidance: Weight of the prompt; none takes the pipeline's own.
        hole: Least and greatest side of the rectangle, as a share of the picture's.
        device: Of torch, such as `cpu` or `cuda`.
        variant: Of the weights' files, such as `fp16`.
        local_files_only: Do not download from the Hub.
    """

    network: str = "sd-1.5"
    task: Literal["image", "inpaint"] = "image"
    strength: float = 0.3
    steps: int = 30
    prompt: str = ""
    guidance: float | None = None
    hole: tuple[float, ...] = (0.25, 0.6)
    device: str = "cpu"
    variant: str | None = None
    local_files_only: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.strength <= 1:
            raise InputError(
                f"options.strength: expected above 0, at most 1, got {self.strength}."
            )
        if len(self.hole) != 2 or not 0 < self.hole[0] <= self.hole[1] <= 1:
            raise InputError(
                "options.hole: expected a least and a greatest share from 0 to 1, got "
                f"{list(self.hole)}."
            )


def name(options: Options) -> str:
    """Return the network's name and what was done."""
    stem = diffusers_files.short_name(options.network)
    task = "_inpaint" if options.task == "inpaint" else ""
    return f"{stem}{task}_{options.strength:g}"


class Diffuser:
    """Image-to-image or inpainting by a pipeline of diffusers."""

    def __init__(self, options: Options) -> None:
        if not 1 <= int(options.steps * options.strength) <= 1000:
            raise InputError(
                "options.steps: expected 1 to 1,000 steps of strength * steps, got "
                f"{options.strength} * {options.steps}."
            )
        self._pipeline, place = diffusion.load(options, _TASKS[options.task])
        self._options = options
        self.stride_px = diffusion.stride_px(self._pipeline)
        self.recipe: dict[str, object] = dict(diffusers_files.digests(place))

    def __call__(self, real: Pixels, random: np.random.Generator) -> Floats:
        """Return the fake; see `contract.Generator`.

        Raises:
            ImageError: The pipeline gave values that are not finite, a black picture, or
                its safety checker refused it.
        """
        options, (height, width) = self._options, real.shape[:2]
        seed = int(random.integers(2**63))
        settings: dict[str, Any] = {
            "prompt": options.prompt,
            "image": Image.fromarray(real),
            "strength": options.strength,
            "num_inference_steps": options.steps,
            "generator": torch.Generator("cpu").manual_seed(seed),
            "output_type": "np",
        }
        if options.guidance is not None:
            settings["guidance_scale"] = options.guidance
        if options.task == "inpaint":
            settings["mask_image"] = _hole(height, width, options.hole, random)
        if "height" in inspect.signature(self._pipeline.__call__).parameters:
            settings |= {"height": height, "width": width}
        with np.errstate(invalid="ignore"):
            result = self._pipeline(**settings)
        if any(getattr(result, "nsfw_content_detected", None) or ()):
            raise ImageError("the pipeline's safety checker refused the picture")
        return diffusion.checked(np.asarray(result.images[0], np.float32) * 255, real)


def build(options: Options) -> Diffuser:
    """Load the pipeline and return the generator."""
    return Diffuser(options)


def _hole(
    height: int, width: int, shares: tuple[float, ...], random: np.random.Generator
) -> Image.Image:
    """Return a mask, white where the picture is filled."""
    mask = np.zeros((height, width), np.uint8)
    sides = [
        max(1, round(random.uniform(shares[0], shares[1]) * side))
        for side in mask.shape
    ]
    top, left = (
        int(random.integers(side - hole + 1))
        for side, hole in zip(mask.shape, sides, strict=True)
    )
    mask[top : top + sides[0], left : left + sides[1]] = 255
    return Image.fromarray(mask)
