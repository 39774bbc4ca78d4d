"""Batches: every example once an epoch, the order a function of (seed, epoch)."""

import numpy as np
import pytest

from kerasfaces.dataset import batches
from kerasfaces.dataset.batches import Source

pytestmark = pytest.mark.tf
N = 10


def source(n_views=1):
    values = np.arange(N, dtype=np.float32)[:, None]

    def read(view):
        return lambda positions: values[positions] + 100 * view

    return Source(
        reads=[read(view) for view in range(n_views)],
        labels=(np.arange(N) % 2).astype(np.float32),
        weights=np.ones(N, np.float32),
    )


def take(stream, count):
    if hasattr(stream, "take"):
        return [[array.numpy() for array in batch] for batch in stream.take(count)]
    got = []
    while len(got) < count:
        got += [stream[i] for i in range(len(stream))]
        stream.on_epoch_end()
    return got[:count]


STREAMS = [batches._tf_stream, batches._Epochs]


@pytest.mark.parametrize("make", STREAMS)
def test_each_epoch_shows_every_example_once_with_its_label(make):
    got = take(make(source(), 4, 0, 0), 6)
    for epoch in (got[:3], got[3:]):
        inputs = np.concatenate([batch[0][:, 0] for batch in epoch])
        labels = np.concatenate([batch[1][:, 0] for batch in epoch])
        assert sorted(inputs) == list(range(N))
        np.testing.assert_array_equal(inputs % 2, labels)


def test_both_backends_see_the_same_batches():
    ours, theirs = (take(make(source(3), 4, 7, 2), 9) for make in STREAMS)
    for a, b in zip(ours, theirs, strict=True):
        for left, right in zip(a, b, strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("make", STREAMS)
def test_starting_late_continues_the_same_sequence(make):
    whole = take(make(source(2), 4, 1, 0), 12)
    late = take(make(source(2), 4, 1, 2), 6)
    for a, b in zip(whole[6:], late, strict=True):
        np.testing.assert_array_equal(a[0], b[0])


@pytest.mark.parametrize("make", STREAMS)
def test_epochs_rotate_through_the_views(make):
    got = take(make(source(2), 10, 0, 0), 3)
    assert [int(batch[0].min()) // 100 for batch in got] == [0, 1, 0]


def test_orders_differ_between_epochs_and_seeds():
    orders = [
        source().order(seed, epoch).tolist() for seed in (0, 1) for epoch in (0, 1)
    ]
    assert len({tuple(order) for order in orders}) == 4
