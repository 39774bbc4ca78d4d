"""What the file says of its origin: evidence of its own, never part of the score."""

import streamlit as st

from kerasfaces.core.texts import plain
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

TITLE, ORDER = "Origin", 1


def applies(answer: Answer, one: Loaded) -> bool:
    """Tell whether the file was asked."""
    return answer.provenance is not None


def show(answer: Answer, picture: Named, one: Loaded) -> None:
    """Show the conclusion, then each piece of evidence."""
    facts = answer.provenance or {}
    st.text(plain(facts.get("sentence", "")))
    for each in facts.get("evidence", []):
        with st.container(border=True):
            st.text(plain(each["sentence"]))
            st.caption(f"{each['kind'].replace('_', ' ')}, {each['state']}")
    for reason in facts.get("unread", []):
        st.text(f"Not read: {plain(reason)}")
    st.caption(
        "The score comes from pixels alone. Metadata can be removed by anybody and forged by "
        "many; only signed Content Credentials are hard to forge."
    )
