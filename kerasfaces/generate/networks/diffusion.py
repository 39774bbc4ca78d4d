"""Diffusion pipelines by name, and whether what they give is a picture."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.generate.contract import Floats, Pixels
from kerasfaces.generate.networks import diffusers_files

if TYPE_CHECKING:
    from kerasfaces.generate import fine_tuned
    from kerasfaces.generate.kinds import diffuse

# Folders of the Hub, with the licences of the weights.
NETWORKS = {
    # CreativeML Open RAIL-M
    "sd-1.5": "hf://stable-diffusion-v1-5/stable-diffusion-v1-5",
    # CreativeML Open RAIL++-M
    "sd-2.1": "hf://stabilityai/stable-diffusion-2-1",
    "sd-2-inpainting": "hf://stabilityai/stable-diffusion-2-inpainting",
    "sd-xl": "hf://stabilityai/stable-diffusion-xl-base-1.0",
    # Stability AI Community License; gated
    "sd-3": "hf://stabilityai/stable-diffusion-3-medium-diffusers",
    # Apache-2.0; gated
    "flux": "hf://black-forest-labs/FLUX.1-schnell",
}
_BLACK = 2.0  # grey levels: no pixel is lighter


def load(
    options: "diffuse.Options | fine_tuned.Options", task: str
) -> tuple[Any, Path]:
    """Return a pipeline on its device, and its folder; see `diffusers_files.load_pipeline`.

    Raises:
        MissingFileError: It is not there, or cannot be downloaded.
        InputError: Something is damaged, or there is no such device.
    """
    pipeline, place = diffusers_files.load_pipeline(
        NETWORKS.get(options.network, options.network),
        task,
        local_files_only=options.local_files_only,
        variant=options.variant,
    )
    try:
        return pipeline.to(options.device), place
    except (RuntimeError, AssertionError) as error:  # torch's, without a GPU
        raise InputError(
            f"options.device: {options.device!r} cannot be used here ({error})."
        ) from error


def checked(fake: Floats, real: Pixels) -> Floats:
    """Return a fake that is a picture.

    Raises:
        ImageError: It is not finite, black, or of another size.
    """
    if not np.isfinite(fake).all():
        raise ImageError("the pipeline gave values that are not finite")
    if fake.max() < _BLACK < real.max():
        raise ImageError("the pipeline gave a black picture")
    if fake.shape != real.shape:
        raise ImageError(
            f"the pipeline gave {fake.shape[1]} x {fake.shape[0]} px for "
            f"{real.shape[1]} x {real.shape[0]}"
        )
    return fake


def stride_px(pipeline: Any) -> int:
    """Return what sides must be multiples of: the latent's, times the network's own."""
    latent_px = int(pipeline.vae_scale_factor)
    if getattr(pipeline, "unet", None) is not None:
        return int(latent_px * 2 ** (len(pipeline.unet.config.block_out_channels) - 1))
    return 2 * latent_px  # transformers take patches of two by two
