"""An answer -> what the page shows of it: verdict, picture, what it is worth, tabs."""

import json

import markupsafe
import streamlit as st

from kerasfaces.core import registry
from kerasfaces.core.texts import plain, shortened
from kerasfaces.serve import wording
from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app.shared import Loaded
from kerasfaces.serve.pictures import Named

DETAILS = "kerasfaces.serve.app.details"
# Blue and dark orange differ for every kind of colour blindness; a sign and a word say
# the same. White on each has a contrast of 7 or more.
_LOOKS = {
    "fake": ("#8f3b00", "▲", "Looks AI-generated"),
    "real": ("#0b4a80", "●", "Looks like a real photo"),
    "unsure": ("#474d54", "?", "Unsure"),
    "unreadable": ("#474d54", "–", "No verdict"),
}
_CARD = markupsafe.Markup(
    '<div role="status" style="background:{colour};color:#fff;border-radius:.6rem;'
    'padding:.9rem 1.1rem;overflow-wrap:anywhere">'
    '<div style="font-size:1.6rem;font-weight:700;line-height:1.3">'
    '<span aria-hidden="true">{sign}</span> {title}</div>'
    '<div style="font-size:1rem">{line}</div></div>'
)
_BESIDE = ("error rates", "judged", "size", "detector")  # the others have a tab


def card(answer: Answer) -> markupsafe.Markup:
    """Return the verdict as a piece of HTML; what a file brought is escaped."""
    colour, sign, title = _LOOKS[answer.verdict]
    line = f"Probability of AI-generated: {answer.score:.1%}"
    if answer.verdict == "unreadable":
        line = f"{shortened(plain(answer.name))}: {answer.reason}"
    elif answer.doubt:
        line += f". {answer.doubt[:1].upper()}{answer.doubt[1:]}."
    return _CARD.format(colour=colour, sign=sign, title=title, line=line)


def show(
    answer: Answer, picture: Named, thumbnail: bytes | None, one: Loaded, where: str
) -> None:
    """Show the whole answer to one picture."""
    st.html(str(card(answer)))
    for warning in answer.warnings:
        st.warning(plain(warning), icon="⚠️")
    if answer.verdict == "unreadable":
        return
    left, right = st.columns([2, 3])
    if thumbnail is not None:
        left.image(thumbnail, width="stretch", alt="the picture")
        left.caption(markdown(f"{shortened(plain(answer.name))}"))
    with right:
        _worth(answer, one)
    _tabs(answer, picture, one, where)


def markdown(text: str) -> str:
    """Return somebody's text so that Markdown shows it as it is."""
    for sign in "\\`*_{}[]()<>#+-.!|~$:":
        text = text.replace(sign, f"\\{sign}")
    return text


def _worth(answer: Answer, one: Loaded) -> None:
    """Say what the file says of its origin, how often such a verdict is wrong, and the rest."""
    if answer.provenance is not None:
        _line("origin", answer.provenance["sentence"])
    if answer.error_rates is None:
        point = one.detector.operating_point
        _line(
            "error rates",
            "not measured on test images for this rule; on validation, where the threshold "
            f"was chosen, {point.false_alarm_rate:.1%} of {point.n_real:,} real photos were "
            f"flagged and {point.miss_rate:.1%} of {point.n_fake:,} fakes missed",
        )
    for heading, sentence in wording.lines(answer):
        if heading in _BESIDE:
            _line(heading, sentence)


def _line(heading: str, sentence: str) -> None:
    st.markdown(f"**{heading[:1].upper()}{heading[1:]}:** {markdown(sentence)}")


def _tabs(answer: Answer, picture: Named, one: Loaded, where: str) -> None:
    """Show a tab for each file of `details/` that has what it needs."""
    modules = [registry.load(DETAILS, name) for name in registry.names(DETAILS)]
    modules = [m for m in modules if m.applies(answer, one)]
    modules.sort(key=lambda module: module.ORDER)
    tabs = st.tabs(
        [*(module.TITLE for module in modules), "All of it"],
        key=f"details-{where}",
        on_change="rerun",
    )
    for tab, module in zip(tabs, modules, strict=False):
        if tab.open:
            with tab:
                module.show(answer, picture, one)
    if tabs[-1].open:
        with tabs[-1]:
            text = json.dumps(answer.to_dict(), indent=1)
            st.json(text, expanded=1)
            st.download_button(
                "Download (JSON)",
                text,
                "answer.json",
                "application/json",
                key=f"json-{where}",
            )
