"""The command `predict` and its whole answers, by a detector that needs no network."""

import importlib
import io
import json
import sys
import types
from pathlib import Path

import pytest
from PIL import Image
from stub_detector import Stub

from kerasfaces import images
from kerasfaces.api.inputs import as_sources
from kerasfaces.cli.predict import main
from kerasfaces.core.engine import local
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.run.folder import DetectorRun
from kerasfaces.serve.exported import ExportedDetector


class RunStub(Stub):
    folder = Path("run")


@pytest.fixture(autouse=True)
def stub(monkeypatch):
    run = types.SimpleNamespace(path=Path("run"), trained_on=lambda: "a stub.")
    monkeypatch.setattr(DetectorRun, "open", lambda path: run)
    monkeypatch.setattr(ExportedDetector, "open", lambda run, engine: RunStub())


@pytest.fixture
def photo(tmp_path):
    def make(name, level):
        path = tmp_path / name
        Image.new("RGB", (96, 80), (level,) * 3).save(path)
        return str(path)

    return make


def test_exit_codes(photo, tmp_path):
    real, fake, unsure = photo("r.png", 50), photo("f.png", 250), photo("u.png", 128)
    (tmp_path / "text.jpg").write_text("no image")
    bad = str(tmp_path / "text.jpg")

    def code(*files):
        return main(["run", *files, "--quick"])

    assert code(real) == code(real, real) == 0
    assert code(real, fake, unsure, bad) == 3
    assert code(real, unsure, bad) == 4
    assert code(real, bad) == 5
    assert main(["run", real, fake, "--csv", str(tmp_path / "t.csv")]) == 3
    with pytest.raises(InputError, match="None of the 1 files"):
        code(bad)


def test_one_picture_is_told_in_full_and_several_in_a_line_each(photo, capsys):
    real, fake = photo("r.png", 50), photo("f.png", 250)
    main(["run", fake])
    header, first, *below = capsys.readouterr().out.splitlines()
    assert header.split() == ["verdict", "score", "logit", "image"]
    assert first.startswith("fake       1.0000    12.250")
    told = dict(line.split(None, 1) for line in below if not line.startswith(" "))
    assert told["size"] == "96 x 80 px"
    assert len(told["sha256"]) == 64
    assert told["origin"].startswith("The file says nothing of its origin; that means")
    assert told["stability"].startswith("6 of 6 laundered versions get the same")
    assert told["detector"] == "stub (version 1, by numpy)"
    main(["run", fake, "--quick"])
    below = capsys.readouterr().out.splitlines()[2:]
    assert {"origin", "stability", "faces"}.isdisjoint(
        line.split()[0] for line in below
    )
    main(["run", real, fake])
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_json_lines_begin_as_they_always_did(photo, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no image")
    main(["run", photo("f.png", 250), str(tmp_path / "text.jpg"), "--json"])
    fake, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(fake)[:5] == ["path", "verdict", "score", "logit", "reason"]
    assert (fake["verdict"], fake["reason"]) == ("fake", None)
    assert fake["stability"]["n"] == 6
    assert fake["provenance"]["finding"] == "nothing"
    assert bad["verdict"] is bad["score"] is bad["logit"] is None
    assert "not an image" in bad["reason"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("https://example.org/a.jpg", "is an address, and nothing is fetched"),
        ("HTTP://example.org/a.jpg", "is an address"),
        ("data:image/png;base64,AAAA", "is an address"),
        ("clip.MP4", "is a video by its name; expected pictures"),
        ("clip.webm", "is a video"),
    ],
)
def test_addresses_and_videos_are_refused_by_name(photo, word, message, monkeypatch):
    first = photo("r.png", 50)
    with pytest.raises(InputError, match=message):
        main(["run", first, word])
    lines = types.SimpleNamespace(buffer=io.BytesIO(f"{first}\n{word}\n".encode()))
    monkeypatch.setattr(sys, "stdin", lines)
    with pytest.raises(InputError, match=message):
        main(["run", "-"])
    for image in (word, Path(word)):
        with pytest.raises(InputError, match=message):
            as_sources([first, image])


def test_options_reach_the_answer(photo, capsys, tmp_path):
    pytest.importorskip("c2pa")
    from signed_files import certificates, signed

    path = tmp_path / "signed.jpg"
    path.write_bytes(signed())
    (tmp_path / "roots.pem").write_bytes(certificates()[2])

    def answer(*words):
        main(["run", str(path), "--json", *words])
        return json.loads(capsys.readouterr().out)

    (evidence,) = answer("--trust", str(tmp_path / "roots.pem"))["provenance"][
        "evidence"
    ]
    assert evidence["state"] == "trusted"
    assert answer("--no-provenance")["provenance"] is None
    assert answer("--no-stability")["stability"] is None
    with pytest.raises(InputError, match="holds no certificates"):
        answer("--trust", str(path))


def test_a_continued_table_has_the_code_of_all_its_rows(photo, tmp_path, monkeypatch):
    from kerasfaces.serve import answer

    fake, real = photo("a.png", 250), photo("b.png", 50)
    words = ["run", fake, real, "--quick", "--csv", str(tmp_path / "t.csv")]
    monkeypatch.setattr(answer, "BATCH", 1)

    class Dying(RunStub):
        def logits(self, pixels):
            if pixels.mean() < 100:
                raise KeyboardInterrupt
            return super().logits(pixels)

    with monkeypatch.context() as patch:
        patch.setattr(ExportedDetector, "open", lambda run, engine: Dying())
        with pytest.raises(KeyboardInterrupt):
            main(words)

    class Counting(RunStub):
        def logits(self, pixels):
            assert len(pixels) == 1
            assert pixels.mean() < 100  # the first is done
            return super().logits(pixels)

    monkeypatch.setattr(ExportedDetector, "open", lambda run, engine: Counting())
    assert main(words) == 3


def test_names_on_stdin_are_rows_also_of_files_that_are_gone(
    photo, monkeypatch, capsys
):
    listed = f"{photo('r.png', 50)}\ngone/x.jpg\n".encode()
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(listed)))
    assert main(["run", "-", "--json", "--quick"]) == 5
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_a_file_that_kills_its_decoder_is_a_row(photo, capfd, monkeypatch, tmp_path):
    decoders = tmp_path / "modules"
    decoders.mkdir()
    (decoders / "dying_decoder.py").write_text(
        "import os\n"
        "from kerasfaces.images import decode as intact\n"
        "def decode(data):\n"
        "    if data == b'deadly':\n"
        "        os.abort()\n"
        "    return intact(data)\n"
    )
    monkeypatch.syspath_prepend(decoders)
    decode = importlib.import_module("dying_decoder").decode
    monkeypatch.setattr(images, "decode", decode)
    (tmp_path / "b.png").write_bytes(b"deadly")
    files = [photo("a.png", 50), str(tmp_path / "b.png"), photo("c.png", 250)]
    assert main(["run", *files, "--json"]) == 3
    real, bad, fake = map(json.loads, capfd.readouterr().out.splitlines())
    assert [real["verdict"], bad["verdict"], fake["verdict"]] == ["real", None, "fake"]
    assert bad["reason"] == "decoder crashed"
    alone = Stub()
    pixels = alone.prepare(images.load(Path(files[2])))
    assert fake["logit"] == alone.logits(pixels[None])[0]  # the same bytes


def test_one_picture_starts_no_process(photo, monkeypatch):
    monkeypatch.setattr(local, "processes", None)
    real = photo("r.png", 50)
    assert main(["run", real, "--quick"]) == 0
    with pytest.raises(TypeError, match="NoneType"):
        main(["run", real, photo("s.png", 50), "--quick"])


def test_nothing_is_printed_before_a_run_that_fails(photo, monkeypatch, capsys):
    class Damaged(RunStub):
        def logits(self, pixels):
            raise RunError("run/model.keras is damaged.")

    monkeypatch.setattr(ExportedDetector, "open", lambda run, engine: Damaged())
    with pytest.raises(RunError, match="is damaged"):
        main(["run", photo("r.png", 50), "--quick"])
    assert not capsys.readouterr().out
