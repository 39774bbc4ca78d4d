"""The verdict after launderings: what re-saving and resizing change."""

import streamlit as st

from kerasfaces.core.texts import plain
from kerasfaces.serve import wording
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

TITLE, ORDER = "Stability", 3


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether laundered versions were judged."""
    return answer.stability is not None


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show each version's verdict."""
    tried = answer.stability or {}
    st.text(plain(wording.stability(answer)))
    st.table(
        [
            {
                "version": each["name"],
                "verdict": each["verdict"],
                "same": "no" if each["name"] in tried["flipped"] else "yes",
            }
            for each in tried.get("versions", [])
        ]
    )
    st.caption("A verdict that one of these changes is called unsure.")
