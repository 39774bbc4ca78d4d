"""A finished run -> the folder that is published: a run folder of what others need.

Left behind are manifest.csv, predictions, report.html, history and checkpoints: they name
files or show pictures. What stays is written anew without them, and `published.json` has
the SHA-256 of every file that is read back.
"""

import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from kerasfaces import __version__
from kerasfaces.core.errors import MissingFileError, RunError
from kerasfaces.core.files import Json, read_json, sha256, write_json
from kerasfaces.run import foreign_classes
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.opening import DESCRIPTION as EXPORT
from kerasfaces.serve.publish.privacy import Private

logger = logging.getLogger(__name__)

FILE = DetectorRun.PUBLISHED
FORMAT = 1  # of published.json
_EXPORTED = r"exports/[a-z0-9_]+(/[A-Za-z0-9][\w.-]*)+"
_KNOWN_OF_MACHINE = ("python", "packages", "keras_backend")


def is_ours(name: str) -> bool:
    """Tell whether a published file belongs to a run: nothing else is ever read back."""
    exported = bool(re.fullmatch(_EXPORTED, name)) and ".." not in name
    return name in DetectorRun.PUBLIC or exported


def write(
    run: DetectorRun,
    target: Path,
    repo: str,
    private: Private,
    with_features: bool = True,
) -> Json:
    """Write what is published of a run into an empty folder, without card and example.

    `with_features`: the training features, too, without hashes of files. Returns the
    content of published.json.

    Raises:
        RunError: The run is damaged, or model.keras names code or foreign classes.
    """
    if not run.learnt_files:
        raise MissingFileError(f"{run.path} has no weights; train the run again.")
    foreign_classes.refuse(run.model_file)
    for name in DetectorRun.PUBLIC:
        if (run.path / name).is_file():
            shutil.copyfile(run.path / name, target / name)
    there = DetectorRun(target)  # in which some files are written anew
    _training_features(run, there, with_features)
    there.config = _config(run)
    machine = run.environment
    there.environment = {k: machine[k] for k in _KNOWN_OF_MACHINE if k in machine}
    if training := run.training:
        there.training = {"engine": training.get("engine", "")}
    there.metrics = _metrics(run, private)
    left_out = _copy_exports(run, target, repo)
    content = {
        "format": FORMAT,
        "kerasfaces": __version__,
        "repo": repo,
        "trained_on": run.image_counts(),
        "exports_left_out": left_out,
        "files": files_of(target),
    }
    there.published = content
    return content


def _training_features(run: DetectorRun, there: DetectorRun, keep: bool) -> None:
    """Write the training features without the hashes of files, or leave them out."""
    features = run.training_features if keep else None
    if features is None:
        there.training_features_file.unlink(missing_ok=True)
    else:
        features.without_hashes().write(there.training_features_file)


def files_of(folder: Path) -> Json:
    """Return size and SHA-256 of every file of a folder that is read back."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file()
    }
    return {
        name: {"bytes": path.stat().st_size, "sha256": sha256(path)}
        for name, path in sorted(files.items())
        if is_ours(name)
    }


def _config(run: DetectorRun) -> Json:
    """Return the configuration without the name of the user's weights file."""
    config = run.config
    weights = config.get("weights")
    if isinstance(weights, Mapping) and weights.get("kind") == "file":
        name = f"weights-{str(weights.get('sha256', ''))[:12]}"
        config["weights"] = {**weights, "file": name}
    return config


def _metrics(run: DetectorRun, private: Private) -> Json:
    """Return the metrics without the images' folder, and without warnings that name files."""
    content = {k: v for k, v in run.metrics.items() if k != "image_root"}
    warnings = content.get("warnings", [])
    content["warnings"] = [w for w in warnings if not any(private.found_in(str(w)))]
    return content


def _copy_exports(run: DetectorRun, target: Path, repo: str) -> Json:
    """Copy the exports of this very network and operating point; return why others are not."""
    left_out: Json = {}
    for file in sorted(run.path.glob(f"exports/*/{EXPORT}")):
        content = read_json(file)
        if not isinstance(content, dict) or "files" not in content:
            raise RunError(
                f"{file} is damaged; delete its folder and export the run again."
            )
        if why := _differs(run, content):
            left_out[file.parent.name] = why
            logger.warning("%s is left out: %s; export the run again", file.parent, why)
            continue
        folder = target / "exports" / file.parent.name
        for name in content["files"]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.parent / name, folder / name)
        content["source"] = {**content["source"], "run": repo.rpartition("/")[2]}
        write_json(folder / EXPORT, content)
    return left_out


def _differs(run: DetectorRun, content: Json) -> str:
    """Say in what an export is not of this run as it is now; empty where it is."""
    made_of = content.get("source", {}).get("sha256")
    if not run.model_file.is_file() or made_of != sha256(run.model_file):
        return "it was made of another network than the run's"
    if content.get("operating_point") != run.operating_point.to_json():
        return "it has another threshold or calibration than the run"
    return ""
