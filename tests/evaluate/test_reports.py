"""Every section keeps the contract, whatever it is given."""

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from fake_predictions import make_predictions
from PIL import Image

from kerasfaces.core import registry
from kerasfaces.evaluate import metrics_json
from kerasfaces.evaluate.report import ReportInput, render
from kerasfaces.report import markup
from kerasfaces.run.thresholds import ValidationPredictions, choose_operating_point

PACKAGE = "kerasfaces.evaluate.sections"
AUDIT = {
    "auc": 0.7,
    "low": 0.62,
    "high": 0.78,
    "n": 90,
    "flagged": True,
    "most_telling_fact": "bytes per <pixel>",
    "facts": {"bytes per <pixel>": 0.7, "format": 0.5},
    "values": {"real": {"0.1": 12, "0.2": 3}, "fake": {"<0.3>": 9}},
}
each_report = pytest.mark.parametrize("name", registry.names(PACKAGE))


def make_input(frame=None, **options):
    validation = make_predictions("val")
    point = choose_operating_point(ValidationPredictions(validation))
    frames = {"val": validation, "test": make_predictions() if frame is None else frame}
    frames = {k: f.assign(score=point.apply(f["logit"])) for k, f in frames.items()}
    content = metrics_json.measure(frames, point, resamples=20, samples_per_group=5)
    return ReportInput(
        name="run", predictions=frames, point=point, metrics=content, **options
    )


def _report(name, data):
    section = registry.load(PACKAGE, name).report(data)
    if section is None:  # nothing of the kind was asked
        assert name in ("unseen", "added", "attributes", "decisions")
        return ""
    assert section.title
    _balanced(str(section.html))
    return str(section.html)


@each_report
def test_order_of_rows_does_not_matter(name):
    data = make_input()
    shuffled = {
        k: f.sample(frac=1, random_state=2) for k, f in data.predictions.items()
    }
    other = dataclasses.replace(data, predictions=shuffled)
    assert _report(name, data) == _report(name, other)


@each_report
def test_nothing_but_predictions(name):
    _report(name, make_input())


@each_report
def test_everything_there_is(name):
    history = pd.DataFrame(
        {"epoch": [0, 1, 2], "loss": [0.7, 0.5, np.nan], "val_loss": [0.7, 0.6, 0.5]}
    )
    _report(
        name,
        make_input(
            audit=AUDIT,
            history=history,
            config={"a": {"b": [1, 2], "c": None}, "d": []},
            environment={"python": "3"},
        ),
    )


@each_report
@pytest.mark.parametrize("label", ["real", "fake"])
def test_one_class_alone(name, label):
    frame = make_predictions()
    _report(name, make_input(frame[frame["label"] == label].reset_index(drop=True)))


@each_report
def test_a_group_of_one_class_and_one_image(name):
    frame = make_predictions()
    frame["attr_gender"] = ["alone", *[""] * (len(frame) - 1)]
    _report(name, make_input(frame))


@each_report
def test_no_readable_image(name):
    frame = make_predictions().assign(logit=np.nan, reason="gone")
    _report(name, make_input(frame))


@each_report
def test_no_row_at_all(name):
    _report(name, make_input(make_predictions().iloc[:0]))


@each_report
def test_hostile_texts_are_escaped(name):
    evil = "<script>alert('x')</script>\n\"&\x00\udcff"
    frame = make_predictions(n=80, shift=0.5)
    frame["path"] = _objects(f"{evil}{i}" for i in range(len(frame)))
    frame["source"] = frame["source"].replace("gan", evil)
    frame["attr_gender"] = _objects([evil] * len(frame))
    frame.loc[3, "logit"] = np.nan
    frame["reason"] = _objects(["", "", "", evil, *[""] * (len(frame) - 4)])
    data = make_input(
        frame,
        audit=AUDIT | {"most_telling_fact": evil, "values": {evil: {evil: 3}}},
        config={evil: evil},
        environment={evil: {evil: [evil]}},
        history=pd.DataFrame({"loss": [1.0], "val_loss": [2.0]}),
    )
    text = _report(name, data)
    assert "<script" not in text
    text.encode("utf-8")
    assert "\x00" not in text


def test_worst_mistakes_are_pictures_in_the_page(tmp_path):
    frame = make_predictions(n=40)
    frame["logit"] = np.where(frame["label"] == "real", 5.0, -5.0)
    (tmp_path / "test").mkdir()
    for path in frame["path"][:10]:
        Image.new("RGB", (40, 30), (200, 30, 30)).save(tmp_path / path)
    (tmp_path / frame["path"][0]).write_bytes(b"no image")
    text = _report("mistakes", make_input(frame, image_root=tmp_path))
    assert text.count('src="data:image/jpeg;base64,') == 9
    assert "no picture: not an image" in text
    assert "no picture: file not found" in text


def test_page_is_self_contained_and_titled():
    page = render(make_input(audit=AUDIT, warnings=("Beware of <b>this</b>.",)))
    _balanced(page)
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert not re.search(r"url\((?!#)", page)
    assert "<script" not in page
    assert "Beware of &lt;b&gt;this&lt;/b&gt;." in page
    assert page.index("Beware") < page.index('class="card"')
    for name in registry.names(PACKAGE):
        asked = name not in ("unseen", "added", "decisions")
        assert (f'<section id="{name}"' in page) == asked
    assert page.count("<caption>") == page.count("<table")
    assert page.count("<svg") == page.count('role="img"')
    assert page.count("<svg") == page.count("<title>") - 1


def test_validation_is_labelled_as_no_result():
    page = render(make_input())
    assert "validation (not a result)" in page


def test_number_and_interval_show_what_is_missing():
    assert markup.number(None) == markup.number(float("nan")) == "–"
    assert markup.number(0.12345) == "0.123"
    assert markup.interval(0.1, None) == "–"


def _objects(texts):
    return pd.Series(list(texts), dtype=object)


class _Tags(HTMLParser):
    void = ("meta", "img", "br", "wbr", "link", "hr")

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _balanced(text):
    parser = _Tags()
    parser.feed(text)
    assert parser.open == []
