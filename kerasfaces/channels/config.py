"""What the channel stage makes: channels, mask, pixels, and each plug-in's own options."""

import dataclasses
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from kerasfaces.core import config as configs
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, MissingExtraError
from kerasfaces.core.texts import quoted
from kerasfaces.images import MAX_SIZE_PX, MIN_SIZE_PX, InputSpec

CHANNELS = "kerasfaces.channels.kinds"
MASKS = "kerasfaces.channels.masks"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelsConfig:
    """Everything that decides a channel store's arrays, apart from versions and weights.

    Make one with `from_names` or `from_dict`, which fill in `options`.

    Attributes:
        channels: Channel modules, in the order of the store's array channels.
        mask: The mask module that keeps the face; `none` keeps all pixels.
        size_px: Side of the square pixels and arrays.
        crop: See `images.InputSpec`.
        filter: See `images.InputSpec`.
        dtype: Of the store. `uint8` halves the disk; the recipe then records the scale.
        signed_limit: With `uint8`, signed channels are clipped to ± this (LNP: grey
            levels; phase: at most pi).
        options: Per plug-in in use, its `Options`.
    """

    channels: tuple[str, ...] = ("lnp", "spectrum")
    mask: str = "none"
    size_px: int = 256
    crop: Literal["square", "none"] = "square"
    filter: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bicubic"
    dtype: Literal["float16", "uint8"] = "float16"
    signed_limit: float = 16.0
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def input_spec(self) -> InputSpec:
        """What stands between a file and the pixels."""
        return InputSpec(size_px=self.size_px, crop=self.crop, filter=self.filter)


def split_names(text: str) -> list[str]:
    """Return the channels of `a,b`, as the command line gives them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def from_names(
    channels: Sequence[str], mask: str = "none", assignments: Iterable[str] = ()
) -> ChannelsConfig:
    """Return a configuration.

    Args:
        channels: Names of channel modules, without repetition.
        mask: Name of a mask module.
        assignments: `size_px=128`, or `PLUGIN.OPTION=VALUE` such as `lnp.weights=FILE`.

    Raises:
        InputError: An unknown name or option, or a value of the wrong type.
    """
    return override(from_dict({"channels": [*channels], "mask": mask}), assignments)


def override(config: ChannelsConfig, assignments: Iterable[str]) -> ChannelsConfig:
    """Apply `a=value` and `PLUGIN.a=value` assignments, each typed by its field."""
    for assignment in assignments:
        key = assignment.partition("=")[0].strip()
        if key in ("options", "channels", "mask"):
            raise InputError(
                f"`options` {quoted(assignment)}: use `channels` and `mask`, or PLUGIN.OPTION=VALUE."
            )
        name, dot, rest = assignment.partition(".")
        if not dot or "=" in name:
            config = configs.override(config, [assignment])
        elif name in config.options:
            changed = configs.override(config.options[name], [rest])
            options = {**config.options, name: changed}
            config = dataclasses.replace(config, options=options)
        else:
            raise InputError(
                f"`options` {quoted(assignment)}: no plug-in {quoted(name)} is in use; in use: "
                f"{', '.join(config.options)}."
            )
        _check(config, "config")
        config = _complete(config)  # an option may ask for another plug-in
    return config


def from_dict(values: Mapping[str, object], where: str = "config") -> ChannelsConfig:
    """Build a configuration from JSON types; missing options get their defaults.

    Raises:
        InputError: An unknown key, plug-in or option, or a value of the wrong type.
    """
    values = configs.mapping(values, where)
    plain = {key: value for key, value in values.items() if key != "options"}
    config = configs.from_dict(ChannelsConfig, plain, where)
    _check(config, where)
    options = {
        name: configs.from_dict(_plugin(config, name).Options, part, f"{where}.{name}")
        for name, part in configs.mapping(
            values.get("options", {}), f"{where}.options"
        ).items()
    }
    config = _complete(dataclasses.replace(config, options=options))
    unused = sorted({*options} - {*config.options})
    if unused:
        raise InputError(f"{where}.options: {', '.join(unused)} is not in use.")
    return config


def build(config: ChannelsConfig, name: str) -> Any:
    """Build the channel or mask `name` with its options.

    Raises:
        MissingExtraError: It needs a package that is not installed.
    """
    return _plugin(config, name).build(config.options[name])


def graph(config: ChannelsConfig, name: str) -> Any:
    """Return the channel `name` as a torch network (see `contract`).

    Raises:
        InputError: It has none.
    """
    module = _load(CHANNELS, name)
    if not hasattr(module, "graph"):
        raise InputError(f"The channel {quoted(name)} cannot be part of a graph.")
    return module.graph(config.options[name], config.size_px)


def order(config: ChannelsConfig) -> list[str]:
    """Return the channel modules to compute, each after those it needs."""
    names: list[str] = []

    def visit(name: str) -> None:
        module = _load(CHANNELS, name)
        if hasattr(module, "needs"):  # cheap, unlike building it (`spec.needs`)
            for needed in module.needs(config.options.get(name) or module.Options()):
                visit(needed)
        if name not in names:
            names.append(name)

    for name in config.channels:
        visit(name)
    return names


def _plugin(config: ChannelsConfig, name: str) -> types.ModuleType:
    return _load(MASKS if name == config.mask else CHANNELS, name)


def _load(package: str, name: str) -> types.ModuleType:
    try:
        return registry.load(package, name)
    except ModuleNotFoundError as error:
        if not error.name or error.name.startswith("kerasfaces"):
            raise
        raise MissingExtraError(
            f"{name} needs {error.name}, which is not installed; run: pip install "
            "'kerasfaces[channels]'"
        ) from error


def _complete(config: ChannelsConfig) -> ChannelsConfig:
    """Give every plug-in in use its options, and drop those of plug-ins not in use."""
    options = {
        name: config.options.get(name) or _plugin(config, name).Options()
        for name in (config.mask, *order(config))
    }
    return dataclasses.replace(config, options=options)


def _check(config: ChannelsConfig, where: str) -> None:
    if not config.channels or len({*config.channels}) < len(config.channels):
        raise InputError(
            f"{where}.channels: expected one or more different names, got {list(config.channels)}; "
            f"available: {', '.join(registry.names(CHANNELS))}."
        )
    if not MIN_SIZE_PX <= config.size_px <= MAX_SIZE_PX:
        raise InputError(
            f"{where}.size_px: expected {MIN_SIZE_PX}..{MAX_SIZE_PX}, got "
            f"{config.size_px}."
        )
    if not config.signed_limit > 0:
        raise InputError(
            f"{where}.signed_limit: expected more than 0, got {config.signed_limit}."
        )
    for name in config.channels:
        _load(CHANNELS, name)
    _load(MASKS, config.mask)
