"""wan2023's three ways to join the noise pattern (LNP) and its spectra (AS, PS).

Standardised channels enter, as many leave. The document's table 6: `concat` is
AS+PS+LNP, `attention_all` is Att(AS+PS+LNP), `attention_spectra`, which it chose, is
Att(AS+PS)+LNP; Att is DANet's channel attention, + is concatenation.
"""

from collections.abc import Sequence
from typing import Any

from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models.attention import ChannelAttention
from kerasfaces.models.config import ChannelConfig
from kerasfaces.models.stem import Select


def is_spectrum(name: str) -> bool:
    """Tell whether a channel is an amplitude or a phase."""
    return bool({"amplitude", "phase"} & set(name.split("_")))


def fuse(channels: Any, names: Sequence[str], config: ChannelConfig) -> Any:
    """Return the fused channels, `(n, h, w, c)`.

    Under `attention_spectra` the spectra come last, whatever the order of `names`.

    Args:
        channels: `(n, h, w, c)`, standardised.
        names: Of the channels, in order.
        config: Which fusion and which attention.

    Raises:
        InputError: There are not two channels, or spectra, to attend to each other.
    """
    if config.fusion == "concat":
        return channels
    spectra = [i for i, name in enumerate(names) if is_spectrum(name)]
    others = [i for i in range(len(names)) if i not in spectra]
    every = config.fusion == "attention_all"
    if len(names if every else spectra) < 2 or not (every or others):
        raise InputError(
            f"model.channels.fusion: {config.fusion} needs at least two "
            f"{'channels' if every else 'spectra, and others beside them'}, got "
            f"{', '.join(names)}; use {'' if every else 'attention_all or '}concat."
        )
    attention = ChannelAttention(config.attention, name="attention")
    if every:
        return attention(channels)
    attended = attention(Select(spectra, name="spectra")(channels))
    beside = Select(others, name="others")(channels)
    return layers.Concatenate(name="fused")([beside, attended])
