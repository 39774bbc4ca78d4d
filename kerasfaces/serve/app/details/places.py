"""Grad-CAM: where on the picture the logit comes from, and whether to believe it."""

import threading

import streamlit as st

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.images import to_array
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named
from kerasfaces.serve.reference import Reference

TITLE, ORDER = "Where", 4
_ONE_AT_A_TIME = threading.Lock()  # Keras' tapes


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether the network's maps lie on the picture, and Keras is here to make one."""
    on_pixels = one.run.input_spec.get("channel_recipe") is None
    return on_pixels and one.run.baseline is None and Reference.is_here(one.run)


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show the map when it is asked for: it takes Keras and some seconds."""
    st.caption(
        "The picture, or its face, as the network sees it, coloured by what each place adds to the "
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
    from kerasfaces.explain.methods import gradcam
    from kerasfaces.explain.subjects import open_subject

    subject = open_subject(Path(folder), gradcam.REDRAWS)
    return subject, subject.learnt()


def _explained(picture: Named, one: Loaded):  # type: ignore[no-untyped-def]
    subject, learnt = _subject(str(one.run.path))
    from kerasfaces.explain import picture as drawing
    from kerasfaces.explain import trust_section
    from kerasfaces.explain.contract import Settings
    from kerasfaces.explain.methods import gradcam
    from kerasfaces.explain.run import of_image

    gradcam.check(subject)
    pixels = to_array(picture.image(), subject.of_pictures().spec)
    point, settings = one.detector.operating_point, Settings(method="gradcam")
    record, own = of_image(gradcam, subject, learnt, pixels, point, settings)
    drawn = drawing.drawn(pixels, own.map, gradcam.UNITS)
    return drawn, trust_section.line(record["checks"])
