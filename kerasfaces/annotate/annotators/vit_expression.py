"""Expression by a vision transformer, through transformers (kabber2023's kind of model).

`trpakov/vit-face-expression` on Hugging Face (its page states Apache-2.0), or a folder
`vit-face-expression` of the same form among the given weights; safetensors alone are read.
"""

import functools
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kerasfaces.annotate.annotators import _packages, emotion
from kerasfaces.annotate.contract import Annotator, Attribute, Floats, Weights
from kerasfaces.core.errors import MissingFileError
from kerasfaces.core.files import sha256
from kerasfaces.faces import Face

NAME = "trpakov/vit-face-expression"
SOURCE, LICENCE = f"huggingface.co/{NAME}", "Apache-2.0 by its page"
PUBLISHED = "kabber2023 states .70 of its own annotator of expressions"
VERSION = 1
FRAMEWORK = "torch"
EMOTIONS = dict(sorted(emotion.EMOTIONS.items()))
ATTRIBUTES = (Attribute(name="expression", values=EMOTIONS, min_confidence=0.6),)
_ADVICE = "pip install transformers"
_MARGIN = 0.1


class VitExpression:
    """The classifier, loaded at the first face."""

    size = len(EMOTIONS)

    def __init__(self, weights: Weights) -> None:
        self._transformers = _packages.load("transformers", "transformers", _ADVICE)
        own = None if weights.folder is None else weights.folder / NAME.split("/")[1]
        if own is not None and own.is_dir():
            self._folder = str(own)
        else:
            self._folder = _downloaded(weights.download)
        self.made_by: Mapping[str, Any] = {
            "model": _digest(self._folder),
            "transformers": metadata.version("transformers"),
        }

    @functools.cached_property
    def _classify(self) -> Any:
        return self._transformers.pipeline(
            "image-classification",
            model=self._folder,
            model_kwargs={"use_safetensors": True},
            top_k=None,
            device="cpu",
        )

    def compute(self, image: NDArray[np.uint8], face: Face) -> Floats:
        """Return the probabilities of the seven emotions."""
        answers = self._classify(_packages.square(image, face, _MARGIN))
        named = {answer["label"]: answer["score"] for answer in answers}
        return _packages.shares(named, list(EMOTIONS))


def _digest(folder: str) -> str:
    """Return the SHA-256 of a model's weights."""
    file = Path(folder) / "model.safetensors"
    if not file.is_file():
        raise MissingFileError(
            f"{file} is not there; a model of transformers is a folder with config.json, "
            "preprocessor_config.json and model.safetensors."
        )
    return sha256(file)


def _downloaded(download: bool) -> str:
    hub = _packages.load("huggingface_hub", "huggingface_hub", _ADVICE)
    try:
        folder: str = hub.snapshot_download(
            NAME,
            allow_patterns=["*.json", "model.safetensors"],
            local_files_only=not download,
        )
    except Exception as error:
        reason = " ".join(str(error).split())[:120]
        raise MissingFileError(
            f"{NAME} is not in Hugging Face's cache{' and could not be fetched' * download} "
            f"({reason}). Add `download=True` on a machine with internet, or give a folder "
            f"with {NAME.split('/')[1]} in it with `weights=FOLDER`."
        ) from error
    return folder


def build(weights: Weights) -> Annotator:
    """Return the annotator."""
    return VitExpression(weights)
