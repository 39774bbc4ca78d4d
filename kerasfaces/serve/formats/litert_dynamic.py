"""LiteRT, weights in 8 bits (dynamic range): a quarter of the size, activations in float."""

from pathlib import Path

from kerasfaces.serve.formats import Traced
from kerasfaces.serve.formats.litert import (
    ADVICE,
    FILE,
    MODULES,
    RUNTIME,
    converter,
    embed,
    embedded,
    opened,
)

__all__ = ["ADVICE", "FILE", "MODULES", "RUNTIME", "embed", "embedded", "opened"]
QUANTISED = True


def write(traced: Traced, path: Path) -> None:
    """Write the network to `path`."""
    import tensorflow as tf

    each = converter(traced)
    each.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(each.convert())
