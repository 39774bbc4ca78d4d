"""LiteRT, weights in 8 bits (dynamic range): a quarter of the size, activations in float."""

from pathlib import Path
from typing import Any

from kerasfaces.serve.formats import Traced, litert

QUANTISED = True


def write(traced: Traced, path: Path) -> None:
    """Write the network to `path`."""
    import tensorflow as tf

    each = litert.converter(traced)
    each.optimizations = [tf.lite.Optimize.DEFAULT]
    path.write_bytes(each.convert())


def __getattr__(name: str) -> Any:
    """Return what this format has in common with LiteRT's own."""
    return getattr(litert, name)
