"""A small finished run with its export, made on the spot."""

from pathlib import Path
from typing import Any

_PAIRS = 60
_EPOCHS = 5


def small(root: Path) -> tuple[Path, list[Path]]:
    """Return a run of the forensic base on the built-in sample, and the sample's files."""
    from kerasfaces.cli.export import main as export
    from kerasfaces.cli.train import main as train

    manifest = _sample(root)
    run = root / "run"
    words = ["--manifest", str(manifest), "--weights", "forensic", "-o", str(run)]
    train([*words, "--set", f"epochs={_EPOCHS}"])
    export([str(run), "--format", "onnx"])
    return run, sorted(manifest.parent.rglob("*.jpg"))


def _sample(root: Path) -> Path:
    from kerasfaces import sample

    manifest: Any = sample.make(root / "sample", pairs=_PAIRS)
    return Path(manifest)
