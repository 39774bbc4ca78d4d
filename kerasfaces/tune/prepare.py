"""A request becomes a study that can run: everything a user can get wrong is found here."""

import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasfaces import manifest as manifests
from kerasfaces.core import config as configs
from kerasfaces.core import environment
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import write_json
from kerasfaces.core.texts import quoted
from kerasfaces.manifest import split as splits
from kerasfaces.tune import offer, records, space
from kerasfaces.tune.material import Material
from kerasfaces.tune.study import Study

FORMAT_VERSION = 1
# What may change between two calls on one folder: how long, not what.
_FREE = {"title", "configure", "bases", "max_trials", "budget_h", "published"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What `tune` was asked for.

    Attributes:
        name: The study's.
        study: The study.
        manifest: Rows, split or not.
        weights: Texts of `--weights`; empty is the default.
        default_weights: `imagenet`, or `forensic` on the sample.
        store: Channel store; None searches on pixels.
        folder: Study folder; None names it by study and manifest.
        workers: Processes; 1 is this one.
        command: The command's own arguments, to start workers with.
        tensorboard: Write TensorBoard logs.
        timeout_s: How long chief and workers wait for each other.
        notes: Sentences for the top of the study's and the winner's report.
    """

    name: str
    study: Study
    manifest: manifests.Manifest
    weights: Sequence[str] = ()
    default_weights: str = "imagenet"
    store: Path | None = None
    folder: Path | None = None
    workers: int = 1
    command: Sequence[str] = ()
    tensorboard: bool = False
    timeout_s: float = 600.0
    notes: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Ready:
    """A request, checked: nothing in it can be a user's mistake any more."""

    request: Request
    offer: offer.Offer
    space: Any
    material: Material
    split: manifests.Manifest
    identity: dict[str, Any]
    folder: Path


def prepare(request: Request) -> Ready:
    """Look for weights and store, declare the space; train and write nothing.

    Raises:
        InputError: A mistake in the study.
        MissingFileError: Weights that were named, or all weights, are missing.
    """
    study = request.study
    found = offer.make(
        study.bases, request.weights, request.default_weights, request.store
    )
    declared = space.declare(study, found)
    probes = space.probes(study, found, declared)
    split = splits.if_needed(request.manifest)
    identity = {
        "format": FORMAT_VERSION,
        "study": request.name,
        "space": space.description(declared),
        "default": configs.to_dict(probes[0]),
        "settings": {
            field.name: getattr(study, field.name)
            for field in dataclasses.fields(study)
            if field.name not in _FREE
        },
        "manifest": split.digest(),
        "weights": {base: each.describe() for base, each in found.found.items()},
        "channels": _channels(request.store),
    }
    digest = configs.digest(identity, 10)
    folder = request.folder or Path("runs") / f"tune-{request.name}-{digest}"
    material = Material(split, found, probes)
    return Ready(request, found, declared, material, split, identity, folder)


def _channels(store: Path | None) -> str | None:
    if store is None:
        return None
    from kerasfaces.dataset.channels import ChannelStore

    return configs.digest(ChannelStore(store).made_by)


def claim(ready: Ready) -> None:
    """Write study.json, or check that it is ours.

    A study that stopped before its first trial (a wrong path) claims nothing.
    """
    folder = ready.folder
    path = folder / "study.json"
    if path.exists():
        changed = configs.diff(records.read_object(path), as_json(ready.identity))
        if changed and any(folder.glob("trial_*")):
            raise RunError(
                f"{folder} holds another study ({'; '.join(changed[:6])}); repeat the old "
                f"command to continue it, or start this one elsewhere: -o {shlex.quote(str(_free(folder)))}"
            )
        if changed:
            for name in ("manifest.csv", "environment.json", "val_labels.npy"):
                (folder / name).unlink(missing_ok=True)
            write_json(path, ready.identity)
    else:
        held = {each.name for each in folder.iterdir() if each.name[0] != "."}
        if held:
            raise RunError(
                f"{folder} is not empty and holds no study (it holds {quoted(min(held))}); choose "
                "another folder with -o."
            )
        write_json(path, ready.identity)
    study = ready.request.study
    about = {
        "title": study.title,
        "max_trials": study.max_trials,
        "budget_h": study.budget_h,
        "published": study.published and dataclasses.asdict(study.published),
        "notes": ready.request.notes,
    }
    write_json(folder / "about.json", about)
    # After study.json: a kill in between leaves a study that is continued.
    if not (folder / "manifest.csv").exists():
        manifests.write(ready.split, folder / "manifest.csv")
    if not (folder / "environment.json").exists():
        write_json(folder / "environment.json", environment.describe())


def as_json(value: dict[str, Any]) -> dict[str, Any]:
    """Return a value as it comes back from JSON: tuples are lists."""
    converted: dict[str, Any] = json.loads(json.dumps(value))
    return converted


def _free(folder: Path) -> Path:
    """Return a name beside `folder` that is not taken."""
    number = 2
    while (other := folder.with_name(f"{folder.name}-{number}")).exists():
        number += 1
    return other
