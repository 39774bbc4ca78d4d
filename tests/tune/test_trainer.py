"""What counts as stopped by the median rule."""

from types import SimpleNamespace

import numpy as np
import pytest

from kerasfaces.tune import trainer
from kerasfaces.tune.records import Repeat

pytestmark = pytest.mark.tf


@pytest.mark.parametrize(
    ("n_epochs", "n_seeds", "stopped"), [(3, 1, False), (2, 1, True), (3, 2, True)]
)
def test_stopped_is_what_lost_something(
    n_epochs, n_seeds, stopped, small_config, monkeypatch, tmp_path
):
    """Judged hopeless in its last epoch a training is as long as any (3 epochs)."""

    def hopeless(self, config, features, part, callbacks, number):
        rows = [{"epoch": i + 1} for i in range(n_epochs)]
        logits = np.zeros(2, np.float32)
        return Repeat(
            seed=config.seed,
            rows=rows,
            kept=n_epochs - 1,
            logits=logits,
            weights=[],
            seconds=0.0,
            stopped=True,
        )

    monkeypatch.setattr(trainer.Trainer, "_train", hopeless)
    own = trainer.Trainer(SimpleNamespace(features=lambda config: None))
    found = own.train(small_config, range(n_seeds), trainer.Part(folder=tmp_path))
    assert [one.stopped for one in found] == [stopped]
