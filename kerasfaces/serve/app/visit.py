"""The history of a visit: what was judged since the page was opened, in memory."""

import streamlit as st

from kerasfaces.core.texts import plain, shortened
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded

_KEY, _MOST = "visitor: visit", 50
History = list[tuple[Answer, bytes | None, str]]  # with a thumbnail, and by whom


def remember(answer: Answer, thumbnail: bytes | None, one: Loaded) -> None:
    """Put an answer on top of the visit's history."""
    history: History = st.session_state.setdefault(_KEY, [])
    history.insert(0, (answer, thumbnail, one.detector.name))
    del history[_MOST:]


def show() -> None:
    """Show the answers of this visit, the latest first."""
    history: History = st.session_state.get(_KEY, [])
    st.caption(
        "What was judged since you opened this page. It is forgotten when you leave."
    )
    if not history:
        st.text("Nothing yet.")
        return
    if st.button("Forget it now"):
        for name in list(st.session_state):
            if str(name).startswith("visitor: "):
                del st.session_state[name]
        st.rerun()
    for answer, thumbnail, name in history:
        left, right = st.columns([1, 4])
        if thumbnail is not None:
            left.image(thumbnail, width=90, alt="the picture")
        score = f", probability {answer.score:.1%}"
        if answer.verdict == "unreadable":
            score = f": {answer.reason}"
        right.text(
            f"{shortened(plain(answer.name))}\n{answer.verdict}{score}\nby {plain(name)}"
        )
