"""Many images on paper: hours, bytes and cost of every stage, from measured rates.

Stages measure a few images on this machine, each alone. The same work is then laid out for
this machine, for one with a GPU and for a cluster, by arithmetic whose assumptions are
printed with the table: only the first column is measured. Stages are added up as if they
followed one another; the engines overlap decoding with the rest, so a run ends earlier.
"""

import dataclasses
import functools
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from kerasfaces import images, store
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.estimate.assumptions import Assumptions

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
REPEATS = 3
_GB = 1e9


@dataclasses.dataclass(frozen=True)
class Rate:
    """What one stage takes per image."""

    name: str  # the stage
    core_s: float  # core seconds; seconds where one process does it
    n_bytes: float = 0.0  # bytes read or written
    # `cluster`: every core of every node helps; `machine`: the cores of one; `process`:
    # one process does it.
    spread: Literal["cluster", "machine", "process"] = "cluster"
    on_gpu: bool = False  # a GPU computes it where there is one
    stored: bool = False  # its bytes stay on the disk
    n_images: int = 0  # images it was measured on, where that was counted


@dataclasses.dataclass(frozen=True)
class Machine:
    """Where the work is done; `price` is per hour, `cores` those of all `nodes`."""

    name: str
    cores: int
    price: float
    efficiency: float = 1.0
    gpu_speedup: float | None = None
    network: float | None = None
    nodes: int = 1

    def seconds(self, rate: Rate, n_images: int) -> float:
        """Return how long a stage of `n_images` takes."""
        if rate.spread == "process":
            sent_s = rate.n_bytes / self.network if self.network else 0.0
            return n_images * (rate.core_s + sent_s)
        if self.gpu_speedup and rate.on_gpu:
            return n_images * rate.core_s / self.gpu_speedup
        nodes = 1 if rate.spread == "cluster" else self.nodes
        return n_images * rate.core_s / (self.cores / nodes * self.efficiency)


def machines(assumed: Assumptions, cores: int) -> list[Machine]:
    """Return this machine, one with a GPU, and the cluster."""
    all_cores = assumed.nodes * assumed.node_cores
    return [
        Machine("this machine", cores, cores * assumed.core_price),
        Machine(
            "one GPU",
            assumed.gpu_cores,
            assumed.gpu_cores * assumed.core_price + assumed.gpu_price,
            assumed.efficiency,
            assumed.gpu_speedup,
        ),
        Machine(
            f"{assumed.nodes} nodes",
            all_cores,
            all_cores * assumed.core_price,
            assumed.efficiency,
            network=assumed.network,
            nodes=assumed.nodes,
        ),
    ]


def table(
    rates: Sequence[Rate], n_images: int, assumed: Assumptions, cores: int
) -> list[str]:
    """Return the table's lines."""
    places = machines(assumed, cores)
    heads = "".join(f"{place.name:>16}" for place in places)
    lines = [f"{'stage':<24}{'core s/image':>14}{'GB':>12}{heads}"]
    seconds = np.array([[p.seconds(rate, n_images) for p in places] for rate in rates])
    for rate, row in zip(rates, seconds, strict=True):
        cells = "".join(f"{value:>14,.0f} s" for value in row)
        size = f"{rate.n_bytes * n_images / _GB:,.1f}" if rate.n_bytes else "-"
        lines.append(f"{rate.name:<24}{rate.core_s:>14.4g}{size:>12}{cells}")
    hours = seconds.sum(axis=0) / 3600
    costs = [value * place.price for value, place in zip(hours, places, strict=True)]
    stored = sum(rate.n_bytes for rate in rates if rate.stored) * n_images / _GB
    return [
        *lines,
        f"{'all':<50}" + "".join(f"{value:>14,.2f} h" for value in hours),
        f"{'cost':<50}" + "".join(f"{value:>16,.2f}" for value in costs),
        f"keeping the arrays: {stored * assumed.disk_price:,.2f} a month",
    ]


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return what `work` returns, and the seconds it took."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


def decoding(
    files: Sequence[Path], spec: images.InputSpec
) -> tuple[list[NDArray[np.uint8]], Rate]:
    """Return the images that can be decoded, `(h, w, 3)` uint8, and what that takes.

    The others are skipped, and said.

    Raises:
        InputError: None of them can be decoded.
    """
    contents: list[bytes] = []
    pixels: list[NDArray[np.uint8]] = []
    lost: list[str] = []
    spent = 0.0
    for path in files:
        try:
            content = images.read_file(path)
            array, seconds = timed(functools.partial(_decoded, content, spec))
        except ImageError as error:
            lost.append(f"{path}: {error}")
            continue
        contents.append(content)
        pixels.append(array)
        spent += seconds
    if not pixels:
        raise InputError(
            f"None of the {len(files)} images can be decoded, first {lost[0]}; give a "
            "manifest whose files are there (`root` says what its paths are relative to)."
        )
    if lost:
        logger.warning(
            "%d of %d images cannot be decoded and are not measured, first %s",
            *(len(lost), len(files), lost[0]),
        )
    n, n_bytes = len(pixels), sum(map(len, contents)) / len(pixels)
    return pixels, Rate("read and decode", spent / n, n_bytes, n_images=n)


def _decoded(content: bytes, spec: images.InputSpec) -> NDArray[np.uint8]:
    return images.to_array(images.decode(content), spec)


def writing(
    name: str, arrays: NDArray[np.generic], recipe: Mapping[str, object]
) -> Rate:
    """Time a shard's way to the disk, flushed: `arrays` `(n, ...)` as one shard."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        path, shape = Path(folder) / "store", arrays.shape[1:]
        with store.writing(path, dict(recipe), shape, str(arrays.dtype)) as target:
            for repeat in range(REPEATS):
                keys = [f"{repeat}-{row}" for row in range(len(arrays))]
                times.append(timed(functools.partial(target.append, keys, arrays))[1])
    per_image = statistics.median(times) / len(arrays)
    n_bytes = arrays.nbytes / len(arrays)
    return Rate(name, per_image, n_bytes, spread="process", stored=True)
