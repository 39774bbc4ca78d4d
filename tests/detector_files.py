"""Run folders and foreign CSV files of made-up detectors of the same images."""

import numpy as np
from fake_predictions import make_predictions


def make_run(folder, shift=2.0, n=120, seed=0):
    """Write what a comparison reads of a finished run; no report, which takes a second."""
    from kerasfaces.core.files import write_json
    from kerasfaces.run import predictions
    from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point

    frames = {split: scored(split, shift, n, seed) for split in ("val", "test")}
    point = choose_operating_point(ValidationPredictions(frames["val"]))
    for split, frame in frames.items():
        frame = frame.assign(score=point.apply(frame["logit"]))
        predictions.write(frame, folder / f"predictions_{split}.csv")
    write_json(folder / "operating_point.json", point.to_json())
    write_json(folder / "config.json", {"model": folder.name})
    write_json(folder / "metrics.json", {"metrics": {}, "image_root": None})
    return folder


def scored(split, shift=2.0, n=120, seed=0):
    """Return predictions that share a part of their noise with other detectors'."""
    frame = make_predictions(split, n, seed=0, shift=0)
    own = np.random.default_rng([seed, n]).normal(0, 1, n)
    fake = (frame["label"] == "fake").to_numpy()
    return frame.assign(logit=frame["logit"] + own + shift * fake - shift / 2)


def write_csv(path, frame, column="score"):
    """Write path, label, source, split and one column, as somebody else would."""
    import pandas as pd

    values = frame["logit"] if column == "logit" else 1 / (1 + np.exp(-frame["logit"]))
    table = frame[["path", "label", "source", "split"]].assign(**{column: values})
    pd.DataFrame(table).to_csv(path, index=False)
    return path
