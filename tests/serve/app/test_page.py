"""The page, drawn by Streamlit's own test runner: no browser, no network."""

import csv
import io
import json

import image_service
import pytest
from drawn_files import jpeg

pytest.importorskip("streamlit")

from kerasfaces.serve.answer import Answer
from kerasfaces.serve.app import make, many, settings, uploads, verdict


def texts(app):
    """Everything that the page says, in one text."""
    kinds = ("html", "markdown", "caption", "text", "warning", "error", "title")
    return "\n".join(
        str(getattr(each, "value", "")) or str(each.proto)
        for kind in kinds
        for each in app.get(kind)
    )


def upload(app, *files):
    uploader = app.file_uploader[0]
    given = [(name, data, "image/jpeg") for name, data in files]
    uploader.set_value(given if uploader.accept_multiple_files else given[0])
    return app.run()


@pytest.mark.parametrize(("shade", "title"), [(230, "Looks AI"), (20, "Looks like")])
def test_an_upload_gets_a_verdict(open_page, shade, title):
    app = upload(open_page(), ("me.jpg", jpeg(shade)))
    assert not app.exception
    assert title in texts(app)
    assert "Probability of AI-generated" in texts(app)


def test_the_same_upload_is_judged_once(open_page, stub):
    app = upload(open_page(), ("me.jpg", jpeg()))
    before = stub.n_judged
    app.run()
    assert stub.n_judged == before > 0


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"no picture at all", "not an image"),
        (b"", "empty file"),
        (b"\xff\xd8\xff" + b"0" * 100, ""),
        (b"%PDF-1.7 something", ""),
    ],
)
def test_a_bad_file_is_a_sentence(open_page, data, why):
    app = upload(open_page(), ("<b>bad</b>.jpg", data))
    assert not app.exception
    assert "No verdict" in texts(app)
    assert why in texts(app)
    assert "<b>bad" not in app.get("html")[-1].proto.body


def test_too_many_pixels_and_bytes_are_refused_before_decoding(monkeypatch):
    from kerasfaces import images

    monkeypatch.setattr(images, "decode", None)
    limits = settings.Settings(megapixels=1, upload_mb=1)
    large = jpeg(side_px=1100, kind="PNG")
    assert "1100 x 1100 px" in uploads.refusal("a", large, limits).reason
    assert "1 MB" in uploads.refusal("a", b"0" * (2**20 + 1), limits).reason
    assert uploads.refusal("a", jpeg(), limits) is None
    assert uploads.refusal("a", b"no picture", limits) is None


def test_many_pictures_become_a_table_and_csv(open_page):
    files = [("a.jpg", jpeg(230)), ("=cmd|' /C calc'!A0.jpg", jpeg(20)), ("c", b"x")]
    app = upload(open_page("Many pictures"), *files)
    assert not app.exception
    assert "1 real, 1 fake, 1 unreadable" in texts(app)
    assert list(app.dataframe[0].value["verdict"]) == ["fake", "real", "unreadable"]


def test_csv_is_harmless_in_a_spreadsheet():
    names = ["=1+1", "@x", "-2", "a\nb", "plain.jpg"]
    rows = list(
        csv.DictReader(io.StringIO(many.table([Answer(name=n) for n in names])))
    )
    assert [row["name"] for row in rows] == [
        "'=1+1",
        "'@x",
        "'-2",
        "a\\nb",
        "plain.jpg",
    ]
    assert rows[0]["score"] == ""


def test_more_than_the_limit_is_a_sentence(open_page, stub):
    files = [(f"{n}.jpg", jpeg()) for n in range(3)]
    app = upload(open_page("Many pictures", files=2), *files)
    assert "at most 2 at a time" in texts(app)
    assert stub.n_judged == 0


def test_the_visit_is_remembered_and_forgotten(open_page):
    app = upload(open_page(), ("me.jpg", jpeg(230)))
    app.session_state["page"] = "This visit"
    app.run()
    assert "me.jpg" in texts(app)
    next(b for b in app.button if b.label == "Forget it now").click()
    app.run()
    assert "Nothing yet" in texts(app)


def test_without_a_run_it_says_what_the_sample_s_detector_is_worth(open_page):
    assert "worth nothing" in texts(open_page(runs=()))
    assert "worth nothing" not in texts(open_page())


def test_several_runs_can_be_chosen_from(open_page):
    app = open_page(runs=("/x/first", "/x/second"))
    assert app.selectbox[0].options == ["first", "second"]
    app = open_page(runs=("/x/run", "/y/run"))
    assert app.selectbox[0].options == ["/x/run", "/y/run"]


def test_a_detector_that_cannot_be_opened_is_a_sentence(monkeypatch, open_page):
    from kerasfaces.core.errors import RunError
    from kerasfaces.serve.app import shared

    def opened(folder):
        raise RunError("the run is damaged")

    monkeypatch.undo()
    monkeypatch.setattr(shared, "loaded", opened)
    app = open_page()
    assert [each.value for each in app.error] == ["the run is damaged"]
    assert not app.exception


def test_a_picture_is_made_with_the_visitor_s_key_and_judged(open_page):
    with image_service.serve([image_service.picture(96)]) as (address, asked):
        app = open_page("Make one", images_api=address)
        app.text_input[0].set_value("sk-visitor-secret")
        app.button[0].click()
        app.run()
    assert not app.exception
    assert "Probability of AI-generated" in texts(app)
    (path, body), *more = asked
    assert path.endswith("/images/generations")
    assert not more
    assert b"sk-visitor-secret" not in body
    assert json.loads(body)["model"] == make.MODELS[0]
    for name in ("visitor: made", "visitor: answer-make", "visitor: visit"):
        assert "sk-visitor-secret" not in repr(app.session_state[name])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            image_service.error(401, "Incorrect API key provided: sk-x"),
            "accept this key",
        ),
        (image_service.error(400, "safety: sk-x"), r"no picture: .*safety: \*\*\*"),
        (image_service.error(429, "slow down"), "no picture"),
        ({"data": []}, "holds no picture"),
        ({"data": [{"b64_json": "!"}]}, "holds no picture"),
        ({}, "holds no picture"),
        ((200, b"not json"), "holds no picture"),
    ],
)
def test_what_the_service_refuses_is_a_sentence(answer, why):
    from kerasfaces.core.errors import InputError

    with image_service.serve([answer]) as (address, asked):
        with pytest.raises(InputError, match=why):
            make.generated("sk-x", "a face", "gpt-image-1", address)
        assert len(asked) == 1  # never paid twice


def test_no_key_and_no_service_are_sentences():
    from kerasfaces.core.errors import InputError

    with pytest.raises(InputError, match="give a key"):
        make.generated("", "a face", "gpt-image-1")
    with pytest.raises(InputError, match="cannot be reached"):
        make.generated("sk-x", "a face", "gpt-image-1", "http://127.0.0.1:9/v1")


def test_a_card_shows_what_a_file_brought_as_text():
    card = verdict.card(Answer(name="<script>x</script>", reason="<img src=x>"))
    assert "<script>" not in card
    assert "<img" not in card
    for name in verdict._LOOKS:  # a sign and a word beside the colour
        answer = Answer(name="a", verdict=name, score=0.5, logit=0.0, reason="r")
        assert verdict._LOOKS[name][2] in verdict.card(answer)


def test_settings_survive_the_command_line():
    chosen = settings.Settings(runs=("a b", "c"), upload_mb=3, megapixels=2, files=1)
    assert settings.Settings.from_text(chosen.to_text()) == chosen


def test_visitors_share_one_detector(monkeypatch, stub):
    import sys

    from streamlit.testing.v1 import AppTest

    from kerasfaces.serve.app import launch, shared
    from kerasfaces.serve.exported import ExportedDetector

    opened = []
    monkeypatch.setattr(
        ExportedDetector, "open", lambda folder: opened.append(folder) or stub
    )
    chosen = settings.Settings(runs=(str(stub.folder),))
    monkeypatch.setattr(sys, "argv", ["page.py", chosen.to_text()])
    shared.loaded.clear()
    visitors = [AppTest.from_file(str(launch.PAGE), default_timeout=60) for _ in "ab"]
    for number, visitor in enumerate(visitors):
        upload(visitor.run(), (f"{number}.jpg", jpeg(230)))
        assert "Looks AI" in texts(visitor)
    shared.loaded.clear()
    assert opened == [stub.folder]
    assert "0.jpg" not in texts(visitors[1])
