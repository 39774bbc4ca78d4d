"""A study folder with made-up trials and a winner."""

import numpy as np

from kerasfaces.core import rng
from kerasfaces.core.files import write_json
from kerasfaces.evaluate import run as evaluation


def fake_search(folder, study, values, manifest, better):
    """Write a study folder: one trial per mapping of values; the last one wins."""
    from kerasfaces.run import trials as records

    if (folder / "result.json").exists():
        return
    folder.mkdir(parents=True)
    rows = manifest.rows
    labels = (rows.loc[rows["split"] == "val", "label"] == "fake").to_numpy(np.float32)
    np.save(folder / "val_labels.npy", labels)
    weights = {"kind": "file", "file": "base.h5", "sha256": "0" * 64}
    write_json(folder / "study.json", {"weights": {study.bases[0]: weights}})
    for i, one in enumerate(values):
        state = {
            "trial_id": f"{i:04d}",
            "hyperparameters": {"values": dict(one)},
            "status": "COMPLETED",
            "score": 0.5 + 0.01 * i,
            "seconds": 60.0,
            "message": None,
            "repeats": [{"seed": study.seed, "epochs": 1, "stopped": False}],
        }
        records.write(folder, state)
        random = rng.generator(i, "logits").normal(0, 1, labels.size) + labels
        np.savez(
            records.folder_of(folder, state["trial_id"]) / "logits.npz",
            **{f"seed_{study.seed}": random.astype(np.float32)},
        )
    frames = {}
    for name in ("val", "test"):
        part = rows[rows["split"] == name].drop(columns="sha256")
        logit = rng.generator(study.seed, name).normal(0, 1, len(part))
        logit = logit + better * (part["label"] == "fake")
        frames[name] = part.assign(logit=logit, score=np.nan, reason="")
    evaluation.finish(
        folder / "winner", frames, config={}, environment={}, bootstrap=20
    )
    result = {
        "run": "winner",
        "n_trials": len(values),
        "n_like_best": 2,
        "search": 0.8,
        "validation": 0.78,
        "test": 0.75,
        "optimism": 0.05,
    }
    write_json(folder / "result.json", result)
