"""`python -m experiments.forensic_base train|evaluate`: see README.md beside this file."""

import datetime
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.framework import results_file
from kerasfaces import cli
from kerasfaces.core import config
from kerasfaces.core.files import write_json

HERE = Path(__file__).parent
WEIGHTS = HERE.parent.parent / "kerasfaces" / "models" / "weights"
_EXAMPLES = (
    "python -m experiments.forensic_base train -o runs/forensic_base",
    "python -m experiments.forensic_base evaluate -o runs/forensic_base --data DATA",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Train the forensic base, or measure it as a frozen base."""
    parser = cli.parser("forensic_base", __doc__ or "", _EXAMPLES)
    parser.add_argument("action", choices=("train", "evaluate"))
    cli.Options(parser).folder(None, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--weights", type=Path, default=WEIGHTS, help="folder of the shipped files"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("KERASFACES_DATA", "../shared")),
        help="folder with data/faces and weights",
    )
    parser.add_argument("--record", action="store_true", help="copy results.json here")
    arguments = parser.parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    action = _train if arguments.action == "train" else _evaluate
    return action(arguments)


def _train(arguments: Any) -> int:
    import numpy as np

    from experiments.forensic_base import shipping, training, training_set

    os.nice(19)
    recipe, plan = training_set.Recipe(), training.Plan()
    shards = training_set.make(recipe, arguments.workers)
    hardness = [
        training_set.detail_shares(recipe, shard) for shard in range(recipe.shards)
    ]
    flat = training_set.make_flat(recipe)
    model = training.train(shards, flat, hardness, plan, arguments.output)
    training_facts = {
        "recipe": config.to_dict(recipe),
        "plan": config.to_dict(plan),
        "generators": list(training_set.GENERATORS),
        "generators_of_the_sample_it_never_saw": ["nearest_conv", "vae8x"],
        "images": recipe.shards * recipe.shard_images + 2 * recipe.flat_pairs,
        "command": "python -m experiments.forensic_base train -o DIR",
        "commit": results_file.commit(HERE)[0],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }
    held_out = [np.load(path) for path in shards[-plan.validation_shards :]]
    note = shipping.ship(model, held_out, arguments.weights, training_facts)
    print(f"{arguments.weights / note['file']}: {note['validation']}")
    return 0


def _evaluate(arguments: Any) -> int:
    from experiments.forensic_base import evaluation
    from kerasfaces import sample

    started = time.monotonic()
    imagenet = arguments.data / "weights" / "mobilenetv2_no_top.weights.h5"
    bases = evaluation.bases(arguments.weights, imagenet)
    with tempfile.TemporaryDirectory() as folder:
        manifest = sample.make(Path(folder) / "sample")
        rows = _sample_rows(evaluation.on_sample(bases, manifest))
    if (arguments.data / "data" / "faces" / "manifest.csv").exists():
        rows += _face_rows(evaluation.on_faces(bases, arguments.data))
    else:
        missing = {"table": "real faces", "status": "not run: no data"}
        rows.append(missing)
    results = {
        "commit": results_file.commit(HERE)[0],
        "command": "python -m experiments.forensic_base evaluate -o DIR --data DATA",
        "hours": (time.monotonic() - started) / 3600,
        "rows": rows,
    }
    write_json(arguments.output / "results.json", results)
    if arguments.record:
        write_json(HERE / "results.json", results)
    for row in rows:
        print(row["table"], row.get("row"), row.get("data"), row.get("ours"))
    return 0


def _sample_rows(results: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    return [
        {
            "table": "sample",
            "row": base,
            "data": f"sample, {kind}",
            "split": "test",
            "metric": "auc",
            "ours": {"value": value, "seeds": [0]},
            "published": None,
            "status": "run",
        }
        for base, values in results.items()
        for kind, value in values.items()
    ]


def _face_rows(results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "table": "real faces",
            "row": base,
            "data": "ffhq + stylegan, 256 px",
            "split": "test",
            "metric": "auc",
            "ours": {
                "value": values["mean"],
                "sd": values["sd"],
                "n": values["n_test"],
                "seeds": list(range(len(values["aucs"]))),
                "values": values["aucs"],
            },
            "published": None,
            "status": "run",
        }
        for base, values in results.items()
    ]


if __name__ == "__main__":
    cli.run(main)
