"""The app's tab of what annotators see in a face."""

import io

import numpy as np
import pytest
from PIL import Image

from kerasfaces.serve.answer import Answer
from kerasfaces.serve.face_policy import FaceAnswer
from kerasfaces.serve.pictures import Named

pytest.importorskip("streamlit")
EYES = (40.0, 50.0), (80.0, 50.0)
REST = (60.0, 70.0), (60.0, 85.0), (25.0, 55.0), (95.0, 55.0)


def _draw(answer, picture):
    from kerasfaces.serve.app.details import attributes

    attributes.show(answer, picture, None)


def _rows(landmarks):
    from streamlit.testing.v1 import AppTest

    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), np.uint8)
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, "PNG")
    face = FaceAnswer((30, 30, 90, 100), 0.9, landmarks=landmarks)
    given = {
        "answer": Answer(name="x", faces=(face,)),
        "picture": Named("x.png", data.getvalue()),
    }
    app = AppTest.from_function(_draw, kwargs=given).run(timeout=60)
    assert not app.exception
    return app


def test_each_installed_annotator_says_what_it_sees():
    (table,) = _rows((*EYES, *REST)).table
    rows = table.value.set_index("attribute")
    assert rows.loc["glasses", "annotator"] == "glasses"
    assert rows.loc["glasses", "value"] in ("glasses", "no glasses", "not sure")
    assert rows.loc["glasses", "probability"].endswith("%")


def test_a_face_that_cannot_be_judged_is_a_sentence(monkeypatch):
    from kerasfaces.annotate.annotators import glasses
    from kerasfaces.annotate.contract import Weights
    from kerasfaces.serve.app.details import attributes

    only = {"glasses": glasses.build(Weights())}
    monkeypatch.setattr(attributes, "_installed", lambda: only)
    app = _rows(((40.0, 50.0), (44.0, 50.0), *REST))
    assert not app.table
    assert "glasses: the eyes are too near" in app.text[0].value


def test_there_is_no_tab_without_a_face_or_an_annotator(monkeypatch):
    from kerasfaces.serve.app.details import attributes

    face = FaceAnswer((0, 0, 9, 9), 0.9, landmarks=(*EYES, *REST))
    assert attributes.applies(Answer(name="x", faces=(face,)), None)
    for faces in (None, (), (FaceAnswer((0, 0, 9, 9), 0.9),)):
        assert not attributes.applies(Answer(name="x", faces=faces), None)
    monkeypatch.setattr(attributes, "_installed", dict)
    assert not attributes.applies(Answer(name="x", faces=(face,)), None)
