"""The tab for one picture: dropped, chosen, pasted, or taken by the camera."""

import streamlit as st

from kerasfaces.serve.answer import Options
from kerasfaces.serve.app import uploads, verdict, visit
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

_CURRENT, _ANSWER = "visitor: picture", "visitor: answer"
_SEEN = "uploads"  # that were judged once
_PREVIEW_PX = 900


def show(one: Loaded, options: Options, settings: Settings) -> None:
    """Ask for a picture, and show the answer to the last one that came."""
    file = st.file_uploader(
        "Drop a picture here, or choose one",
        key="upload",
        help=f"At most {settings.upload_mb} MB and {settings.megapixels} megapixels. It stays "
        "in memory and is sent nowhere else.",
    )
    with st.expander("Paste a picture, or take one"):
        pasted = st.chat_input(
            "Paste here (Ctrl+V), then Enter", accept_file=True, key="paste"
        )
        taken = None
        if st.toggle("Use the camera", key="camera-on"):
            taken = st.camera_input("Camera", key="camera")
    files = [file, taken, *(pasted.files if pasted else [])]
    seen: set[str] = st.session_state.setdefault(_SEEN, set())
    for each in files:
        if each is not None and each.file_id not in seen:
            seen.add(each.file_id)
            st.session_state[_CURRENT] = Named(each.name, each.getvalue())
    if current := st.session_state.get(_CURRENT):
        judge(current, one, options, settings)


def judge(
    picture: Named,
    one: Loaded,
    options: Options,
    settings: Settings,
    where: str = "one",
) -> None:
    """Show the answer to a picture, which is asked for once; `where` names the tab."""
    data = picture.source
    if not isinstance(data, bytes):
        return
    key = f"{_ANSWER}-{where}"
    identity = (picture, str(one.run.path), options)
    shown = st.session_state.get(key)
    if shown is None or shown[0] != identity:
        answer = uploads.refusal(picture.name, data, settings)
        thumbnail = None
        if answer is None:
            with st.spinner("Judging …"):
                answer = one.answer(picture, options)
                thumbnail = uploads.thumbnail(picture, _PREVIEW_PX)
        shown = st.session_state[key] = (identity, answer, thumbnail)
        visit.remember(answer, thumbnail, one)
    verdict.show(shown[1], picture, shown[2], one, where)
