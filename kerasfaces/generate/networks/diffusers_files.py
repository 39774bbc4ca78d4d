"""Models and pipelines in diffusers' folder layout: a local folder, or one of the Hub.

Weights are safetensors only, so that loading them runs no code, and a model whose file lacks
a layer is refused: diffusers would leave that layer at random.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.core.imports import optional_import

EXTRA = "generate"
PREFIX = "hf://"
PIPELINE_INDEX = "model_index.json"
_FILES = ["*.json", "*.safetensors", "*.txt", "*.model"]


def folder(network: str, index: str, *, local_files_only: bool) -> Path:
    """Return the local folder of a model.

    Args:
        network: A folder, or `hf://OWNER/NAME`, also with `@REVISION`; what is missing of it
            is downloaded into the cache of the Hub.
        index: Name of the file that a folder of this kind has.
        local_files_only: Do not ask the Hub.

    Raises:
        MissingFileError: It is not there, or cannot be downloaded.
    """
    if not network.startswith(PREFIX):
        path = Path(network).expanduser()
        if not (path / index).is_file():
            raise MissingFileError(
                f"There is no {index} in {path}; give a folder as diffusers saves it "
                "(save_pretrained), or hf://OWNER/NAME."
            )
        return path
    hub = optional_import("huggingface_hub", EXTRA)
    name, _, revision = network.removeprefix(PREFIX).partition("@")
    try:
        path = Path(
            hub.snapshot_download(
                name,
                revision=revision or None,
                allow_patterns=_FILES,
                local_files_only=local_files_only,
            )
        )
    except Exception as error:  # the Hub's, the network's and the disk's own kinds
        raise MissingFileError(
            f"{network} cannot be had here ({_first_line(error)}); check its name and its "
            "licence's page, or download the folder elsewhere and give its path."
        ) from error
    return folder(str(path), index, local_files_only=True)


def load_model(place: Path, class_name: str, *, variant: str | None = None) -> Any:
    """Return a model of one folder, complete and in float32.

    Args:
        place: Folder with `config.json` and safetensors.
        class_name: Class of `diffusers` that the folder must be of.
        variant: Middle part of the weights' file names, such as `fp16`.

    Raises:
        InputError: It is another class, damaged, incomplete, or pickled.
    """
    diffusers = optional_import("diffusers", EXTRA)
    return _complete(getattr(diffusers, class_name), place, variant)


def load_pipeline(
    network: str, task: str, *, local_files_only: bool, variant: str | None = None
) -> tuple[Any, Path]:
    """Return a pipeline, each of its networks complete, and its folder.

    Args:
        network: A folder with `model_index.json`, or `hf://OWNER/NAME`.
        task: `Text2Image`, `Image2Image` or `Inpainting`.
        local_files_only: Do not ask the Hub.
        variant: See `load_model`.

    Raises:
        MissingFileError: It is not there, or cannot be downloaded.
        InputError: A part is damaged, incomplete, or pickled.
        MissingExtraError: diffusers or transformers is not installed.
    """
    diffusers = optional_import("diffusers", EXTRA)
    place = folder(network, PIPELINE_INDEX, local_files_only=local_files_only)
    parts = {}
    for name, part in read_index(place, PIPELINE_INDEX).items():
        if name.startswith("_") or not isinstance(part, list) or part[0] is None:
            continue
        library, class_name = part
        if library in ("diffusers", "transformers") and "scheduler" not in name:
            kind = getattr(optional_import(library, EXTRA), class_name, None)
            if hasattr(kind, "state_dict"):  # a network, not a tokenizer
                parts[name] = _complete(kind, place / name, variant)
    try:
        make = getattr(diffusers, f"AutoPipelineFor{task}")
        pipeline = make.from_pretrained(
            place, use_safetensors=True, local_files_only=True, variant=variant, **parts
        )
    except Exception as error:  # diffusers, transformers and safetensors have their own
        raise InputError(
            f"{place} cannot be used for {task} ({_first_line(error)}); give a pipeline of "
            "Stable Diffusion or FLUX as diffusers saves it."
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline, place


def _complete(kind: Any, place: Path, variant: str | None) -> Any:
    try:
        model, info = kind.from_pretrained(
            place,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            variant=variant,
        )
    except (
        Exception
    ) as error:  # safetensors, torch and diffusers have kinds of their own
        raise InputError(
            f"{place}: no complete {kind.__name__} as safetensors ({_first_line(error)}); "
            "copy the folder again."
        ) from error
    wrong = [f"{name} is missing" for name in sorted(info["missing_keys"])]
    if kind.__module__.startswith("diffusers"):  # transformers' old files have buffers
        wrong += [f"{name} is unknown" for name in sorted(info["unexpected_keys"])]
    if wrong or info["mismatched_keys"] or info["error_msgs"]:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise InputError(
            f"{place}: the weights are not this {kind.__name__}'s "
            f"({wrong[0] if wrong else 'other shapes'}{more}); copy the folder again."
        )
    return model.float().eval()


def read_index(place: Path, index: str) -> Mapping[str, Any]:
    """Return a folder's `config.json` or `model_index.json`.

    Raises:
        InputError: It is no object of JSON.
    """
    try:
        values = json.loads((place / index).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{place / index} cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise InputError(f"{place / index}: expected an object of JSON.")
    return values


def digests(place: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of weights and settings below a folder."""
    wanted = sorted([*place.rglob("*.json"), *place.rglob("*.safetensors")])
    return {path.relative_to(place).as_posix(): sha256(path) for path in wanted}


def short_name(network: str) -> str:
    """Return a model's name without owner, folder and revision."""
    return Path(network.removeprefix(PREFIX).partition("@")[0]).name


def _first_line(error: BaseException) -> str:
    text = str(error).strip().partition("\n")[0].partition(". ")[0][:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
