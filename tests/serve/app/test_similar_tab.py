"""The app's tab of the nearest training images."""

import pytest

from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.background import Background
from kerasfaces.serve.exported import ExportedDetector
from kerasfaces.serve.pictures import Named

pytestmark = pytest.mark.tf


def _draw(picture, one):
    from kerasfaces.serve.app.details import similar

    similar.show(None, picture, one)


@pytest.fixture
def one(run):
    shared = pytest.importorskip("kerasfaces.serve.app.shared")
    detector = ExportedDetector.open(run, engine="onnxruntime")
    return shared.Loaded(detector, Background.of(detector))


def test_the_tab_shows_five_training_images_with_label_and_sign(one):
    from streamlit.testing.v1 import AppTest

    from kerasfaces.serve.app.details import similar

    assert similar.applies(None, one)
    file = one.run.manifest.files()[0]
    picture = Named("x.png", file.read_bytes())
    app = AppTest.from_function(_draw, kwargs={"picture": picture, "one": one})
    app.run(timeout=60)
    assert not app.exception
    texts = [each.value for each in app.text]
    assert len(texts) == 5
    assert texts[0].startswith("● real\ncamera\n0 % nearer")


def test_there_is_no_tab_without_training_features(run):
    shared = pytest.importorskip("kerasfaces.serve.app.shared")
    from kerasfaces.serve.app.details import similar

    DetectorRun(run).training_features_file.unlink()
    detector = ExportedDetector.open(run, engine="onnxruntime")
    assert not similar.applies(None, shared.Loaded(detector, Background.of(detector)))
