"""What a study can choose from: bases that have weights here, channels of a store."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasfaces.core.errors import InputError, KerasfacesError, MissingFileError
from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.models import catalogue
from kerasfaces.models.config import GROUPS, ModelConfig
from kerasfaces.train import channels
from kerasfaces.train import config as train_config
from kerasfaces.train.config import TrainConfig

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inventory:
    """Bases with weights, and channels.

    Attributes:
        weights: Base -> its weights, for each base that has any here.
        found: Base -> its `BaseWeights`.
        store: The channel store; None on pixels.
        channels: Names of the store's channels; empty on pixels.
    """

    weights: Mapping[str, str]
    found: Mapping[str, Any]
    store: Path | None = None
    channels: tuple[str, ...] = ()

    @property
    def bases(self) -> tuple[str, ...]:
        """Return the bases that have weights, in the study's order."""
        return tuple(self.weights)

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return what a frozen base can see, one of: `rgb`, `lnp`, `rgb,lnp`."""
        if self.store is None:
            return ("rgb",)
        one = [
            group
            for group in ("rgb", "lnp")
            if set(GROUPS[group]) <= set(self.channels)
        ]
        return tuple([*one, ",".join(one)] if len(one) > 1 else one)

    def default(self, base: str) -> TrainConfig:
        """Return `kerasfaces train`'s own configuration of a base here."""
        if self.store is None:
            return train_config.default(base, self.weights[base])
        return channels.default(base, self.weights[base], self.store)

    def fit(self, config: TrainConfig) -> TrainConfig:
        """Return a configuration made for pixels, made for the store if there is one."""
        if self.store is None:
            return config
        default = self.default(config.model.name)
        model = dataclasses.replace(
            config.model, inputs=default.model.inputs, size_px=default.model.size_px
        )
        return dataclasses.replace(
            config,
            model=model,
            crop=default.crop,
            filter=default.filter,
            views=1,
            augment=AugmentConfig(flip=False),
        )


def make(
    bases: Sequence[str],
    weights: Sequence[str],
    default_weights: str,
    store: Path | None,
) -> Inventory:
    """Look for the weights of every base, and into the store.

    Args:
        bases: The study's.
        weights: `weights`: one for all, or `BASE=TEXT` each.
        default_weights: For a base that no text names.
        store: Channel store.

    Raises:
        InputError: An unknown base, or none that can be used.
        MissingFileError: There are weights for none of them.
    """
    texts = _texts(bases, weights, default_weights)
    given, found = {}, {}
    errors: dict[str, KerasfacesError] = {}
    for base, text in texts.items():
        architecture = catalogue.load(base)
        if architecture.end_to_end or text == "none":
            raise InputError(
                f"{base} with `weights={text!r}` is trained as a whole; a study trains heads on "
                "frozen bases: choose another base, or give it weights."
            )
        try:
            weight = architecture.find_weights(text)
            architecture.completed(ModelConfig(name=base), weight)
        except (InputError, MissingFileError) as error:
            errors[base] = error
            continue
        given[base], found[base] = text, weight
    if not given:
        raise next(iter(errors.values()))
    for base, why in errors.items():
        logger.warning("%s is left out of the study: %s", base, why)
    names: tuple[str, ...] = ()
    if store is not None:
        from kerasfaces.dataset.channels import ChannelStore

        names = tuple(ChannelStore(store).names)
    return Inventory(weights=given, found=found, store=store, channels=names)


def _texts(
    bases: Sequence[str], weights: Sequence[str], default: str
) -> dict[str, str]:
    texts = dict.fromkeys(bases, default)
    own = {}
    for text in weights:
        base, equals, value = text.partition("=")
        if equals and base in catalogue.names():
            if base not in texts:
                raise InputError(
                    f"`weights={text!r}`: the study has no base {base}; it has: "
                    f"{', '.join(bases)}."
                )
            own[base] = value
        else:
            texts = dict.fromkeys(bases, text)
    return texts | own
