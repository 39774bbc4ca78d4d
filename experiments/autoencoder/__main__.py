"""Train, ship and measure the autoencoder behind `generate autoencoder`."""

import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.autoencoder import portraits, round_trips, training
from experiments.framework import results_file
from experiments.framework.shipping import ship
from kerasfaces import cli
from kerasfaces.core import config
from kerasfaces.core.files import read_json, write_json
from kerasfaces.core.imports import optional_import

HERE = Path(__file__).parent
WEIGHTS = (
    HERE.parent.parent / "kerasfaces" / "generate" / "weights" / "small_autoencoder.npz"
)
COMMAND = "python -m experiments.autoencoder -o DIR"
MAX_BYTES = 3_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """Train (or continue), write the weights, measure them, print the table."""
    parser = cli.parser("autoencoder", __doc__ or "", [COMMAND, f"{COMMAND} --record"])
    parser.prog = "python -m experiments.autoencoder"
    cli.Options(parser).folder(None, required=True)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("KERASFACES_DATA", "../shared")),
        help="folder with data/faces/real (default: KERASFACES_DATA)",
    )
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument(
        "--record",
        action="store_true",
        help="replace the shipped weights and this folder's results.json",
    )
    arguments = parser.parse_args(argv)
    recipe, plan, folder = portraits.Recipe(), training.Plan(), arguments.output
    optional_import("torch", "channels")
    photos = portraits.load(arguments.data, recipe, folder / "sample")
    network = training.train(photos, recipe, plan, folder, arguments.threads)
    file = WEIGHTS if arguments.record else folder / WEIGHTS.name
    note = _note(photos, recipe, plan)
    ship(network, file, note, MAX_BYTES)
    rows = round_trips.compare(_codecs(file, arguments.data), photos.held_out)
    note["validation"] = {
        row["metric"]: row["ours"] for row in rows if row["row"] == "small"
    }
    ship(network, file, note, MAX_BYTES)
    results = {
        "commit": results_file.commit(HERE)[0],
        "command": COMMAND,
        "hours": sum(row["seconds"] for row in read_json(folder / "history.json"))
        / 3600,
        "weights_sha256": read_json(file.with_suffix(".json"))["sha256"],
        "rows": rows,
    }
    write_json(folder / "results.json", results)
    if arguments.record:
        write_json(HERE / "results.json", results)
    for row in rows:
        value, low, high = (row["ours"][key] for key in ("value", "low", "high"))
        print(f"{row['row']:<8}{row['metric']:<12}{value:7.2f} [{low:.2f}, {high:.2f}]")
    return 0


def _codecs(file: Path, data: Path) -> dict[str, round_trips.Codec]:
    """Return the file as written, and TAEF2 where it lies, as the kind runs them."""
    from kerasfaces.generate.kinds.autoencoder import Options, RoundTrip
    from kerasfaces.generate.networks import autoencoders

    loaded = {"small": autoencoders.load_small(file)}
    taef2 = data / "generators" / "taef2_encoder.pth"
    if taef2.is_file():
        loaded["taef2"] = autoencoders.load(str(taef2))
    random = np.random.default_rng(0)  # nothing is drawn without noise

    def codec(each: autoencoders.Loaded) -> round_trips.Codec:
        trip = RoundTrip(each, Options())
        return lambda pixels: trip(pixels, random)

    return {name: codec(each) for name, each in loaded.items()}


def _note(
    photos: portraits.Photos, recipe: portraits.Recipe, plan: training.Plan
) -> dict[str, Any]:
    return {
        "output": "RGB, [0, 1], the round trip",
        "architecture": "layers of the TAESD family, read from the names and shapes",
        "saw": {
            "data": [
                f"{photos.n_portraits} official portraits, public domain "
                f"(real/us_officials, real/us_house; {len(photos.held_out)} people held "
                "out)",
                f"{len(photos.scenes)} photos of the built-in sample (drawn)",
            ],
            "held_out": [f"{path.parent.name}/{path.name}" for path in photos.held_out],
            "recipe": config.to_dict(recipe),
            "plan": config.to_dict(plan),
            "command": COMMAND,
            "commit": results_file.commit(HERE)[0],
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
    }


if __name__ == "__main__":
    cli.run(main)
