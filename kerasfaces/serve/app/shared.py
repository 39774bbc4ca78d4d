"""What all visitors of the app share: each detector is opened once."""

import dataclasses
from pathlib import Path

import streamlit as st

from kerasfaces.core.errors import KerasfacesError
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.answer import Answer, Options, answer_all
from kerasfaces.serve.app import sample_detector
from kerasfaces.serve.background import Background
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.pictures import Named

_MOST = 4  # detectors in memory


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A detector that is ready, and what is known of its run."""

    detector: ExportedDetector
    background: Background

    @property
    def run(self) -> DetectorRun:
        """The run folder."""
        return DetectorRun(self.detector.folder)

    def answer(self, picture: Named, options: Options) -> Answer:
        """Return the whole answer to one picture."""
        answers = answer_all(
            [picture], self.detector, options, background=self.background
        )
        return next(iter(answers))


@st.cache_resource(max_entries=_MOST, show_spinner="Loading the detector …")
def loaded(folder: str) -> Loaded:
    """Open a run, once for all visitors; an empty name is the sample's detector."""
    path = Path(folder) if folder else sample_detector.folder()
    detector = ExportedDetector.open(path)
    detector.warm()
    return Loaded(detector, Background.of(detector))


@st.cache_resource(show_spinner=False)
def keep_uploads_in_memory() -> None:
    """Have uploads parsed in memory alone: Starlette puts those above 1 MB on disk.

    See github.com/encode/starlette (formparsers.py, `spool_max_size`). How large an upload
    may be is Streamlit's `server.maxUploadSize`.
    """
    from starlette.formparsers import MultiPartParser

    limit = int(st.get_option("server.maxUploadSize")) * 2**20
    MultiPartParser.spool_max_size = limit + 2**20


def opened(folder: str) -> Loaded | None:
    """Return a run's detector; where there is none, show why, in one sentence."""
    try:
        return loaded(folder)
    except KerasfacesError as error:
        st.error(str(error))
    return None
