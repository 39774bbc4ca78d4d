"""The six long commands on tiny images, and what they come to."""

import pandas as pd

TRAIN = [
    "model.size_px=32",
    "model.taps=block_1_expand_relu",
    "model.options.alpha=0.35",  # else two whole networks tell the width of the weights
    "epochs=3",
]
SETTINGS = [word for each in TRAIN for word in ("--set", each)]
STUDY = '''"""A test's study."""
from kerasfaces.core.config import updated
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.study import Study


def get_study():
    return Study(
        title="t", configure=configure, bases=("mobilenetv2",), oracle="random",
        max_trials=2,
    )


def configure(hp, components):
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    model = ModelConfig(
        size_px=32, taps=("block_1_expand_relu",), head=HeadConfig(units=(4,))
    )
    model = updated(model, {"options": {"alpha": 0.35}})
    return TrainConfig(
        model=model, epochs=4, batch_size=16, learning_rate=rate, patience=None
    )
'''
# A finished command's exit code; predict's says what the verdicts are.
CODES = {"predict": (0, 3, 4, 5)}
NAMES = ("train", "tune", "channels", "crossgen", "predict", "launder")


def write_inputs(folder, images):
    """Write the manifest and the study."""
    lines = ["path,label,source,split"]
    for path in sorted(images.rglob("*.png")):
        number = int(path.stem)
        split = "train" if number < 24 else "val" if number < 30 else "test"
        label, source = path.parts[-3:-1]
        if label == "fake" and number % 2:
            source = "diffusion"
        lines.append(f"{path},{label},{source},{split}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    (folder / "study.py").write_text(STUDY)


def arguments(name, inputs, weights, images, run):
    """Return a command's arguments; it writes `o` in the folder it runs in."""
    given = ["--manifest", inputs / "manifest.csv", "--weights", weights]
    return {
        "train": [*given, *SETTINGS, "-o", "o"],
        "tune": [inputs / "study.py", *given, "-o", "o"],
        "crossgen": [*given, *SETTINGS, "--at-least", "12", "--repeat", "1", "-o", "o"],
        "channels": [
            *(inputs / "manifest.csv", "--channels", "rgb,spectrum", "-o", "o"),
            *("--set", "spectrum.of=rgb", "--set", "size_px=64"),
        ],
        "predict": [run, images / "real", "--csv", "o/scores.csv", "--engine", "keras"],
        "launder": [run, "--only", "jpeg,blur", "--at-least", "3", "-o", "o"],
    }[name]


def results(name, folder):
    """Return what a finished command came to, as far as it must be the same again."""
    names = {
        "train": ["predictions_val.csv", "predictions_test.csv"],
        "tune": ["trial_*/logits*.npy", "*/predictions_test.csv"],
        "crossgen": ["crossgen.csv", "runs/*/seed-0/predictions_test.csv"],
        "channels": ["[!.]*.npy", "index.csv"],
        "predict": ["scores.csv"],
        "launder": ["launder.csv", "laundered.csv"],
    }[name]
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in names
        for path in folder.glob(pattern)
    }
    if name == "tune":
        table = pd.read_csv(folder / "leaderboard.csv")
        times = [column for column in table if "second" in column]
        found["leaderboard"] = table.drop(columns=times).to_csv().encode()
    assert len(found) >= len(names)
    return found


def finished(folder):
    """Return the files that must not be made again, and when they were made."""
    patterns = ("[!.]*.npy", "metrics.json", "result.json", "scores.csv")
    return {
        path: path.stat().st_mtime_ns
        for pattern in patterns
        for path in folder.rglob(pattern)
        if _is_finished(path)
    }


def _is_finished(path):
    """Tell whether what makes a file count is there, which comes a moment after it."""
    if path.name == "metrics.json":
        return path.with_name("report.html").exists()
    index = path.with_name("index.csv")
    return path.suffix != ".npy" or not index.exists() or path.name in index.read_text()
