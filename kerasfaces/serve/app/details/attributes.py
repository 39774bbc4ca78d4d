"""What annotators see in the largest face; no part of the score."""

import functools
import threading

import numpy as np
import streamlit as st

from kerasfaces.annotate import facts
from kerasfaces.annotate.contract import (
    DEFAULT,
    PACKAGE,
    Annotator,
    Attribute,
    Floats,
    Weights,
    decide,
    split,
)
from kerasfaces.core import registry
from kerasfaces.core.errors import ImageError, MissingExtraError, MissingFileError
from kerasfaces.faces import Face
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

TITLE, ORDER = "Attributes", 7
_ONE_AT_A_TIME = threading.Lock()  # a runtime's request is one caller's


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether a face was found, and an annotator is installed."""
    return bool(answer.faces and answer.faces[0].landmarks and _installed())


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show a row for each attribute of each annotator."""
    first = (answer.faces or ())[0]
    assert first.landmarks is not None  # noqa: S101 - for the type checker: see `applies`
    left, top, right, bottom = first.box
    if min(right - left, bottom - top) < facts.LEAST_PX:
        st.text(f"The face is below {facts.LEAST_PX} px: too small for annotators.")
        return
    face = Face(first.box, first.face_score, first.landmarks)
    image = np.asarray(picture.image())
    rows: list[dict[str, str]] = []
    for name, annotator in _installed().items():
        own = registry.load(PACKAGE, name).ATTRIBUTES
        try:
            with _ONE_AT_A_TIME:
                numbers = annotator.compute(image, face)
        except ImageError as error:
            st.text(f"{name}: {error}")
            continue
        parts = zip(own, split(own, numbers), strict=True)
        rows += [_row(name, attribute, part) for attribute, part in parts]
    if rows:
        st.table(rows)
    st.caption(
        "What annotators see in the largest face, where they are sure enough. They err, more "
        "often for some people than for others, and what they say is no part of the verdict."
    )


def _row(name: str, attribute: Attribute, part: Floats) -> dict[str, str]:
    seen = decide(attribute, part)
    is_sure = bool(seen.value) and seen.confidence >= attribute.min_confidence
    return {
        "attribute": attribute.name,
        "value": seen.value.replace("_", " ") if is_sure else "not sure",
        "probability": f"{seen.confidence:.0%}",
        "annotator": name,
    }


@functools.cache
def _installed() -> dict[str, Annotator]:
    """Return those of the usual annotators that need no download."""
    annotators = {}
    for name in DEFAULT:
        try:
            annotators[name] = registry.load(PACKAGE, name).build(Weights())
        except (MissingFileError, MissingExtraError):
            continue
    return annotators
