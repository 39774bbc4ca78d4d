"""The training images that are most like the picture to the detector."""

import streamlit as st

from kerasfaces.core.errors import ImageError, KerasfacesError
from kerasfaces.core.texts import plain
from kerasfaces.serve import similar
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

TITLE, ORDER = "Similar", 6
_THUMBNAIL_PX = 160


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether the run keeps training features that its engine can be compared with."""
    return one.background.features is not None


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show the nearest training images, with thumbnails of those on this machine."""
    try:
        among = _among(str(one.run.path))
        neighbours = similar.nearest_to(picture.image(), one.detector, among)
    except KerasfacesError as error:
        st.error(str(error))
        return
    for column, each in zip(st.columns(len(neighbours)), neighbours, strict=True):
        with column:
            _one(each)
    st.caption(
        "The training images nearest to this picture in the layer by which the detector "
        "decides: what it goes by, not who is shown. The percentage is the share of "
        "validation images that lie nearer to training than this one does."
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _among(folder: str) -> similar.TrainingImages:
    from pathlib import Path

    from kerasfaces.run.folder import DetectorRun

    return similar.TrainingImages(DetectorRun(Path(folder)))


def _one(each: similar.Neighbour) -> None:
    sign = "▲ AI-generated" if each.label == "fake" else "● real"
    if each.file is not None:
        try:
            image = Named(each.file.name, each.file).image()
            image.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
            st.image(image, alt=f"a training image, {each.label}")
        except ImageError:
            pass
    st.text(f"{sign}\n{plain(each.source)}\n{each.percentile:.0f} % nearer")
