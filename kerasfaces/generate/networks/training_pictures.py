"""Pictures that a diffusion model is taught by: photos, and its own of their class."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from kerasfaces import images
from kerasfaces.core import rng
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import atomic_path
from kerasfaces.core.progress import progress
from kerasfaces.generate.contract import Floats

if TYPE_CHECKING:
    from kerasfaces.generate.fine_tuned import Options


def photos(files: Sequence[Path], options: "Options") -> list[Tensor]:
    """Return photos to learn from, `(3, s, s)` float32, -1 to 1.

    Raises:
        InputError: Not one can be read.
    """
    order = rng.generator(options.seed, "photos").permutation(len(files))
    chosen: list[Tensor] = []
    for at in order:
        try:
            chosen.append(_square(images.load(files[at]), options.resolution_px))
        except ImageError:
            continue  # the photo's row will have the reason
        if len(chosen) == options.n_photos:
            break
    if not chosen:
        raise InputError(f"Not one of the {len(files)} photos can be read.")
    return chosen


def digest(pictures: Sequence[Tensor]) -> str:
    """Return what tells these pictures from others."""
    hashed = hashlib.sha256()
    for picture in pictures:
        hashed.update(picture.contiguous().numpy().tobytes())
    return hashed.hexdigest()


def _square(image: Image.Image, side_px: int) -> Tensor:
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    part = image.crop((left, top, left + side, top + side))
    resized = np.asarray(part.resize((side_px, side_px), Image.Resampling.LANCZOS))
    return torch.from_numpy(resized.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1


def of_class(pipeline: Any, options: "Options", folder: Path) -> list[Tensor]:
    """Return what the class's phrase means before the training, drawn into `folder/class`.

    Raises:
        InputError: The pipeline's safety checker refused all that it drew.
    """
    if not options.prior_weight:
        return []
    pictures = []
    with progress(options.n_class, "Drawing the class", "image") as advance:
        for number in range(options.n_class):
            path = folder / "class" / f"{number:04d}.png"
            if not path.exists():
                seed = rng.integer_seed(options.seed, "class", number)
                size = (options.resolution_px, options.resolution_px)
                try:
                    fake = draw(
                        pipeline, options.class_prompt, size, options.sample_steps, seed
                    )
                except ImageError:
                    advance(1)
                    continue
                pixels = np.clip(np.rint(fake), 0, 255).astype(np.uint8)
                with atomic_path(path) as temporary:
                    Image.fromarray(pixels).save(temporary, "PNG")
            pictures.append(_square(images.load(path), options.resolution_px))
            advance(1)
    if not pictures:
        raise InputError(
            f"The pipeline drew no picture of {options.class_prompt!r}; change "
            "options.class_prompt, or set options.prior_weight=0."
        )
    return pictures


def draw(
    pipeline: Any,
    prompt: str,
    size: tuple[int, int],
    steps: int,
    seed: int,
    negative_prompt: str = "",
) -> Floats:
    """Return a picture of a prompt.

    Args:
        pipeline: Text to image.
        prompt: Words for what the picture shows.
        size: Height and width.
        steps: Of the schedule.
        seed: Keys the noise that it starts from.
        negative_prompt: Words for what sampling steers away from.

    Returns:
        `(h, w, 3)` float32, 0 to 255.

    Raises:
        ImageError: The safety checker refused it, or it is not finite.
    """
    result = pipeline(
        prompt=prompt,
        negative_prompt=negative_prompt or None,
        height=size[0],
        width=size[1],
        num_inference_steps=steps,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="np",
    )
    if any(getattr(result, "nsfw_content_detected", None) or ()):
        raise ImageError("the pipeline's safety checker refused the picture")
    picture: Floats = np.asarray(result.images[0], np.float32) * 255
    if not np.isfinite(picture).all():
        raise ImageError("the pipeline gave values that are not finite")
    return picture
