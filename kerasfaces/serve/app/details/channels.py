"""What a run on forensic channels sees: noise pattern, spectra, mask."""

import tempfile
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

TITLE, ORDER = "Channels", 5


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether the run is on channels."""
    return one.run.input_spec.get("channel_recipe") is not None


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show each channel as a grey picture, when they are asked for."""
    st.caption(
        "Channels are computed by a process of their own, which reads the picture from a "
        "temporary folder; it is removed at once."
    )
    if not st.button("Compute the channels", key=f"channels-{answer.sha256}"):
        return
    try:
        with st.spinner("Computing …"):
            channels = _computed(picture, one)
    except KerasfacesError as error:
        st.error(str(error))
        return
    columns = st.columns(3)
    for number, (name, values) in enumerate(channels.items()):
        columns[number % 3].image(grey(values), caption=name, width="stretch", alt=name)


def grey(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return a channel `(h, w)` as grey levels between its 1st and 99th percentile."""
    low, high = np.percentile(values.astype(np.float64), [1, 99])
    share = (values - low) / max(high - low, 1e-12)
    return np.asarray((np.clip(share, 0, 1) * 255).round(), np.uint8)


def _computed(picture: Named, one: Loaded) -> dict[str, NDArray[np.floating]]:
    from kerasfaces.core.errors import ImageError
    from kerasfaces.dataset.channels import channels_of

    network = one.run.network
    names = network.model.channel_names
    pixels = one.detector.prepare(picture.image())
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "0.png"
        Image.fromarray(pixels).save(file)
        channels = channels_of([file], network.channel_recipe or {}, names)
        if channels.reasons[0]:
            raise ImageError(channels.reasons[0])
        array = channels.store.gather(channels.keys)[0]
    return {name: array[..., at] for at, name in enumerate(names)}
