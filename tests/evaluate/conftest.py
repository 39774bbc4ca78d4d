"""A finished run folder, made of made-up predictions."""

import numpy as np
import pandas as pd
import pytest
from attribute_runs import make_run
from fake_predictions import make_predictions


@pytest.fixture
def frames():
    return {split: make_predictions(split) for split in ("train", "val", "test")}


@pytest.fixture
def finished(tmp_path, frames):
    """A finished run folder, and what `finish` returned."""
    from kerasfaces.evaluate.run import finish

    folder = tmp_path / "runs" / "tiny"
    frames["test"].loc[[2, 5], "logit"] = np.nan
    frames["test"].loc[[2, 5], "reason"] = "cannot be decoded: truncated"
    history = pd.DataFrame(
        {"epoch": [0, 1], "loss": [0.7, 0.5], "val_loss": [0.7, 0.6]}
    )
    metrics = finish(
        folder,
        frames,
        config={"model": "tiny", "head": {"units": [4]}},
        environment={"python": "3"},
        history=history,
        warnings=["The weights are a stand-in."],
        bootstrap=50,
    )
    history.to_csv(folder / "history.csv", index=False)
    (folder / "config.json").write_text('{"model": "tiny"}')
    return folder, metrics


@pytest.fixture
def attribute_run(tmp_path):
    """Return `make_run` in a folder of its own."""
    return lambda *given, **named: make_run(tmp_path / "work", *given, **named)
