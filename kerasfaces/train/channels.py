"""What training on a channel store needs to know of it before anything is computed."""

import dataclasses
from pathlib import Path

from kerasfaces.baselines.config import BaselineConfig
from kerasfaces.core import config as configs
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.core.files import Json
from kerasfaces.dataset.channels import ChannelStore
from kerasfaces.dataset.views import AugmentConfig
from kerasfaces.images.limits import Limits
from kerasfaces.models import catalogue
from kerasfaces.models.config import GROUPS, ChannelOptions
from kerasfaces.train import config as train_config
from kerasfaces.train.config import TrainConfig


def default(model: str, weights: str, folder: Path) -> TrainConfig:
    """Return the configuration of `model` on the store in `folder`.

    lnp_attention takes the noise pattern and all spectra there are, a frozen base sees
    the image and the noise pattern, as far as the store has them; size, crop and filter
    are the store's.
    """
    store = ChannelStore(folder)
    config = train_config.default(model, weights)
    whole = {group: set(GROUPS[group]) <= set(store.names) for group in GROUPS}
    if catalogue.load(model).end_to_end:
        inputs = [
            "+".join(group for group in GROUPS if whole[group] and group != "rgb")
        ]
    else:
        inputs = [group for group in ("rgb", "lnp") if whole[group]]
    pixels = store.made_by["config"]
    architecture = dataclasses.replace(
        config.model,
        inputs=tuple(text for text in inputs if text) or config.model.inputs,
        size_px=pixels["size_px"],
    )
    return dataclasses.replace(
        config,
        model=architecture,
        crop=pixels["crop"],
        filter=pixels["filter"],
        augment=AugmentConfig(flip=False),
    )


def require_store(preset: str, folder: Path | None) -> None:
    """Refuse a preset that trains on channels where no store is given.

    Raises:
        InputError: The message says how to make one.
    """
    module = registry.load("kerasfaces.train.presets", preset)
    if folder is None and hasattr(module, "MAKE_STORE"):
        raise InputError(
            f"`preset={preset!r}` trains on channels: add `store=STORE`; "
            f"`{module.MAKE_STORE}` makes one."
        )


def check(config: TrainConfig | BaselineConfig, folder: Path | None) -> Json | None:
    """Return the store's recipe; None where a run trains on pixels.

    Raises:
        InputError: The configuration and the store do not go together.
    """
    if isinstance(config, TrainConfig):
        _check_launder(config, folder)
    if folder is None:
        if not config.model.is_rgb:
            raise InputError(
                f"{config.model.name} takes {', '.join(config.model.channel_names)}: make "
                "them with `data.compute_channels(STORE)` and give `store=STORE`."
            )
        return None
    if isinstance(config, BaselineConfig):
        raise InputError(
            f"`store={str(folder)!r}`: {config.model.name} sees pixels; leave it out."
        )
    recipe = ChannelStore(folder, config.model.channel_names).made_by
    for owner, name, value in (
        ("model.", "size_px", config.model.size_px),
        ("", "crop", config.crop),
        ("", "filter", config.filter),
    ):
        stored = recipe["config"][name]
        if value != stored:
            raise InputError(
                f"{owner}{name} is {value}, but {folder} was made with {stored}: leave it "
                "out, or make another store: `data.compute_channels(STORE, options="
                f"{{{name!r}: {value!r}}})`."
            )
    _check_amplitude(config, recipe["config"], folder)
    _check_augment(config)
    return recipe


def input_spec(
    config: TrainConfig | BaselineConfig,
    recipe: Json | None,
    limits: Limits | None = None,
) -> Json:
    """Return input_spec.json: everything between a file and the model's input."""
    names = list(config.model.channel_names)
    spec: Json = {
        "input": configs.to_dict(config.input_spec),
        "limits": None if limits is None else configs.to_dict(limits),
        "made_by": config.input_spec.recipe(),
        "channels": names,
    }
    if recipe is None:
        return {**spec, "value_range": [0, 255]}
    return {
        **spec,
        "made_by": recipe["made_by"].get("loader", spec["made_by"]),
        "value_range": {name: recipe["ranges"].get(name) for name in names},
        "channel_recipe": recipe,
        "channel_recipe_sha256": configs.digest(recipe, 64),
    }


def _check_amplitude(config: TrainConfig, stage: Json, folder: Path) -> None:
    """Refuse spectra of another kind than the model's published one."""
    options = config.model.options
    expected = options.amplitude if isinstance(options, ChannelOptions) else ""
    stored = stage["options"].get("spectrum", {}).get("amplitude", "")
    if expected and stored and expected != stored:
        raise InputError(
            f"model.options.amplitude is {expected}, but {folder} holds {stored}: make "
            "another store, `data.compute_channels(STORE, options={'spectrum.amplitude': "
            f"{expected!r}}})`, or take this one with `model__options__amplitude=''`."
        )


def _check_launder(config: TrainConfig, folder: Path | None) -> None:
    """Refuse laundering where there is no picture, or no view, to launder."""
    if config.launder and folder is not None:
        raise InputError(
            f"launder: pictures are laundered, and {folder} holds channels that were made "
            "of them; set it to 0, or leave `store` out."
        )
    if config.launder and config.views < 2:
        raise InputError(
            "launder: the first view is the image itself, and views is "
            f"{config.views}; set views=4, or launder=0."
        )


def _check_augment(config: TrainConfig) -> None:
    """Refuse changes that would not give the channels of the changed image."""
    augment = config.augment
    if config.views > 1:
        raise InputError(
            f"views: a channel store holds one view of each image, got {config.views}."
        )
    others = {**configs.to_dict(augment), "flip": False}
    impossible = [name for name, value in others.items() if value]
    # A mirrored image has mirrored noise; its phase is not the mirrored phase.
    turned = any("phase" in name.split("_") for name in config.model.channel_names)
    if augment.flip and turned:
        impossible.append("flip")
    if impossible:
        raise InputError(
            f"augment.{impossible[0]}: channels of a store cannot be changed like an image; set "
            "it to 0 or false."
        )
