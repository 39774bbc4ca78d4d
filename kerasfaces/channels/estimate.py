"""Many images on paper: seconds, bytes and cost of every stage, from measured rates.

A few images are decoded, masked, transformed and written on this machine, each stage
timed alone. The same work is then laid out for this machine, for one with a GPU and for
a cluster, by arithmetic whose assumptions are printed with the table: only the first
column is measured. Stages are added up as if they followed one another; the engines
overlap decoding with the rest, so a run ends a little earlier.
"""

import contextlib
import dataclasses
import functools
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kerasfaces import images, store
from kerasfaces.channels import recipe
from kerasfaces.channels.config import ChannelsConfig
from kerasfaces.channels.worker import Item, Worker, decode
from kerasfaces.core import machine
from kerasfaces.core.errors import ImageError, InputError

_NETWORKS = frozenset({"channel lnp", "mask sam"})  # what a GPU is assumed to compute
_GB = 1e9
_REPEATS = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What is not measured. Prices are round figures, not quotes: give your own.

    Attributes:
        core_price: Of one core for an hour, in any currency.
        gpu_price: Of one GPU for an hour, on top of its machine's cores.
        disk_price: Of one GB for a month.
        gpu_cores: Cores beside the GPU.
        gpu_speedup: A GPU computes networks so many times faster than one core here.
            No network runs on a GPU yet; this is what it would save.
        nodes: Of the cluster.
        node_cores: Cores of each of its nodes, as fast as this machine's.
        efficiency: Share of a core's rate here that remains when many work.
        network: Bytes per second between the nodes and the driver.
    """

    core_price: float = 0.05
    gpu_price: float = 2.0
    disk_price: float = 0.08
    gpu_cores: int = 16
    gpu_speedup: float = 100.0
    nodes: int = 10
    node_cores: int = 16
    efficiency: float = 0.8
    network: float = 1.25e9

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, value in vars(self).items():
            free = name.endswith("_price")  # may cost nothing
            if not (math.isfinite(value) and (value > 0 or (free and value == 0))):
                raise InputError(
                    f"--{name.replace('_', '-')}: expected {'at least' if free else 'more than'}"
                    f" 0, got {value}."
                )


@dataclasses.dataclass(frozen=True)
class Rate:
    """What one stage takes per image.

    Attributes:
        name: Of the stage.
        core_s: Core seconds; seconds if it cannot be spread (`serial`).
        n_bytes: Bytes read or written.
        serial: One process does it, however many there are.
    """

    name: str
    core_s: float
    n_bytes: float = 0.0
    serial: bool = False


@dataclasses.dataclass(frozen=True)
class Machine:
    """Where the work is done."""

    name: str
    cores: int
    price: float  # per hour
    efficiency: float = 1.0
    gpu_speedup: float | None = None
    network: float | None = None

    def seconds(self, rate: Rate, n_images: int) -> float:
        """Return how long it takes for a stage of so many images."""
        if rate.serial:
            sent_s = rate.n_bytes / self.network if self.network else 0.0
            return n_images * (rate.core_s + sent_s)
        if self.gpu_speedup and rate.name in _NETWORKS:
            return n_images * rate.core_s / self.gpu_speedup
        return n_images * rate.core_s / (self.cores * self.efficiency)


def machines(given: Assumptions, cores: int) -> list[Machine]:
    """Return this machine, one with a GPU, and the cluster."""
    in_all = given.nodes * given.node_cores
    return [
        Machine("this machine", cores, cores * given.core_price),
        Machine(
            "one GPU",
            given.gpu_cores,
            given.gpu_cores * given.core_price + given.gpu_price,
            given.efficiency,
            given.gpu_speedup,
        ),
        Machine(
            f"{given.nodes} nodes",
            in_all,
            in_all * given.core_price,
            given.efficiency,
            network=given.network,
        ),
    ]


def measure(config: ChannelsConfig, files: Sequence[Path]) -> list[Rate]:
    """Time every stage on a few images.

    Raises:
        InputError: None of them can be decoded, or none has a mask.
    """
    spec = config.input_spec
    cores = machine.usable_cores()
    data = [images.read_file(path) for path in files]
    items = [Item(images.sha256(one), one) for one in data]
    decoded, decode_s = _timed(lambda: [decode(item, spec) for item in items])
    pixels = [one.array for one in decoded if one.array is not None]
    if not pixels:
        raise InputError(
            f"None of the {len(files)} images can be decoded, first {files[0]}."
        )
    n_read = sum(map(len, data)) / len(data)
    rates = [Rate("read and decode", decode_s / len(items), n_read)]
    with Worker(config) as worker:
        faces, found = _faces(worker, pixels, cores)
        rates += found
        masked = worker.prepare(decoded)
        if not masked.keys:
            raise InputError(
                f"None of the {len(files)} images has a mask ({config.mask}), first: "
                f"{masked.lost[0].reason}; give a manifest of faces."
            )
        if config.mask != "none":
            rates.append(_mask(worker, pixels, faces, cores))
        made: dict[str, Any] = {"mask": masked.masks}
        for name, channel in worker.channels.items():
            work = functools.partial(channel.compute, masked.pixels, made)
            made[name] = work()  # loads what it needs
            spent = min(_timed(work)[1] for _ in range(_REPEATS))
            rates.append(Rate(f"channel {name}", spent * cores / len(masked.keys)))
        results = worker.channels_of(masked)
        wanted = recipe.recipe_by(worker)
    arrays = [result.array for result in results if result.array is not None]
    if not arrays:
        raise InputError(f"No image has channels, first: {results[0].reason}.")
    return [*rates, _writing(np.stack(arrays), wanted, config)]


def _faces(
    worker: Worker, pixels: Sequence[Any], cores: int
) -> tuple[Sequence[Any], list[Rate]]:
    """Time the face finder, without its memory of earlier images."""
    if not worker.mask.needs_faces:
        return [None] * len(pixels), []
    from kerasfaces.faces import FaceFinder

    with contextlib.ExitStack() as stack:
        finder = FaceFinder()
        stack.push(finder)  # not entered: that would open the memory
        finder.find(pixels[:1])  # loads the detector
        faces, spent = _timed(functools.partial(finder.find, pixels))
    return faces, [Rate("finding faces", spent * cores / len(pixels))]


def _mask(
    worker: Worker, pixels: Sequence[Any], faces: Sequence[Any], cores: int
) -> Rate:
    """Time the mask on images that have what it needs."""
    pairs = [
        (image, face)
        for image, face in zip(pixels, faces, strict=True)
        if face is not None or not worker.mask.needs_faces
    ]

    def work() -> None:
        for image, face in pairs:
            with contextlib.suppress(ImageError):  # a mask that misses takes as long
                worker.mask.compute(image, face)

    work()
    spent = _timed(work)[1]
    return Rate(f"mask {worker.config.mask}", spent * cores / len(pairs))


def _writing(arrays: Any, wanted: dict[str, Any], config: ChannelsConfig) -> Rate:
    """Time a shard's way to the disk, flushed."""
    with tempfile.TemporaryDirectory() as name:
        times = []
        shape = arrays.shape[1:]
        with store.writing(Path(name) / "s", wanted, shape, config.dtype) as target:
            for at in range(_REPEATS):
                keys = [f"{at}-{row}" for row in range(len(arrays))]
                work = functools.partial(target.append, keys, arrays)
                times.append(_timed(work)[1])
    per_image = statistics.median(times) / len(arrays)
    return Rate("writing", per_image, arrays.nbytes / len(arrays), serial=True)


def table(
    rates: Sequence[Rate], n_images: int, given: Assumptions, cores: int
) -> list[str]:
    """Return the table's lines."""
    places = machines(given, cores)
    heads = "".join(f"{place.name:>16}" for place in places)
    lines = [f"{'stage':<18}{'core s/image':>14}{'GB':>10}{heads}"]
    totals = [0.0] * len(places)
    for rate in rates:
        spent = [place.seconds(rate, n_images) for place in places]
        totals = [sum(pair) for pair in zip(totals, spent, strict=True)]
        cells = "".join(f"{seconds:>14,.0f} s" for seconds in spent)
        size = f"{rate.n_bytes * n_images / _GB:.1f}" if rate.n_bytes else "-"
        lines.append(f"{rate.name:<18}{rate.core_s:>14.4f}{size:>10}{cells}")
    hours = "".join(f"{total / 3600:>14.2f} h" for total in totals)
    cost = "".join(
        f"{total / 3600 * place.price:>16.2f}"
        for total, place in zip(totals, places, strict=True)
    )
    stored = sum(rate.n_bytes for rate in rates if rate.serial) * n_images / _GB
    lines += [f"{'all':<18}{'':>24}{hours}", f"{'cost':<18}{'':>24}{cost}"]
    lines.append(f"keeping the store: {stored * given.disk_price:.2f} a month")
    return lines


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started
