"""A finished run -> a file that another runtime reads, with all it takes to use it.

The file is run by its own runtime and compared with Keras before it appears; beside it
stands export.json: what goes in, what comes out, what a logit means, what was measured.
"""

import contextlib
import dataclasses
import functools
import importlib.metadata
import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from kerasfaces import __version__
from kerasfaces.core import folders, registry
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import Json, read_json, sha256, write_json
from kerasfaces.core.imports import import_keras, optional_import, quiet
from kerasfaces.core.texts import quoted
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve import carried_channels, golden, opening, parity
from kerasfaces.serve.formats import EMBEDDING, INPUT, OUTPUT, PACKAGE, Outputs, trace
from kerasfaces.serve.golden import Golden

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

FILE = opening.DESCRIPTION
_REASON = 160  # characters of another library's complaint


def export(folder: Path, kind: str, target: Path | None = None) -> tuple[Path, Json]:
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
    earlier = earlier_export(target)
    import_keras()
    network = run.network
    identity = {
        "layout": opening.LAYOUT,
        "kerasfaces": __version__,
        "format": kind,
        "source": {
            "run": run.name,
            "model": network.model.name,
            "sha256": sha256(run.model_file),
        },
        "input_spec": run.input_spec,
        "operating_point": run.operating_point.to_json(),
    }
    is_carried = carried_channels.is_carried(run, form)
    if is_carried:
        identity["makes_channels"] = True
    elif form.EMBEDS:
        identity["final_layer"] = EMBEDDING
    if earlier.items() >= identity.items() and earlier["files"] == hashes(target):
        logger.info("%s is there already, made from this very run", target)
        return target / form.FILE, earlier
    _require(kind, (*form.MODULES, *(form.JOINS if is_carried else ())))
    model = network.load()
    with (
        carried_channels.graph_of(run, is_carried) as channels,
        replacing(target) as part,
    ):
        try:
            measured = _write(run, model, form, part, identity, channels)
        except RunError as error:
            raise RunError(
                f"{folder} cannot be exported as {kind}: {error}; nothing was kept. Other "
                f"formats: {', '.join(n for n in registry.names(PACKAGE) if n != kind)}."
            ) from error
        content = identity | measured | {"files": hashes(part)}
        write_json(part / FILE, content)
    return target / form.FILE, content


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield an empty folder, hidden beside `target`, that takes its place when all went well.

    What a killed process left there is removed.

    Raises:
        LockedError: Another process writes there.
    """
    part = target.with_name(f".{target.name}.part")
    old = target.with_name(f".{target.name}.old")
    with folders.lock(part, "export"):
        for each in part.iterdir():
            if each.name != folders.LOCK:
                folders.remove(each)
        folders.remove(old)
        try:
            yield part
            for file in _files(part):
                with file.open("rb+") as opened:
                    os.fsync(opened.fileno())
            (part / folders.LOCK).unlink()
            if target.exists():
                target.rename(old)
            part.rename(target)
        except BaseException:
            folders.remove(part)
            raise
        folders.remove(old)


def _write(
    run: DetectorRun,
    model: "keras.Model",
    form: ModuleType,
    part: Path,
    identity: Json,
    channels: Path | None,
) -> Json:
    """Write the file, run it, and return what export.json says of it."""
    from kerasfaces.serve import quantised

    interface = _interface(run, tuple(model.input_shape[1:]), bool(channels))
    if channels:
        vectors = carried_channels.golden_of(run)
    else:
        vectors = _golden(run, model, form.EMBEDS)
    file = part / form.FILE
    try:
        with quiet(tell=False):
            examples = functools.partial(quantised.calibration_inputs, run)
            form.write(trace(model, examples, channels), file)
            if form.QUANTISED:
                logits = form.outputs(file)(vectors.inputs)[0][:, 0].astype(np.float64)
                vectors = dataclasses.replace(
                    vectors, logits=logits, limit=quantised.LIMIT
                )
            inside = identity | interface | {"golden": vectors.to_json()}
            form.embed(file, json.dumps(inside))
            outputs = form.outputs(file)
            golden.require(outputs, vectors, "the exported file")
            if form.QUANTISED:
                measured = {"quantised": quantised.cost(run, outputs)}
            else:
                measured = {"parity": _parity(run, model, outputs, bool(channels))}
    except (RunError, OSError):  # a full disk is not the format's fault
        raise
    except Exception as error:  # whatever a converter or a runtime says
        reason = " ".join(str(error).split())[:_REASON] or type(error).__name__
        raise RunError(f"this network does not fit the format ({reason})") from error
    write_json(part / golden.FILE, vectors.to_json())
    runtime = {
        "package": form.RUNTIME,
        "version": _version(form.RUNTIME),
        "advice": form.ADVICE,
    }
    return interface | {"runtime": runtime} | measured


def _parity(
    run: DetectorRun, model: "keras.Model", outputs: Outputs, makes_channels: bool
) -> Json:
    """Compare a file with Keras on images of the test split."""
    import keras

    from kerasfaces.features import engines

    limit = parity.LIMIT_OF_CHANNELS if makes_channels else parity.LIMIT
    if makes_channels:
        inputs, expected, description = carried_channels.examples(run)
    else:
        inputs, description = parity.examples(run, tuple(model.input_shape[1:]))
        expected = engines.eagerly(model, inputs)
    return {
        "against": f"keras {keras.__version__}",
        "on": description,
        "limit": limit,
        "worst_by_batch": parity.worst(outputs, expected, inputs, limit),
    }


def _golden(run: DetectorRun, model: "keras.Model", embeds: bool) -> Golden:
    """Return drawn inputs with Keras' logits, and with the head's final layer."""
    from kerasfaces.features import engines
    from kerasfaces.models.network import embedder_of

    low, high = parity.value_ranges(run)
    levels = golden.draw(model.input_shape[1:])
    values = golden.to_values(levels, low, high)
    logits = engines.eagerly(model, values)[:, 0].astype(np.float64)
    embedding = engines.eagerly(embedder_of(model), values) if embeds else None
    return Golden(levels, low, high, logits, parity.LIMIT, embedding)


def _interface(run: DetectorRun, shape: tuple[int, ...], makes_channels: bool) -> Json:
    """Return what goes in and what comes out."""
    network, names = run.network, run.network.model.channel_names
    values = (
        "pixels 0..255, sRGB, cropped and resized by input_spec (crops are one below the "
        "other); the rest of the preprocessing is inside"
    )
    if makes_channels:
        shape, names = network.input_spec.shape, ("red", "green", "blue")
        values += ", noise pattern and spectra as well"
    elif network.channel_recipe is not None:
        values = "channels made by input_spec's channel_recipe (kerasfaces channels), not photos"
    return {
        "input": {
            "name": INPUT,
            "shape": [None, *shape],
            "dtype": "float32",
            "channels": list(names),
            "values": values,
        },
        "output": {
            "name": OUTPUT,
            "shape": [None, 1],
            "labels": {"negative": "real", "positive": "fake"},
            "score": "sigmoid(a * logit + b), a and b of operating_point.calibrator",
        },
    }


def _version(package: str) -> str:
    """Return an installed package's version; some have builds under names of their own."""
    for name in (package, f"{package}-cpu", f"{package}-gpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)
    return "unknown"


def _require(kind: str, modules: Sequence[str]) -> None:
    """Refuse another backend than TensorFlow, and what is not installed."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"`format={kind!r}` is made from TensorFlow's graph, and KERAS_BACKEND is "
            f"{keras.backend.backend()}: unset it."
        )
    with quiet():
        for module in modules:
            optional_import(module, "export")


def earlier_export(target: Path) -> Json:
    """Return what an earlier export.json says; refuse files that no export wrote."""
    if target.exists() and not target.is_dir():
        raise InputError(f"{target} is a file; give a folder with -o.")
    there = {str(file.relative_to(target)) for file in _files(target)}
    content = read_json(target / FILE) if FILE in there else None
    files = content.get("files") if isinstance(content, dict) else None
    if not isinstance(files, dict):
        content, files = {}, {}
    others = there - files.keys() - {FILE}
    if others:
        raise RunError(
            f"{target} holds {quoted(min(others))}, which no export wrote; choose another "
            "folder with -o."
        )
    return content or {}


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every exported file, by its path."""
    return {
        str(file.relative_to(folder)): sha256(file)
        for file in _files(folder)
        if file.name not in (FILE, folders.LOCK)
    }


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())
