"""The page without a browser, on a detector that looks at one pixel."""

import sys

import pytest
from stub_detector import Stub

from kerasfaces.serve.app import settings


class Counting(Stub):
    """Knows how often it was asked."""

    n_judged = 0

    def warm(self):
        pass

    def logits(self, pixels):
        self.n_judged += 1
        return super().logits(pixels)


@pytest.fixture
def stub(tmp_path):
    detector = Counting()
    detector.folder = tmp_path / "run"
    detector.folder.mkdir()
    (detector.folder / "input_spec.json").write_text('{"input": {}}')
    return detector


@pytest.fixture
def open_page(monkeypatch, stub):
    """Return a function that draws the page, for settings that differ."""
    testing = pytest.importorskip("streamlit.testing.v1")
    from kerasfaces.serve.app import launch, shared
    from kerasfaces.serve.background import Background

    loaded = shared.Loaded(stub, Background())
    monkeypatch.setattr(shared, "opened", lambda folder: loaded)

    def page(tab="One picture", **changes):
        chosen = settings.Settings(**{"runs": (str(stub.folder),)} | changes)
        monkeypatch.setattr(sys, "argv", ["page.py", chosen.to_text()])
        app = testing.AppTest.from_file(str(launch.PAGE), default_timeout=60)
        app.session_state["page"] = tab
        return app.run()

    return page
