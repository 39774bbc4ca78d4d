"""Compute the frozen features of all training sets before the first is trained.

Each run would compute what it lacks by itself; together it is one pass over the images,
with one conversion of the base.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kerasfaces.core.engine import Engine
from kerasfaces.dataset.cache import cache_images
from kerasfaces.features.extraction import View
from kerasfaces.train import fit
from kerasfaces.train.config import TrainConfig
from kerasfaces.train.network_builder import NetworkBuilders

if TYPE_CHECKING:
    from pathlib import Path

    from kerasfaces.manifest import Manifest


def features(
    config: TrainConfig,
    base_weights: Any,
    base: NetworkBuilders,
    drawn: Iterable["Manifest"],
    spread: Engine,
) -> None:
    """Bring the features of every image into the cache.

    Does nothing where the base is trained, or where its input's statistics are those of
    each training set (channels of a store).

    Args:
        config: Of every run.
        base_weights: Of the base.
        base: Shared by all runs.
        drawn: Each run's rows.
        spread: Where they are computed.
    """
    if config.trains_whole(base_weights) or not config.model.is_rgb:
        return
    every: dict[Path, None] = {}
    trained: dict[Path, None] = {}
    for manifest in drawn:
        files = manifest.files()
        every |= dict.fromkeys(files)
        train = (manifest.rows["split"] == "train").tolist()
        trained |= dict.fromkeys(
            file for file, used in zip(files, train, strict=True) if used
        )
    builder = base.get(config, base_weights)
    images = cache_images(list(every), config.input_spec, spread, builder.start)
    key_of = {
        file: key
        for file, key, reason in zip(every, images.keys, images.reasons, strict=True)
        if not reason
    }
    cache = fit.feature_cache(
        config, images.store, builder, base_weights, spread=spread
    )
    cache.reader(list(key_of.values()))
    builder.get()  # the thread is done before the first head is trained
    for number in range(1, config.views):
        view = View(number=number, augment=config.augment)
        cache.reader([key_of[file] for file in trained if file in key_of], view)
