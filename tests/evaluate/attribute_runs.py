"""Runs of made-up predictions whose groups fare alike, or do not."""

import json

from fake_predictions import make_predictions

from kerasfaces.evaluate import attribute_words
from kerasfaces.evaluate.run import evaluate_run, finish

GENDER = {
    "annotator": "gear",
    "classes": ["man", "woman"],
    "confusion": [[140, 10], [6, 144]],
    "n": 300,
}


def make_run(folder, change=lambda frame: frame, n=400, entry=None, by=None, text=None):
    """Write a run of made-up predictions; return its attributes on test."""
    root = folder / "images"
    root.mkdir(parents=True)
    if text or entry:
        content = text or json.dumps({"attr_gender": entry})
        (root / "annotators.json").write_text(content, encoding="utf-8")
    frames = {split: change(make_predictions(split, n)) for split in ("val", "test")}
    config = {"config": {"model": "x"}, "environment": {}, "bootstrap": 20}
    metrics = finish(folder / "run", frames, **config, image_root=root)
    if by:
        metrics = evaluate_run(folder / "run", by=by)
    return metrics["attributes"]["test"]


def women_fail(frame):
    women = (frame["attr_gender"] == "woman") & (frame["label"] == "real")
    return frame.assign(logit=frame["logit"] + 2.0 * women)


def every_sentence(content, column="attr_gender"):
    return [
        *attribute_words.quotes(column, content),
        *attribute_words.notes(column, content),
    ]
