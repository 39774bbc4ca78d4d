"""wan2023's three ways to join the noise pattern (LNP) and its spectra (AS, PS).

Standardised channels enter, as many leave. The document's table 6: `concat` is
AS+PS+LNP, `attention_all` is Att(AS+PS+LNP), `attention_spectra`, which it chose, is
Att(AS+PS)+LNP; Att is DANet's channel attention, + is concatenation.
"""

from collections.abc import Sequence

import keras
from keras import layers

from kerasfaces.core.errors import InputError
from kerasfaces.models.attention import ChannelAttention
from kerasfaces.models.stem import Select


def is_spectrum(name: str) -> bool:
    """Tell whether a channel is an amplitude or a phase."""
    return bool({"amplitude", "phase"} & set(name.split("_")))


def fuse(
    channels: keras.KerasTensor,
    names: Sequence[str],
    fusion: str,
    attention: str = "equation",
) -> keras.KerasTensor:
    """Return the fused channels, `(n, h, w, c)`.

    Under `attention_spectra` the spectra come last, whatever the order of `names`.

    Args:
        channels: `(n, h, w, c)`, standardised.
        names: Of the channels, in order.
        fusion: `concat`, `attention_all` or `attention_spectra`.
        attention: A kind of `ChannelAttention`.

    Raises:
        InputError: There are not two channels, or spectra, to attend to each other.
    """
    if fusion == "concat":
        return channels
    spectra = [i for i, name in enumerate(names) if is_spectrum(name)]
    others = [i for i in range(len(names)) if i not in spectra]
    every = fusion == "attention_all"
    if len(names if every else spectra) < 2 or not (every or others):
        raise InputError(
            f"model.options.fusion: {fusion} needs at least two "
            f"{'channels' if every else 'spectra, and others beside them'}, got "
            f"{', '.join(names)}; use {'' if every else 'attention_all or '}concat."
        )
    attend = ChannelAttention(attention, name="attention")
    if every:
        return attend(channels)
    attended = attend(Select(spectra, name="spectra")(channels))
    beside = Select(others, name="others")(channels)
    return layers.Concatenate(name="fused")([beside, attended])
