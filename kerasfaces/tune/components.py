"""What a study can choose from: bases that have weights here, channels of a store."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kerasfaces.core import config as configs
from kerasfaces.core.errors import InputError, KerasfacesError, MissingFileError
from kerasfaces.dataset.channels import ChannelStore
from kerasfaces.models import catalogue
from kerasfaces.models.config import GROUPS, ModelConfig
from kerasfaces.train import channels as channel_models
from kerasfaces.train import config as train_config
from kerasfaces.train.config import TrainConfig

if TYPE_CHECKING:
    from kerasfaces.models.weights import BaseWeights  # imports Keras

logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Components:
    """Bases with weights, and the channels they can see."""

    weights: Mapping[str, str]  # base -> its weights as text, in the study's order
    loaded: Mapping[str, "BaseWeights"]  # base -> its `BaseWeights`
    store: Path | None = None  # the channel store; None on pixels
    channels: tuple[str, ...] = ()  # names of the store's channels; empty on pixels
    channels_digest: str | None = None  # of what made the store; None on pixels

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        weights: Sequence[str],
        default_weights: str,
        store: Path | None,
    ) -> "Components":
        """Look for the weights of every base, and into the store.

        `weights` are texts, one for all or `BASE=TEXT` each; a base without any is left out.

        Raises:
            InputError: An unknown base, or none that can be used.
            MissingFileError: There are weights for none of them.
        """
        texts = weights_by_base(names, weights, default_weights)
        loaded, errors = find_weights(texts)
        for base, why in errors.items():
            logger.warning("%s is left out of the study: %s", base, why)
        components = cls(weights={base: texts[base] for base in loaded}, loaded=loaded)
        if store is None:
            return components
        channels = ChannelStore(store)
        return dataclasses.replace(
            components,
            store=store,
            channels=tuple(channels.names),
            channels_digest=configs.digest(channels.made_by),
        )

    @property
    def bases(self) -> tuple[str, ...]:
        """The bases that have weights, in the study's order."""
        return tuple(self.weights)

    @property
    def inputs(self) -> tuple[str, ...]:
        """What a frozen base can see, one of: `rgb`, `lnp`, `rgb,lnp`."""
        if self.store is None:
            return ("rgb",)
        stored = [
            name for name in ("rgb", "lnp") if {*GROUPS[name]} <= {*self.channels}
        ]
        return tuple([*stored, ",".join(stored)] if len(stored) > 1 else stored)

    def default(self, base: str) -> TrainConfig:
        """Return `kerasfaces train`'s own configuration of a base here."""
        if self.store is None:
            return train_config.default(base, self.weights[base])
        return channel_models.default(base, self.weights[base], self.store)

    def fit(self, config: TrainConfig) -> TrainConfig:
        """Return a configuration made for pixels, made for the store if there is one."""
        if self.store is None:
            return config
        default = self.default(config.model.name)
        model = dataclasses.replace(
            config.model, inputs=default.model.inputs, size_px=default.model.size_px
        )
        of_store = {
            name: getattr(default, name) for name in ("crop", "filter", "augment")
        }
        return dataclasses.replace(config, model=model, views=1, **of_store)


def find_weights(
    texts: Mapping[str, str],
) -> "tuple[dict[str, BaseWeights], dict[str, KerasfacesError]]":
    """Look for the weights of every base; return those found and what is wrong with others.

    Args:
        texts: Base -> its weights as text.

    Raises:
        InputError: A base would be trained as a whole, or there are weights for none.
        MissingFileError: There are weights for none of them.
    """
    loaded: dict[str, BaseWeights] = {}
    errors: dict[str, KerasfacesError] = {}
    for base, text in texts.items():
        architecture = catalogue.load(base)
        weight = None
        try:
            if not architecture.end_to_end:
                weight = architecture.find_weights(text)
            if weight is not None:
                architecture.completed(ModelConfig(name=base), weight)
        except (InputError, MissingFileError) as error:
            errors[base] = error
            continue
        if weight is None:
            how, more = f"with `weights={text!r}`", ", or give it weights"
            if architecture.end_to_end:
                how, more = "always", ""
            raise InputError(
                f"{base} {how} is trained as a whole; a study trains heads on frozen bases: "
                f"choose another base{more}."
            )
        loaded[base] = weight
    if not loaded:
        raise next(iter(errors.values()))
    return loaded, errors


def weights_by_base(
    names: Sequence[str], weights: Sequence[str], default: str
) -> dict[str, str]:
    """Return base -> weights: its own text, else the last text for all, else the default.

    Raises:
        InputError: A text names a base that the study does not have.
    """
    texts, own = dict.fromkeys(names, default), {}
    for text in weights:
        base, equals, value = text.partition("=")
        if not equals or base not in catalogue.names():
            texts = dict.fromkeys(names, text)
        elif base in texts:
            own[base] = value
        else:
            raise InputError(
                f"`weights={text!r}`: the study has no base {base}; it has: {', '.join(names)}."
            )
    return texts | own
