"""The numbers of one commit, to hold another one against: equal bytes, or how far apart.

    python tests/golden/golden.py record BEFORE         # runs everything, keeps the results
    python tests/golden/golden.py record AFTER          # at another commit
    python tests/golden/golden.py compare BEFORE AFTER  # prints the differences

Record both on the same machine with the same threads. Every run goes through the command
line, so that a rebuilt inside is measured by what users get. `--data` names a folder with
`real/ffhq` and `fake/stylegan`; without it only the built-in sample is used.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

PAIRS = 240
FACES = 150  # of each class
TOLERANCE = 1e-4  # logits, where the kernels are not the same
Step = tuple[str, list[str], str]  # name, arguments, the file to keep


def main() -> int:
    """Record or compare; 1 where a logit differs by more than `TOLERANCE`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("folders", type=Path, nargs="+", help="of results, NAME.csv")
    parser.add_argument(
        "--data", type=Path, help="folder with real/ffhq, fake/stylegan"
    )
    parser.add_argument("--weights", help="base weights for the faces")
    options = parser.parse_args()
    if len(options.folders) != 1 + (options.what == "compare"):
        parser.error("record takes one folder, compare two")
    if options.what == "compare":
        return _compare(*options.folders)
    (target,) = options.folders
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="golden-") as scratch:
        made = Path(scratch)
        for name, command, result in _steps(made, options.data, options.weights):
            _run(name, command, made)
            if result:
                shutil.copyfile(made / result, target / f"{name}.csv")
    return 0


def _steps(made: Path, data: Path | None, weights: str | None) -> Iterator[Step]:
    """Yield every command in order."""
    sample, few = str(made / "sample"), ["--set", "epochs=8"]
    yield "sample", ["sample", "-o", sample, "--pairs", str(PAIRS)], ""
    yield from _of(made, "sample", f"{sample}/manifest.csv", "forensic", few)
    if data is None:
        return
    faces = made / "faces"
    for folder in ("real/ffhq", "fake/stylegan"):
        (faces / folder).mkdir(parents=True)
        for path in sorted((data / folder).glob("*.jpg"))[:FACES]:
            shutil.copyfile(path, faces / folder / path.name)
    manifest = str(faces / "manifest.csv")
    yield "faces", ["manifest", "build", str(faces), "-o", manifest], ""
    yield "faces-split", ["manifest", "split", manifest], ""
    yield from _of(made, "faces", manifest, weights or "imagenet", few)


def _of(
    made: Path, name: str, manifest: str, weights: str, few: list[str]
) -> Iterator[Step]:
    """Yield what is recorded of one data set."""

    def run(part: str) -> str:
        return str(made / f"{name}-{part}")

    base = ["--manifest", manifest, "--weights", weights]
    frozen = run("frozen")
    yield (
        f"{name}-frozen",
        ["train", *base, *few, "-o", frozen],
        f"{name}-frozen/predictions_test.csv",
    )
    end = ["--model", "two_layer_cnn", "--set", "epochs=2"]
    yield (
        f"{name}-end-to-end",
        ["train", "--manifest", manifest, *end, "-o", run("end")],
        f"{name}-end/predictions_test.csv",
    )
    store = run("store")
    small = ["--channels", "rgb,lnp", "--set", "size_px=64"]
    yield f"{name}-store", ["channels", manifest, "-o", store, *small], ""
    on_channels = ["--model", "mobilenetv2", "--set", "model.inputs=rgb,lnp"]
    yield (
        f"{name}-channels",
        ["train", *base, *few, "--store", store, *on_channels, "-o", run("lnp")],
        f"{name}-lnp/predictions_test.csv",
    )
    yield (
        f"{name}-predict",
        [
            "predict",
            frozen,
            str(Path(manifest).parent),
            "--quick",
            "--csv",
            run("predict.csv"),
        ],
        f"{name}-predict.csv",
    )
    if name == "sample":
        crossed = [*base, *few, "--repeat", "1", "-o", run("crossgen")]
        yield (
            f"{name}-crossgen",
            ["crossgen", *crossed],
            f"{name}-crossgen/crossgen.csv",
        )
        yield (
            f"{name}-attribute",
            ["attribute", frozen, "-o", run("attribute")],
            f"{name}-attribute/attribution_test.csv",
        )
        study = ["tune", "frozen_hour", *base, "--max-trials", "4", "-o", run("tune")]
        yield (
            f"{name}-winner",
            study,
            f"{name}-tune/winner/predictions_test.csv",
        )


def _run(name: str, command: list[str], made: Path) -> None:
    environment = os.environ | {"KERASFACES_CACHE": str(made / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", "kerasfaces", *command],
        env=environment,
        capture_output=True,
        text=True,
    )
    verdicts = (3, 4, 5) if command[0] == "predict" else ()  # docs/how-to/predict.md
    if done.returncode and done.returncode not in verdicts:
        sys.stderr.write(done.stderr[-2000:])
        raise SystemExit(f"{name}: exit code {done.returncode}")
    sys.stderr.write(f"{name}\n")


def _compare(folder: Path, made: Path) -> int:
    worst = 0.0
    for before in sorted(folder.glob("*.csv")):
        after = made / before.name
        if not after.exists():
            sys.stdout.write(f"{before.stem}: not made\n")
            worst = np.inf
            continue
        same = before.read_bytes() == after.read_bytes()
        far = 0.0 if same else _distance(before, after)
        worst = max(worst, far)
        shown = "equal bytes" if same else f"largest difference {far:.2e}"
        sys.stdout.write(f"{before.stem}: {shown}\n")
    return int(worst > TOLERANCE)


def _distance(before: Path, after: Path) -> float:
    """Return the largest difference of a number; infinite where rows or texts differ."""
    a, b = _read(before), _read(after)
    columns = [name for name in a.columns if name in b.columns]
    if len(a) != len(b) or ("logit" in a.columns and "logit" not in b.columns):
        return float("inf")
    numbers = [n for n in columns if a[n].dtype.kind == "f" and b[n].dtype.kind == "f"]
    texts = [n for n in columns if n not in numbers]
    if not a[texts].astype(str).equals(b[texts].astype(str)):
        return float("inf")
    return float(np.nanmax(np.abs(a[numbers].to_numpy() - b[numbers].to_numpy())))


def _read(path: Path) -> pd.DataFrame:
    """Return a table whose paths are names: the folders are new in every recording."""
    table = pd.read_csv(path)
    if "path" in table:
        table["path"] = [Path(text).name for text in table["path"]]
    return table


if __name__ == "__main__":
    raise SystemExit(main())
