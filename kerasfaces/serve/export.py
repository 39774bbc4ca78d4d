"""A finished run -> a file that another runtime reads, with all it takes to use it.

The file is run by its own runtime and compared with Keras before it appears; beside it
stands export.json: what goes in, what comes out, what a logit means, what was measured.
"""

import importlib.metadata
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasfaces import __version__
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json, sha256, write_json
from kerasfaces.core.imports import import_keras, optional_import, quiet
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import parity
from kerasfaces.serve.replace import replacing
from kerasfaces.serve.traced import INPUT, OUTPUT, trace

if TYPE_CHECKING:
    from kerasfaces.run.network import TrainedNetwork

logger = logging.getLogger(__name__)

PACKAGE = "kerasfaces.serve.formats"
FILE = "export.json"
_REASON = 160  # characters of another library's complaint


def export(
    folder: Path, kind: str, target: Path | None = None
) -> tuple[Path, dict[str, Any]]:
    """Export a run's network; what was exported already is left as it is.

    Args:
        folder: A finished run of a network.
        kind: A format of `PACKAGE`.
        target: The folder to write; by default `RUN/exports/<kind>`.

    Returns:
        The written file and the content of export.json.

    Raises:
        KerasfacesError: The run is none of a network or unfinished, an extra is missing,
            the folder holds something else, the format cannot hold the network, or the
            file computes something else than Keras; nothing is left behind.
    """
    form = registry.load(PACKAGE, kind)
    run = DetectorRun.open(folder)
    target = (target or folder / "exports" / kind).resolve()
    held = _held(target)
    import_keras()
    trained = run.network
    identity = {
        "kerasfaces": __version__,
        "format": kind,
        "source": {
            "run": run.name,
            "model": trained.model.name,
            "sha256": sha256(run.model_file),
        },
        "input_spec": run.input_spec,
        "operating_point": run.operating_point.to_json(),
    }
    if _is_made(target, held, identity):
        logger.info("%s is there already, made from this very run", target)
        return target / form.FILE, held
    _require(kind, form)
    model = trained.load()
    with replacing(target) as part:
        try:
            measured = _write(trained, model, form, part)
        except RunError as error:
            raise RunError(
                f"{folder} cannot be exported as {kind}: {error}; nothing was kept. Other "
                f"formats: {', '.join(n for n in registry.names(PACKAGE) if n != kind)}."
            ) from error
        content = identity | measured | {"files": _hashes(part)}
        write_json(part / FILE, content)
    return target / form.FILE, content


def _write(
    trained: "TrainedNetwork", model: Any, form: Any, part: Path
) -> dict[str, Any]:
    """Write the file, run it, and return what export.json says of it.

    Raises:
        RunError: The format cannot hold the network, or its answers differ.
    """
    import keras

    from kerasfaces.features import engines

    shape = tuple(model.input_shape[1:])
    shown = parity.examples(trained, shape)
    expected = engines.eagerly(model, shown.inputs)
    try:
        with quiet(tell=False):
            form.write(trace(model), part / form.FILE)
            opened = form.opened(part / form.FILE)
            found = parity.worst(opened, expected, shown.inputs)
    except RunError:
        raise
    except Exception as error:  # whatever a converter or a runtime says
        reason = " ".join(str(error).split())[:_REASON] or type(error).__name__
        raise RunError(f"this network does not fit the format ({reason})") from error
    names = list(trained.model.channel_names)
    return {
        "input": {
            "name": INPUT,
            "shape": [None, *shape],
            "dtype": "float32",
            "channels": names,
            "values": "pixels 0..255, sRGB, cropped and resized by input_spec; the rest of "
            "the preprocessing is inside"
            if trained.channel_recipe is None
            else "channels made by input_spec's channel_recipe (kerasfaces channels), not "
            "photos",
        },
        "output": {
            "name": OUTPUT,
            "shape": [None, 1],
            "labels": {"negative": "real", "positive": "fake"},
            "score": "sigmoid(a * logit + b), a and b of operating_point.calibrator",
        },
        "runtime": {
            "package": form.RUNTIME,
            "version": _version(form.RUNTIME),
            "advice": form.ADVICE,
        },
        "parity": {
            "against": f"keras {keras.__version__}",
            "on": shown.what,
            "limit": parity.LIMIT,
            "worst_by_batch": found,
        },
    }


def _version(package: str) -> str:
    """Return an installed package's version; some have builds under names of their own."""
    for name in (package, f"{package}-cpu", f"{package}-gpu"):
        try:
            return importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def _require(kind: str, form: Any) -> None:
    """Refuse another backend than TensorFlow, and what is not installed."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"`format={kind!r}` is made from TensorFlow's graph, and KERAS_BACKEND is "
            f"{keras.backend.backend()}: unset it."
        )
    with quiet():
        for module in form.MODULES:
            optional_import(module, "export")


def _held(target: Path) -> dict[str, Any]:
    """Return what an earlier export wrote, {} where there is nothing.

    Raises:
        RunError: The folder holds files that no export wrote.
    """
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; give a folder with -o.")
    there = {
        str(file.relative_to(target)) for file in target.rglob("*") if file.is_file()
    }
    held = read_json(target / FILE) if FILE in there else {}
    files = held.get("files") if isinstance(held, dict) else None
    known = set(files) if isinstance(files, dict) else set()
    others = there - known - {FILE}
    if others:
        raise RunError(
            f"{target} holds {quoted(min(others))}, which no export wrote; choose another folder "
            "with -o."
        )
    return held if isinstance(held, dict) else {}


def _is_made(target: Path, held: dict[str, Any], identity: dict[str, Any]) -> bool:
    same = {key: held.get(key) for key in identity} == identity
    return same and held.get("files") == _hashes(target)


def _hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every exported file, by its path."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        str(file.relative_to(folder)): sha256(file)
        for file in files
        if file.name not in (FILE, ".lock")
    }
