"""What computes a run here: the first engine that has the run's export, or can get it."""

import importlib.util
import logging

from kerasfaces.channels import graph
from kerasfaces.core import folders
from kerasfaces.core.errors import InputError, KerasfacesError, MissingExtraError
from kerasfaces.core.files import read_json, sha256
from kerasfaces.run.folder import DetectorRun
from kerasfaces.run.network import reading
from kerasfaces.serve import opening
from kerasfaces.serve.reference import Reference

logger = logging.getLogger(__name__)

FORMATS = {"onnxruntime": "onnx", "openvino": "openvino"}  # engine -> what it reads
NAMES = ("auto", *FORMATS, "keras")


def choose(run: DetectorRun, engine: str) -> str:
    """Return the engine to use, its export made; see `exported.ExportedDetector.open`."""
    if engine == "keras":
        Reference.require(run)
        return engine
    why = _takes_no_pixels(run)
    if why and engine != "auto":
        raise InputError(f"{run.path}: {why}; give engine 'keras' or 'auto'.")
    if why:
        logger.warning("%s: %s; Keras computes", run.path, why)
        Reference.require(run)
        return "keras"
    wanted = tuple(FORMATS) if engine == "auto" else (engine,)
    installed = [name for name in wanted if _has(name)]
    if not installed and engine != "auto":
        raise MissingExtraError(
            f"{engine} is not installed; run: pip install 'kerasfaces[export]'"
        )
    for name in installed:
        if _is_current(run, FORMATS[name]):
            return name
    return _make(run, installed, engine == "auto")


def _make(run: DetectorRun, engines: list[str], may_fall_back: bool) -> str:
    """Export the run for the first engine that can be had, else fall back to Keras."""
    if not Reference.is_here(run):
        kind = FORMATS[engines[0]] if engines else "onnx"
        raise InputError(
            f"{run.path} has no export that this machine can use, and Keras with the run's "
            "model.keras, which makes one, is not here: export it where they are (kerasfaces "
            f"export RUN --format {kind}), and copy the whole folder"
            f"{'.' if engines else '; pip install onnxruntime.'}"
        )
    reason = "neither onnxruntime nor openvino is installed"
    for name in engines:
        try:
            _export(run, FORMATS[name])
        except (KerasfacesError, OSError) as error:
            if not may_fall_back:
                raise
            reason = str(error)
        else:
            return name
    logger.warning("%s: Keras computes, several times slower: %s", run.path, reason)
    return "keras"


def _export(run: DetectorRun, kind: str) -> None:
    """Export the run, once, whoever else is doing the same."""
    from kerasfaces.serve.export import export

    with folders.lock(run.path / "exports", "folder of exports", wait=True):
        if not _is_current(run, kind):
            logger.info("exporting %s as %s, once: it stays there", run.path, kind)
            export(run.path, kind)


def _takes_no_pixels(run: DetectorRun) -> str:
    """Say why a run cannot be exported for pixels; empty where it can."""
    with reading(run.path, lambda: run.environment):
        baseline, spec = run.baseline, run.input_spec
    if baseline is not None:
        return f"{baseline.model.name} is no network, so that it has no export"
    recipe = spec.get("channel_recipe")
    return graph.reason_against(recipe) if isinstance(recipe, dict) else ""


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _is_current(run: DetectorRun, kind: str) -> bool:
    """Tell whether a run has an export of the network that it holds now.

    The operating point may be another: the run's own is used. One by a newer version is
    refused: it is not replaced.
    """
    file = run.path / "exports" / kind / opening.DESCRIPTION
    content = read_json(file) if file.is_file() else None
    opening.refuse_newer(content, str(file))
    match content:
        case {
            "layout": opening.LAYOUT,
            "source": {"sha256": digest},
            "input_spec": dict(spec),
            **others,
        } if spec == run.input_spec:
            on_channels = spec.get("channel_recipe") is not None
            if on_channels and "makes_channels" not in others:
                return False  # it takes channels
            if not run.model_file.is_file():
                return True
            embeds = "final_layer" in others or not run.training_features_file.is_file()
            embeds |= "makes_channels" in others
            whole = embeds or not Reference.is_here(run)  # else it is made anew
            return whole and digest == sha256(run.model_file)
    return False
