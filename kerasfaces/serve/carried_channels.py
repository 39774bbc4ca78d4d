"""Exports that make a run's channels themselves: pixels enter, as with any other run.

The channel stage computes in torch, in a process of its own, and gives the golden logits
and those that the file is compared with: what is measured is the whole way from pixels.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from kerasfaces.channels import graph, own_process
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import golden, parity
from kerasfaces.serve.golden import Golden
from kerasfaces.serve.reference import Reference


def is_carried(run: DetectorRun, form: ModuleType) -> bool:
    """Tell whether a format's file makes the channels that a run judges."""
    recipe = run.network.channel_recipe
    if recipe is None or form.JOINS is None:
        return False
    return not graph.reason_against(recipe)


@contextmanager
def graph_of(run: DetectorRun, is_wanted: bool) -> Iterator[Path | None]:
    """Yield the channels' ONNX graph while the context lasts, None where none is wanted."""
    network = run.network
    if not is_wanted or network.channel_recipe is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "channels.onnx"
        names = network.model.channel_names
        own_process.write_graph(network.channel_recipe, names, file)
        yield file


def golden_of(run: DetectorRun) -> Golden:
    """Return drawn pixels with the logits of stage and Keras."""
    low, high, limit = np.zeros(3), np.full(3, 255.0), parity.LIMIT_OF_CHANNELS
    levels = golden.draw(run.network.input_spec.shape)
    return Golden(levels, low, high, Reference(run).logits(levels), limit)


def examples(run: DetectorRun) -> tuple[NDArray[np.float32], NDArray[np.float32], str]:
    """Return pixels `(n, s, s, 3)` of the test split, their logits `(n, 1)`, and their name."""
    spec = run.network.input_spec
    pixels, description = parity.examples(run, spec.shape, spec)
    logits = Reference(run).logits(pixels.astype(np.uint8))
    return pixels, logits[:, None].astype(np.float32), description
