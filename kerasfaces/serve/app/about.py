"""The tab about the detector: its model card."""

from pathlib import Path

import streamlit as st

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.publish import card


def show(one: Loaded) -> None:
    """Show the numbers of the run, as its published card has them."""
    detector = one.detector
    st.caption(
        f"{detector.name}, version {detector.version}, computed by {detector.engine}."
    )
    try:
        text = _card(str(one.run.path), detector.version)
    except KerasfacesError as error:
        st.error(str(error))
        return
    st.markdown(text)


@st.cache_data(show_spinner=False)
def _card(folder: str, version: str) -> str:
    return card.of_run(DetectorRun(Path(folder)))
