"""Train, ship and compare the denoiser behind the learned noise pattern."""

import dataclasses
import datetime
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from experiments.framework import results_file, shipping
from experiments.lnp_denoiser import comparison, pictures, training
from kerasfaces import cli
from kerasfaces.core import config
from kerasfaces.core.files import read_json, write_json
from kerasfaces.core.imports import optional_import

HERE = Path(__file__).parent
WEIGHTS = HERE.parent.parent / "kerasfaces" / "channels" / "weights" / "lnp_small.npz"
TABLES = {"camera noise": False, "camera noise, then JPEG": True}
COMMAND = "python -m experiments.lnp_denoiser -o DIR"


def main(argv: Sequence[str] | None = None) -> int:
    """Train (or continue), write the weights, compare them, print the table."""
    parser = cli.parser("lnp_denoiser", __doc__ or "", [COMMAND, f"{COMMAND} --record"])
    parser.prog = "python -m experiments.lnp_denoiser"
    cli.Options(parser).folder(None, required=True)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(os.environ.get("KERASFACES_DATA", "../shared")),
        help="folder with data/faces/real/us_officials (default: KERASFACES_DATA)",
    )
    parser.add_argument("--threads", type=int, default=2, help="of torch")
    parser.add_argument(
        "--record",
        action="store_true",
        help="replace the shipped weights and this folder's results.json",
    )
    arguments = parser.parse_args(argv)
    started = time.monotonic()
    recipe, plan = pictures.Recipe(), training.Plan()
    optional_import("cv2", "channels")
    optional_import("torch", "channels")
    part = pictures.load(arguments.data, "train", recipe)
    network = training.train(part, recipe, plan, arguments.output, arguments.threads)
    file = WEIGHTS if arguments.record else arguments.output / WEIGHTS.name
    note = _note(part, recipe, plan, network)
    shipping.ship(network, file, note)
    rows, gains = _compare(arguments.data, recipe, file)
    note["validation"] = {
        table: {"psnr_db": _overall(rows, table), "gain_db": gains[table]}
        for table in TABLES
    }
    shipping.ship(network, file, note)
    results = {
        "commit": results_file.commit(HERE)[0],
        "command": COMMAND,
        "hours": _trained_hours(arguments.output),
        "hours_of_comparison": (time.monotonic() - started) / 3600,
        "weights_sha256": read_json(file.with_suffix(".json"))["sha256"],
        "gain_db": gains,
        "rows": rows,
    }
    write_json(arguments.output / "results.json", results)
    if arguments.record:
        write_json(HERE / "results.json", results)
    _print(rows, gains)
    return 0


def _compare(
    data: Path, recipe: pictures.Recipe, file: Path
) -> tuple[list[dict[str, Any]], dict[str, dict[str, float]]]:
    """Compare the file as written, run as the channel runs it."""
    from kerasfaces.channels.kinds import lnp

    denoiser, sha256 = lnp.load_small(file)
    channel = lnp.Lnp(denoiser, sha256, lnp.Options())

    def ours(image: comparison.Pixels) -> comparison.Pixels:
        pattern = channel.compute(image[None], {})[0]
        return np.clip(np.round(image - pattern), 0, 255).astype(np.uint8)

    parts = {part: pictures.load(data, part, recipe) for part in ("tune", "test")}
    rows, gains = [], {}
    for table, jpeg in TABLES.items():
        tune, test = (
            pictures.held_out(clean, part, recipe, jpeg=jpeg)
            for part, clean in parts.items()
        )
        table_rows, gains[table] = comparison.compare(tune, test, ours, table)
        rows += table_rows
    return rows, gains


def _note(
    part: pictures.Part, recipe: pictures.Recipe, plan: training.Plan, network: Any
) -> dict[str, Any]:
    return {
        "output": "noisy - denoised = -M2, same scale",
        "architecture": dataclasses.asdict(network.architecture),
        "saw": {
            "data": [
                f"{len(part.portraits)} official portraits, public domain "
                f"(real/us_officials; {recipe.tune_people + recipe.test_people} people "
                "held out)",
                f"{len(part.scenes)} scenes drawn by kerasfaces.sample",
            ],
            "recipe": config.to_dict(recipe),
            "plan": config.to_dict(plan),
            "command": COMMAND,
            "commit": results_file.commit(HERE)[0],
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
    }


def _trained_hours(folder: Path) -> float:
    history = read_json(folder / "history.json")
    return float(sum(row["seconds"] for row in history) / 3600)


def _overall(rows: list[dict[str, Any]], table: str) -> dict[str, float]:
    return {
        row["row"]: row["ours"]["value"]
        for row in rows
        if (row["table"], row["shot_noise"]) == (table, "all")
    }


def _print(rows: list[dict[str, Any]], gains: dict[str, dict[str, float]]) -> None:
    levels = list(dict.fromkeys(row["shot_noise"] for row in rows))
    for table, gain in gains.items():
        print(f"PSNR in dB on held-out people and scenes, {table}, by shot noise")
        print(f"{'':<34}" + "".join(f"{level:>9}" for level in levels))
        ours = [row for row in rows if row["table"] == table]
        for method in dict.fromkeys(row["row"] for row in ours):
            values = [row["ours"]["value"] for row in ours if row["row"] == method]
            print(f"{method:<34}" + "".join(f"{value:>9.2f}" for value in values))
        for kind in [name for name in gain if ": " not in name]:
            low, high = gain[f"{kind}: low"], gain[f"{kind}: high"]
            print(f"ours - {kind}: {gain[kind]:+.2f} dB [{low:.2f}, {high:.2f}]")


if __name__ == "__main__":
    cli.run(main)
