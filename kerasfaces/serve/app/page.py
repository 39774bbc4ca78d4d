"""The page that `kerasfaces app` serves; Streamlit runs this file for each visitor."""

import importlib.util
import sys
from pathlib import Path

import streamlit as st

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.answer import Options
from kerasfaces.serve.app import make, many, one, sample_detector, shared, visit
from kerasfaces.serve.app.settings import Settings
from kerasfaces.serve.app.verdict import markdown
from kerasfaces.serve.face_policy import Policy
from kerasfaces.serve.publish import card

_JUDGED: dict[Policy, str] = {
    "image": "the whole picture",
    "largest": "its largest face",
    "each": "each face; one fake makes the picture fake",
}
_STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-top: 2.5rem; }
[data-testid="stMainBlockContainer"] h1 { font-size: clamp(1.6rem, 7vw, 2.6rem); }
[data-testid="stCaptionContainer"] { color: inherit; opacity: .8; }
</style>"""


def show(settings: Settings) -> None:
    """Draw the page."""
    st.set_page_config(page_title="Real or AI-generated?", page_icon="🔎")
    shared.keep_uploads_in_memory()
    st.html(_STYLE)
    st.title("Real or AI-generated?")
    loaded = shared.opened(_run(settings.runs))
    if loaded is None:
        return
    if not settings.runs:
        st.warning(sample_detector.WORTH, icon="⚠️")
    else:
        st.caption(markdown(_trained_on(str(loaded.run.path))))
    options = _options()
    names = ["One picture", "Many pictures", "This visit", "The detector"]
    if importlib.util.find_spec("openai") is not None:
        names.insert(2, "Make one")
    tabs = dict(zip(names, st.tabs(names, key="page", on_change="rerun"), strict=True))
    for name, tab in tabs.items():
        if not tab.open:
            continue
        with tab:
            match name:
                case "One picture":
                    one.show(loaded, options, settings)
                case "Many pictures":
                    many.show(loaded, options, settings)
                case "Make one":
                    make.show(loaded, options, settings)
                case "This visit":
                    visit.show()
                case "The detector":
                    _about(loaded)
    st.caption(
        "A verdict is evidence, no proof: do not decide about a person by it alone. Pictures "
        "stay in this server's memory; they are not written to disk and sent nowhere."
    )


def _run(runs: tuple[str, ...]) -> str:
    """Return the chosen run; empty for the sample's detector."""
    if len(runs) < 2:
        return runs[0] if runs else ""
    names = [Path(run).name for run in runs]
    unique = len(set(names)) == len(names)
    return st.selectbox(
        "Detector",
        runs,
        format_func=lambda run: Path(run).name if unique else run,
        key="run",
    )


def _about(one: shared.Loaded) -> None:
    """Show the numbers of the run, as its published card has them."""
    detector = one.detector
    st.caption(
        f"{detector.name}, version {detector.version}, computed by {detector.engine}."
    )
    try:
        st.markdown(_card(str(one.run.path), detector.version))
    except KerasfacesError as error:
        st.error(str(error))


@st.cache_data(show_spinner=False)
def _card(folder: str, version: str) -> str:
    return card.of_run(DetectorRun(Path(folder)))


@st.cache_data(show_spinner=False)
def _trained_on(folder: str) -> str:
    run = DetectorRun(Path(folder))
    sentence = run.trained_on().replace(folder, run.name)
    return f"{sentence} A score is worth something on images like those only."


def _options() -> Options:
    """Ask what belongs to an answer."""
    with st.expander("Settings"):
        faces = st.radio(
            "What is judged",
            list(_JUDGED),
            format_func=lambda name: _JUDGED[name],
            key="faces",
        )
        stability = st.toggle(
            "Also judge six laundered versions: a verdict that flips is unsure",
            value=True,
            key="stability",
        )
    return Options(faces=faces, stability=stability)


if __name__ == "__main__":
    show(Settings.from_text(sys.argv[1]) if sys.argv[1:] else Settings())
