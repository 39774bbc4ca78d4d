"""Grad-CAM: where on the picture the logit comes from, and whether to believe it."""

import threading

import numpy as np
import streamlit as st

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named, Picture
from kerasfaces.serve.reference import Reference

TITLE, ORDER = "Where", 4
_ONE_AT_A_TIME = threading.Lock()  # Keras' tapes
_REDRAWS = 4


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether Keras and the network's own weights are here."""
    return one.run.baseline is None and Reference.is_here(one.run)


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show the map when it is asked for: it takes Keras and some seconds."""
    st.caption(
        "The whole picture as the network sees it, coloured by what each place adds to the "
        "logit: orange speaks for AI-generated, blue for real. It takes some seconds."
    )
    if not st.button("Compute the map", key=f"map-{answer.sha256}"):
        return
    try:
        with st.spinner("Computing …"), _ONE_AT_A_TIME:
            drawn, trust = _explained(picture, one)
    except KerasfacesError as error:
        st.error(str(error))
        return
    st.image(drawn, alt="the picture, coloured by what speaks for which verdict")
    st.text(trust)


@st.cache_resource(max_entries=2, show_spinner=False)
def _subject(folder: str):  # type: ignore[no-untyped-def]  # of explain, which imports Keras
    from pathlib import Path

    from kerasfaces.core.imports import import_keras

    import_keras()
    from kerasfaces.explain.subjects import open_subject

    return open_subject(Path(folder), _REDRAWS)


def _explained(picture: Named, one: Loaded):  # type: ignore[no-untyped-def]
    subject = _subject(str(one.run.path))
    from kerasfaces.explain import checks
    from kerasfaces.explain import picture as drawing
    from kerasfaces.explain.contract import Options
    from kerasfaces.explain.methods import gradcam

    gradcam.check(subject)
    source = Picture(*picture)
    pixels = one.detector.prepare(source.image(source.data()))
    logit = float(subject.logits(pixels[None])[0, 0])
    point = one.detector.operating_point
    toward = 1 if point.apply(np.array([logit]))[0] >= point.threshold else -1
    own, *redrawn = gradcam.explain(subject, pixels, Options(toward=toward))
    values, unit = drawing.shown(own.map, gradcam.UNITS)
    deletion = checks.deletion(subject.logits, pixels, own.map, toward)
    sanity = checks.sanity(own.map, [each.map for each in redrawn])
    return (
        drawing.overlay(pixels, values, drawing.limit_of(values), unit),
        _trust(deletion, sanity),
    )


def _trust(deletion, sanity: float | None) -> str:  # type: ignore[no-untyped-def]
    """Return in words whether a map can be believed."""
    from kerasfaces.explain.checks import ALIKE, ORDERS, is_flagged

    sentences = [
        f"Blurring what the map names first moves the logit more than "
        f"{deletion.beaten} of {ORDERS} random orders do."
    ]
    if deletion.beaten < ORDERS or deletion.gain <= 0:
        sentences.append(
            "Do not rely on this map: it is not clearly better than chance."
        )
    if is_flagged(sanity):
        sentences.append(
            f"It hardly depends on what was learnt (correlation {sanity:.2f} with maps of "
            f"random heads; {ALIKE:g} or more is too alike)."
        )
    return " ".join(sentences)
