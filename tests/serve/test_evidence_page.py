"""The page of one answer: everything that was said, in one file that asks for nothing."""

import dataclasses
import re
import types
from pathlib import Path

import pytest
from detector_files import make_run
from PIL import Image
from stub_detector import FoundFace, Stub

from kerasfaces.cli.predict import main
from kerasfaces.core.errors import InputError
from kerasfaces.explain import checks
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.answer import answer_all
from kerasfaces.serve.evidence_report import map_section, neighbours_section
from kerasfaces.serve.evidence_report import page as evidence_page
from kerasfaces.serve.exported import ExportedDetector


@pytest.fixture
def run(tmp_path):
    folder = make_run(tmp_path / "run")
    lines = ["path,label,source,split", "a.png,real,camera,train"]
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")
    return DetectorRun(folder)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "my <photo> & more.png"
    Image.new("RGB", (400, 300), (220, 200, 210)).save(path)
    return path


def write(run, photo, map_=None, **changes):
    detector = Stub(operating_point=run.operating_point)
    found = [FoundFace((50, 60, 150, 180))]
    (answer,) = answer_all([photo], detector, find_faces=lambda _: found)
    answer = dataclasses.replace(answer, **changes)
    target = photo.parent / "page.html"
    map_ = map_ or map_section.without("no Keras.")
    near = neighbours_section.without()
    evidence_page.write(target, answer, photo, run, map_, near)
    return target.read_text(), answer


def test_everything_that_was_said_is_on_it(run, photo):
    rates = {"sentence": "At this setting 1.2 % (0.4 to 2.8 %) are flagged."}
    page, answer = write(
        run, photo, error_rates=rates, warnings=("re-saved at JPEG 30",)
    )
    for text in (
        answer.sha256,
        "400 x 300 px",
        "my &lt;photo&gt; &amp; more.png",
        "At this setting 1.2 % (0.4 to 2.8 %) are flagged.",
        "Read this first",
        "re-saved at JPEG 30",
        "means nothing, most files say nothing",
        "100 x 120 px at (50, 60)",
        "6 of 6 laundered versions",
        "half the size",
        "No map: no Keras.",
        "was trained on 1 real (camera) and 0 fake",
        run.operating_point.rule,
        "never changed the score",
    ):
        assert text in page, text
    assert re.search(r"Judged on.*20\d\d-\d\d-\d\d \d\d:\d\d UTC", page)
    assert re.findall(r'(?:src|href)="(?!data:|#)', page) == []
    assert "<script" not in page


def test_a_map_comes_with_its_trust(run, photo):
    numbers = ("gain", "spread", "in_face", "area", "agreement", "correlation")
    row = {each: 0.1 for each in checks.COLUMNS if each.endswith(numbers)}
    row |= {"random_orders_beaten": 5, "insertion_orders_beaten": 5, "do_not_trust": ""}
    overlay = Image.new("RGB", (320, 372))
    page, _ = write(run, photo, map_section.drawn_as(overlay, row))
    assert "beats 5 and 5 of 5" in page
    assert "Do not trust" not in page
    doubted = map_section.drawn_as(overlay, row | {"do_not_trust": "deletion"})
    assert doubted.html.startswith("<p>Do not trust this map: deletion.")


def test_a_picture_that_cannot_be_read_has_a_page(run, tmp_path):
    path = tmp_path / "text.jpg"
    path.write_text("no image")
    page, _ = write(run, path)
    assert "None: not an image" in page


@pytest.fixture
def stub(run, monkeypatch):
    opened = types.SimpleNamespace(path=run.path, trained_on=run.trained_on)
    monkeypatch.setattr(DetectorRun, "open", lambda path: opened)

    @dataclasses.dataclass
    class Own(Stub):
        folder: Path = run.path

    point = run.operating_point
    monkeypatch.setattr(
        ExportedDetector, "open", lambda folder, engine: Own(operating_point=point)
    )
    asked = []

    def map_of(run, file):
        asked.append(file)
        return map_section.without("a stub.")

    monkeypatch.setattr(map_section, "of", map_of)
    return asked


def test_the_command_writes_one_page_or_a_folder(stub, photo, tmp_path, capsys):
    page, folder = tmp_path / "x.html", tmp_path / "pages"
    code = main(["run", str(photo), "--report", str(page)])
    assert code in (0, 3, 4)
    assert stub == [photo]
    assert str(page) in capsys.readouterr().out
    assert main(["run", str(photo), "--report", str(page), "--quick"]) in (0, 3, 4)
    assert len(stub) == 1
    assert "only the verdict was asked for" in page.read_text()
    (tmp_path / "text.jpg").write_text("no image")
    words = ["run", str(photo), str(tmp_path / "text.jpg"), "--report"]
    assert main([*words, str(folder)]) in (3, 4, 5)
    assert sorted(path.name for path in folder.iterdir()) == [
        "0001-my__photo____more.html",
        "0002-text.html",
    ]
    with pytest.raises(InputError, match="is the page of one picture, and there are 2"):
        main([*words, str(page)])
    page.write_text("mine")
    with pytest.raises(InputError, match="is no report of predict's"):
        main(["run", str(photo), "--report", str(page)])
    assert page.read_text() == "mine"
    with pytest.raises(InputError, match="is a file; give a page"):
        main(["run", str(photo), "--report", str(photo)])
