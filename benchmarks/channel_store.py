"""Reading a channel store through tf.data, against TFRecord and against memory.

The same arrays, 256 x 256 x 5 float16, in batches of 32, all in the page cache, one
after the other in one run:

- ours: `dataset.batches.stream` on the store, fully shuffled;
- TFRecord: one file of `tf.train.Example` with the raw bytes, shuffled through a buffer
  that holds all of them, parsed in parallel;
- memory: `numpy.copyto` of the same bytes, batch by batch, in order.
"""

import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.framework import timing

logger = logging.getLogger("kerasfaces.benchmarks")

SHAPE = (256, 256, 5)
BATCH = 32


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Return rows: ours / TFRecord, ours / memory copy."""
    from kerasfaces.core.imports import import_keras

    import_keras()
    count = 128 if quick else 1024
    with tempfile.TemporaryDirectory() as name:
        arrays = _arrays(count)
        ours = _ours(Path(name) / "store", arrays)
        records = _records(Path(name) / "arrays.tfrecord", arrays)
        rates: dict[str, list[float]] = {"ours": [], "records": [], "memory": []}
        for _ in range(2 if quick else 7):
            rates["ours"].append(count / _seconds(ours, count))
            rates["records"].append(count / _seconds(records, count))
            rates["memory"].append(count / _copy_s(arrays))
    for key, values in rates.items():
        logger.info("%s: %.0f images/s", key, statistics.median(values))
    what = f"{'x'.join(map(str, SHAPE))} float16, batch {BATCH}, fully shuffled: "
    best = statistics.median(rates["memory"]) / statistics.median(rates["records"])
    records = f"ours / raw TFRecord (the memory copy / raw TFRecord: {best:.1f})"
    return [
        _row("store_vs_tfrecord", rates, "records", 6.0, what + records),
        _row("store_vs_memory", rates, "memory", 0.12, what + "ours / memory copy"),
    ]


def _row(
    name: str, rates: dict[str, list[float]], other: str, target: float, what: str
) -> dict[str, Any]:
    ratios = [a / b for a, b in zip(rates["ours"], rates[other], strict=True)]
    return timing.row(name, ratios, target, what)


def _arrays(count: int) -> Any:
    from kerasfaces.core import rng

    random = rng.generator(0, "benchmark")
    return random.standard_normal((count, *SHAPE), np.float32).astype(np.float16)


def _ours(folder: Path, arrays: Any) -> Any:
    """Return endless epochs over a store in shards of the stage's size."""
    from kerasfaces import store
    from kerasfaces.channels.chunks import CHUNK
    from kerasfaces.dataset import batches

    keys = [f"{number:064x}" for number in range(len(arrays))]
    with store.writing(folder, {"kind": "benchmark"}, SHAPE, "float16") as target:
        for start in range(0, len(keys), CHUNK):
            target.append(keys[start : start + CHUNK], arrays[start : start + CHUNK])
    ones = np.ones(len(keys), np.float32)
    source = batches.Source(
        reads=[store.Store(folder).reader(keys)], labels=ones, weights=ones
    )
    return batches.stream(source, BATCH, 0)


def _records(path: Path, arrays: Any) -> Any:
    """Return endless, shuffled epochs over a TFRecord file."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for array in arrays:
            raw = tf.train.Feature(
                bytes_list=tf.train.BytesList(value=[array.tobytes()])
            )
            features = tf.train.Features(feature={"x": raw})
            writer.write(tf.train.Example(features=features).SerializeToString())
    spec = {"x": tf.io.FixedLenFeature([], tf.string)}

    def parse(record: Any) -> Any:
        flat = tf.io.decode_raw(tf.io.parse_single_example(record, spec)["x"], tf.half)
        return tf.reshape(flat, SHAPE)

    data = tf.data.TFRecordDataset(str(path)).shuffle(len(arrays)).repeat()
    data = data.map(parse, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH)
    return data.prefetch(tf.data.AUTOTUNE)


def _seconds(batches: Any, count: int) -> float:
    """Return the time of an epoch, after a few batches that let the pipeline fill.

    The pipeline ends with the call: another one's prefetching would disturb the next.
    """
    iterator = iter(batches)
    for _ in range(4):
        next(iterator)
    started = time.perf_counter()
    for _ in range(count // BATCH):
        next(iterator)
    return time.perf_counter() - started


def _copy_s(arrays: Any) -> float:
    batch = np.empty((BATCH, *SHAPE), np.float16)
    started = time.perf_counter()
    for start in range(0, len(arrays), BATCH):
        np.copyto(batch, arrays[start : start + BATCH])
    return time.perf_counter() - started
