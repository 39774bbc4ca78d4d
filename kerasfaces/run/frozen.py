"""The features of images under a run's frozen base."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from kerasfaces import store as stores
from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, StoreError
from kerasfaces.core.files import Json
from kerasfaces.dataset.channels import Arrays
from kerasfaces.features.cached import FeatureCache, base_recipe
from kerasfaces.models.channel_layers import scaling_of
from kerasfaces.models.network import extractor_of
from kerasfaces.run.network import TrainedNetwork

if TYPE_CHECKING:
    import keras


@dataclasses.dataclass
class Nowhere:
    """Images that no store has: they are handed over as arrays."""

    recipe: Json

    def reader(self, keys: Sequence[str]) -> stores.Reader:
        """Refuse: there is nothing to read."""
        raise StoreError("These images are in no store.")

    def gather(self, keys: Sequence[str]) -> NDArray[Any]:
        """Refuse: there is nothing to read."""
        raise StoreError("These images are in no store.")


def frozen_features(
    network: TrainedNetwork, model: "keras.Model", images: Arrays
) -> FeatureCache:
    """Return the features of images under a run's frozen base, cached as training did.

    Raises:
        InputError: The base was trained with the run.
    """
    if not network.frozen or network.weights is None:
        raise InputError(
            f"{network.folder}: its base was trained with it, so that it has no features of "
            "its own; give a run whose base stayed frozen."
        )
    scaling = scaling_of(model)
    recipe = base_recipe(configs.to_dict(network.model), network.weights, scaling)
    return FeatureCache(extractor_of(model), recipe, images)
