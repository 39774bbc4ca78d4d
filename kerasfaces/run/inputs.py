"""Files -> what a run's model takes: pixels, or the channels it was trained on."""

import dataclasses
from pathlib import Path

from kerasfaces.core.errors import InputError
from kerasfaces.dataset.cache import CachedImages, FileArrays, cache_images
from kerasfaces.dataset.channels import (
    ChannelStore,
    channels_of,
    check_recipe,
    from_store,
)
from kerasfaces.dataset.file_facts import with_limits
from kerasfaces.images import InputSpec
from kerasfaces.images.limits import Limits
from kerasfaces.run.network import TrainedNetwork


def inputs_of(
    network: TrainedNetwork, files: list[Path], store: Path | None = None
) -> CachedImages | FileArrays[ChannelStore]:
    """Return what a run's model takes, for files: pixels, or the channels it was made on.

    Files whose picture is too little to judge have a reason.

    Raises:
        InputError: A store is given to a run on pixels, or the channel stage refused.
        StoreError: The store was made by another recipe.
    """
    recipe, limits = network.channel_recipe, network.limits
    if recipe is None:
        return pixels_of(network.folder, network.input_spec, limits, files, store)
    names = network.model.channel_names
    if store is None:
        channels = channels_of(files, recipe, names)
    else:
        channels = from_store(files, store, names)
        made_by, folder = channels.store.made_by, channels.store.folder
        check_recipe(recipe, made_by, network.folder.name, folder)
    reasons = with_limits(files, channels.reasons, limits)
    return dataclasses.replace(channels, reasons=reasons)


def pixels_of(
    run: Path,
    spec: InputSpec,
    limits: Limits | None,
    files: list[Path],
    store: Path | None,
) -> CachedImages:
    """Return the pixels that a run on pixels takes, for files; see `inputs_of`."""
    if store is not None:
        raise InputError(
            f"`store={str(store)!r}`: {run} was trained on pixels; leave it out."
        )
    pixels = cache_images(files, spec)
    reasons = with_limits(files, pixels.reasons, limits)
    return dataclasses.replace(pixels, reasons=reasons)
