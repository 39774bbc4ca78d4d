"""What annotators from other people's packages share."""

import importlib
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.annotate.contract import Floats
from kerasfaces.core.errors import ImageError, MissingExtraError
from kerasfaces.core.imports import quiet
from kerasfaces.faces import Face, crops
from kerasfaces.faces.crops import FaceCrop

NO_ANSWER = "the annotator's package gave no answer"


def load(module: str, package: str, advice: str) -> ModuleType:
    """Import a package's module.

    Args:
        module: Its dotted name.
        package: Its name on PyPI.
        advice: The command that installs it and what it needs.

    Raises:
        MissingExtraError: It, or something that it needs, is not installed.
    """
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        with quiet():
            return importlib.import_module(module)
    except ImportError as error:
        reason = " ".join(str(error).split())[:120]
        raise MissingExtraError(
            f"{package} cannot be imported ({reason}); run: {advice}"
        ) from error
    finally:  # a package that logs for everybody would say each of our lines twice
        root.handlers[:] = handlers
        root.setLevel(level)


def made(make: Callable[[], Any], package: str, advice: str) -> Any:
    """Return what a package makes.

    Raises:
        MissingExtraError: A library that it uses is there in another version, without what
            the package calls.
    """
    try:
        with quiet():
            return make()
    except AttributeError as error:
        raise MissingExtraError(
            f"{package} does not work with what is installed ({error}); run: {advice}"
        ) from error


def shares(named: dict[str, Any], classes: list[str]) -> Floats:
    """Return class -> share as probabilities in an order, summing to 1.

    Raises:
        ImageError: There are none.
    """
    lower = {str(name).lower(): float(value) for name, value in named.items()}
    numbers = np.array([lower.get(each.lower(), 0.0) for each in classes], np.float32)
    total = float(numbers.sum())
    if not total > 0:
        raise ImageError(NO_ANSWER)
    answer: Floats = numbers / total
    return answer


def square(image: NDArray[np.uint8], face: Face, margin: float) -> Image.Image:
    """Return the square round a face, RGB, at the picture's own resolution."""
    return crops.cut(Image.fromarray(image), face, FaceCrop(margin=margin))
