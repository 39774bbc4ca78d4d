"""The command `predict`: evaluation's scores, and files of every kind."""

import io
import json
import sys
import types

import fake_channels
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from kerasfaces import images, store
from kerasfaces import manifest as manifests
from kerasfaces.channels import own_process
from kerasfaces.cli.predict import main
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.run.operating_point import OperatingPoint
from kerasfaces.run.predictor import predict_run
from kerasfaces.serve import answer, answers_file

pytestmark = pytest.mark.tf


def point_of(run):
    return OperatingPoint.from_json(read_json(run / "operating_point.json"), "")


CODES = (0, 3, 4, 5)  # of answers, whatever they are


@pytest.fixture
def run(decided_run):
    """Exported already; Keras is asked only where a test wants it."""
    return decided_run


def command(*words, engine="auto"):
    code = main([*map(str, words), "--engine", engine])
    assert code in CODES
    return code


def answers(capsys, *words, **options):
    command(*words, "--json", **options)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_scores_and_pixels_are_evaluation_s(run, test_rows, capsys, monkeypatch):
    files, stored = test_rows
    monkeypatch.setattr(answer, "BATCH", 5)
    found = pd.DataFrame(answers(capsys, run, *files, engine="keras"))
    assert found["path"].tolist() == [str(file) for file in files]
    manifest = manifests.read(run / "manifest.csv")
    again = predict_run(run, manifest, "test")["logit"]
    np.testing.assert_allclose(found["logit"], again, atol=1e-6)
    np.testing.assert_allclose(found["score"], point_of(run).apply(again), atol=1e-6)
    np.testing.assert_allclose(found["logit"], stored["logit"], atol=1e-4)
    (folder,) = (store.cache_root() / "images").iterdir()
    keys = [images.sha256(file.read_bytes()) for file in files]
    spec = images.InputSpec(size_px=32)
    expected = np.stack([images.load_array(file, spec) for file in files])
    assert store.Store(folder).gather(keys).tobytes() == expected.tobytes()


def test_hostile_files_are_rows_with_a_reason(run, test_rows, tmp_path, capsys):
    folder = tmp_path / "my photos 🙂" / "deep er"
    folder.mkdir(parents=True)
    with Image.open(test_rows[0][0]) as opened:
        image = opened.convert("RGB")
    image.save(folder / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    image.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.png", exif=exif)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    data = io.BytesIO()
    image.save(data, "JPEG")
    (folder / "half.jpg").write_bytes(data.getvalue()[:400])
    (folder / "text.jpg").write_text("no image")
    (folder / "empty.png").touch()
    (folder / "notes.txt").write_text("passed over")
    found = answers(capsys, run, tmp_path / "my photos 🙂", tmp_path / "gone.jpg")
    rows = {row["path"].rpartition("/")[2]: row for row in found}
    assert set(rows) == {
        *("upright.png", "turned.png", "cmyk.jpg", "half.jpg", "text.jpg"),
        *("empty.png", "gone.jpg"),
    }
    assert rows["turned.png"]["logit"] == rows["upright.png"]["logit"]
    assert rows["cmyk.jpg"]["verdict"] in ("real", "fake", "unsure")
    reasons = {name: row["reason"] for name, row in rows.items() if row["reason"]}
    assert set(reasons) == {"half.jpg", "text.jpg", "empty.png", "gone.jpg"}
    assert rows["text.jpg"]["score"] is None
    assert "not an image" in reasons["text.jpg"]
    assert reasons["gone.jpg"] == "file not found"


def test_text_csv_and_stdin(run, test_rows, tmp_path, capsys, caplog, monkeypatch):
    caplog.set_level("INFO", "kerasfaces")
    strange = tmp_path / "a\nb.png"
    strange.write_bytes(test_rows[0][0].read_bytes())
    command(run, strange, tmp_path / "no\n.png")
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["verdict", "score", "logit", "image"]
    assert first.endswith(f"{tmp_path}/a\\nb.png")
    assert second.endswith("no\\n.png: file not found")
    assert "was trained on 24 real (camera) and 24 fake (gan) images" in caplog.text
    assert "on images like those only" in caplog.text
    assert "1 without a verdict" in caplog.text
    listed = "".join(f"{file}\n" for file in [*test_rows[0], test_rows[0][0]])
    stdin = types.SimpleNamespace(buffer=io.BytesIO(listed.encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    table = tmp_path / "scores.csv"
    command(run, "-", "--csv", table)
    assert capsys.readouterr().out == f"{table}\n"
    written = pd.read_csv(table)
    assert tuple(written) == answers_file.COLUMNS
    np.testing.assert_allclose(written["logit"], test_rows[1]["logit"], atol=1e-4)


def test_names_that_are_not_utf_8_are_scored(run, test_rows, tmp_path, capsys):
    strange = tmp_path / "a\udcff.png"
    strange.write_bytes(test_rows[0][0].read_bytes())
    for _ in range(2):
        (found,) = answers(capsys, run, strange)
        assert found["verdict"]
    command(run, strange, "--csv", tmp_path / "a.csv")
    assert b"a\xff.png" in (tmp_path / "a.csv").read_bytes()


def test_words_that_are_no_files(run, test_rows, tmp_path, capsys, monkeypatch):
    first, second = map(str, test_rows[0][:2])
    found = answers(capsys, run, tmp_path / ("x" * 300 + ".jpg"), first)
    assert "too long" in found[0]["reason"]
    assert found[1]["verdict"]
    with pytest.raises(MissingFileError, match=r"x\.jpg does not exist"):
        main([str(run), str(tmp_path / ("x" * 300 + ".jpg"))])
    with pytest.raises(InputError, match="empty text, as from an unset variable"):
        main([str(run), first, ""])
    stdin = types.SimpleNamespace(buffer=io.BytesIO(f"{first}\0{second}\0".encode()))
    monkeypatch.setattr(sys, "stdin", stdin)  # find -print0
    capsys.readouterr()
    assert [row["path"] for row in answers(capsys, run, "-")] == [first, second]


def test_a_table_takes_the_place_of_tables_alone(run, test_rows, tmp_path):
    photo = tmp_path / "photo.png"
    photo.write_bytes(test_rows[0][0].read_bytes())
    with pytest.raises(InputError, match=r"is there already and is no table"):
        main([str(run), "--csv", str(photo), str(test_rows[0][0])])
    with pytest.raises(SystemExit, match="2"):  # a folder
        main([str(run), "--csv", str(tmp_path), str(test_rows[0][0])])
    assert photo.read_bytes() == test_rows[0][0].read_bytes()
    for _ in range(2):
        command(run, "--csv", tmp_path / "scores.csv", test_rows[0][0])


def test_nothing_readable_is_an_error_after_the_rows(run, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("no image")
    with pytest.raises(InputError, match=r"None of the 1 files.*not an image"):
        command(run, tmp_path / "text.jpg")
    assert "text.jpg: not an image" in capsys.readouterr().out


def test_verdicts(run):
    content = read_json(run / "operating_point.json")
    content |= {"threshold": 0.5, "abstain": [0.4, 0.6]}
    scores = [0.39, 0.4, 0.5, 0.6, 0.61, np.nan]
    point = OperatingPoint.from_json(content, "")
    expected = ["real", *["unsure"] * 3, "fake", ""]
    assert point.verdicts(scores) == expected
    point = OperatingPoint.from_json(content | {"abstain": [0.5, 0.5]}, "")
    assert point.verdicts(scores) == ["real", "real", "fake", "fake", "fake", ""]


@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (lambda run: run.rename(run / ".." / "away"), MissingFileError, "is no folder"),
        (
            lambda run: (run / "operating_point.json").unlink(),
            MissingFileError,
            "is not a finished run",
        ),
        (lambda run: (run / "model.keras").unlink(), RunError, "is not finished"),
        (
            lambda run: (run / "model.keras").write_bytes(b"x"),
            RunError,
            "is damaged or of another model",
        ),
        (lambda run: (run / "ensemble.json").touch(), InputError, "is an ensemble"),
        (
            lambda run: (run / "attribution.json").touch(),
            InputError,
            "kerasfaces attribute .* says",
        ),
        (
            lambda run: (run / "winner").mkdir(),
            InputError,
            "give its winner, .*/winner",
        ),
    ],
)
def test_runs_that_cannot_predict(run, test_rows, damage, kind, words):
    file = str(test_rows[0][0])
    damage(run)
    with pytest.raises(kind, match=words):
        command(run, file, engine="keras")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", lambda told: {}),
        ("config.json", lambda told: told | {"train": []}),
        ("config.json", lambda told: {"train": told["train"]}),
        ("input_spec.json", lambda told: {}),
        ("input_spec.json", lambda told: []),
        ("input_spec.json", lambda told: told | {"channel_recipe": "x"}),
        ("input_spec.json", lambda told: told | {"input": {"size_px": 48}}),
        ("metrics.json", lambda told: {"image_root": 3}),
        ("operating_point.json", lambda told: told | {"threshold": float("nan")}),
    ],
)
def test_damaged_files_are_named(run, test_rows, file, change):
    told = change(read_json(run / file))
    (run / file).write_text(json.dumps(told))
    with pytest.raises((RunError, InputError), match=file.replace(".", r"\.")):
        command(run, test_rows[0][0], engine="keras")


def test_no_images(run, tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="none: no images there"):
        main([str(run), str(tmp_path / "none")])
    with pytest.raises(MissingFileError, match=r"gone\.jpg does not exist"):
        main([str(run), str(tmp_path / "gone.jpg")])


def test_channels_are_made_by_the_run_s_recipe(
    channel_run, test_rows, monkeypatch, capsys
):
    monkeypatch.setattr(
        own_process,
        "compute_as",
        lambda files, recipe, folder: fake_channels.make(folder, files),
    )
    files, _ = test_rows
    found = answers(capsys, channel_run, *files)
    manifest = manifests.read(channel_run / "manifest.csv")
    again = predict_run(channel_run, manifest, "test")["logit"]
    np.testing.assert_allclose([row["logit"] for row in found], again, atol=1e-6)


def test_a_run_without_manifest_still_predicts(run, test_rows, capsys, caplog):
    caplog.set_level("INFO", "kerasfaces")
    (run / "manifest.csv").unlink()
    assert len(answers(capsys, run, test_rows[0][0])) == 1
    assert "does not say what it was trained on" in caplog.text


def test_the_run_says_what_its_training_images_look_like(run, test_rows):
    from kerasfaces.run.folder import DetectorRun

    seen = DetectorRun(run).training_images
    assert (seen["n"], seen["of"], seen["n_jpeg"]) == (48, 48, 0)
    assert "camera" not in (run / "training_images.json").read_text()
    values = seen["sharpness"]["laplacian_variance"]
    assert 0 < values["least"] < values["most"]
