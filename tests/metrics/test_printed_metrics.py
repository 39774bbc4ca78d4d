"""Metrics at probability 1/2, over seeds, beside those by hand."""

import numpy as np
import pytest

from kerasfaces.metrics import printed_metrics


def test_means_over_seeds_by_hand():
    labels = np.array([0, 0, 1, 1])
    logits = np.array([[-1.0, 2.0, 1.0, 3.0], [-1.0, -1.0, -2.0, 3.0]])
    found = {k: v.value for k, v in printed_metrics.measure(labels, logits).items()}
    assert found["accuracy"] == pytest.approx((3 / 4 + 3 / 4) / 2)
    assert found["precision"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["recall"] == pytest.approx((1 + 1 / 2) / 2)
    loss = np.mean(np.log1p(np.exp(np.where(labels == 1, -logits, logits))))
    assert found["loss"] == pytest.approx(loss)
    silent = printed_metrics.measure(labels, -np.ones((1, 4)))["precision"]
    assert silent.method == "not defined: nothing was called fake"
