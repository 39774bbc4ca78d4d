"""A folder as people have it, through every command: no photo is lost, none is guessed."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasfaces import images
from kerasfaces.cli.manifest import main as manifest
from kerasfaces.cli.predict import main as predict
from kerasfaces.core.files import read_json, write_json

pytestmark = pytest.mark.tf

TAGS = (
    b"II*\0\x08\0\0\0\2\0"
    + b"\x12\1\3\0\1\0\0\0\6\0\0\0"
    + b"\x1a\1\2\0\3\0\0\0"
    + b"72\0\0"
    + b"\0" * 4
)


@pytest.fixture(scope="module")
def odd_files(tmp_path_factory):
    """The single files of `shared/cases`, made here."""
    folder = tmp_path_factory.mktemp("files")
    noise = np.random.default_rng(0).integers(0, 256, (320, 320)).astype(np.uint8)
    photo = Image.merge(
        "RGB", [Image.fromarray(np.roll(noise, k, 0)) for k in range(3)]
    )
    photo.save(folder / "plain.png")
    Image.fromarray(noise).save(folder / "grey8.png")
    Image.fromarray(noise.astype("float32") * 257).save(folder / "float_0_65535.tif")
    Image.new("RGB", (1, 1), (90, 60, 50)).save(folder / "dot.png")
    photo.crop((0, 0, 256, 1)).save(folder / "strip.png")
    photo.save(folder / "plain.jpg", quality=90)
    data = (folder / "plain.jpg").read_bytes()
    segment = b"Exif\0\0" + TAGS
    head = b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big")
    (folder / "rotated_odd_exif.jpg").write_bytes(data[:2] + head + segment + data[2:])
    (folder / "phone.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + data)
    turned = Image.open(folder / "plain.jpg").transpose(Image.Transpose.ROTATE_270)
    turned.save(folder / "turned.png")
    return folder


@pytest.fixture(params=["with plug-in", "without"])
def heif(request, monkeypatch):
    """What is said of phone.HEIC, which no plug-in reads, with and without one."""
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
    else:
        pytest.importorskip("pillow_heif")
    images.kinds._brought_in.cache_clear()
    yield (
        "pip install pillow-heif"
        if request.param == "without"
        else "pillow-heif cannot"
    )
    images.kinds._brought_in.cache_clear()


def answers(capsys, *words, engine="keras"):
    predict([*map(str, words), "--json", "--engine", engine, "--no-stability"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {row["path"].rpartition("/")[2]: row for row in rows}


def test_predict(decided_run, odd_files, capsys, caplog, heif):
    caplog.set_level("INFO", "kerasfaces")
    found = answers(capsys, decided_run, odd_files, engine="auto")
    assert set(found) == {path.name for path in odd_files.iterdir()}
    assert found["float_0_65535.tif"]["score"] == found["grey8.png"]["score"]
    assert found["grey8.png"]["verdict"]
    assert found["rotated_odd_exif.jpg"]["logit"] == pytest.approx(
        found["turned.png"]["logit"], abs=1e-6
    )
    for name in ("dot.png", "strip.png"):
        assert found[name]["verdict"] is None
        assert "too small to judge" in found[name]["reason"]
        assert "at least 16 px" in found[name]["reason"]  # of 48 px, 32 of them seen
    assert heif in found["phone.HEIC"]["reason"]
    assert "3 without a verdict" in caplog.text


@pytest.mark.parametrize("heif", ["without"], indirect=True)
def test_build_check_train_and_report(
    odd_files, tiny_images, tiny_weights, tmp_path, capsys, heif
):
    from kerasfaces.cli.train import main as train

    root, table, folder = tmp_path / "photos", tmp_path / "m.csv", tmp_path / "run"
    for label, source in (("real", "camera"), ("fake", "gan")):
        (root / label / source).mkdir(parents=True)
        for path in sorted((tiny_images / label / source).iterdir())[
            :20
        ]:  # few enough for one process
            (root / label / source / path.name).write_bytes(path.read_bytes())
    names = ["rotated_odd_exif.jpg", "phone.HEIC", "dot.png", "strip.png"]
    for name in names:
        (root / "real/camera" / name).write_bytes((odd_files / name).read_bytes())
    assert manifest(["build", str(root), "-o", str(table)]) == 0
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    heights = {
        path.rpartition("/")[2]: h
        for path, h in zip(rows["path"], rows["height_px"], strict=True)
    }
    assert heights["rotated_odd_exif.jpg"] == "320"
    assert heights["phone.HEIC"] == ""
    assert manifest(["check", str(table)]) == 1
    out = capsys.readouterr().out
    assert "phone.HEIC" in out
    assert heif in out
    assert "dot.png': 1x1 px" in out
    assert "rotated_odd_exif" not in out
    rows["split"] = [
        "test" if i % 4 == 1 else "val" if i % 4 == 3 else "train"
        for i in range(len(rows))
    ]
    odd = rows["path"].str.rpartition("/")[2].isin(names)
    rows.loc[odd, "split"] = "test"
    rows.to_csv(table, index=False)
    words = ["model.size_px=32", "model.taps=block_1_expand_relu", "epochs=2"]
    options = [word for text in words for word in ("--set", text)]
    options += ["--manifest", str(table), "--weights", str(tiny_weights)]
    assert train([*options, "-o", str(folder)]) == 0
    assert read_json(folder / "input_spec.json")["limits"] == {
        "short_side_px": 16,
        "aspect": 3.0,
    }
    predictions = pd.read_csv(folder / "predictions_test.csv", keep_default_na=False)
    reasons = {
        path.rpartition("/")[2]: reason
        for path, reason in zip(predictions["path"], predictions["reason"], strict=True)
        if reason
    }
    assert set(reasons) == {"phone.HEIC", "dot.png", "strip.png"}
    assert "too small to judge: 1x1 px" in reasons["dot.png"]
    assert heif in reasons["phone.HEIC"]
    metrics = read_json(folder / "metrics.json")
    assert metrics["metrics"]["test"]["all"]["n_unreadable"] == 3
    report = (folder / "report.html").read_text()
    for text in ("phone.HEIC", heif, "too small to judge: 256x1 px"):
        assert text in report
    capsys.readouterr()
    found = answers(capsys, folder, root / "real")
    assert {name for name, row in found.items() if row["reason"]} == set(reasons)
    assert {row["reason"] for row in found.values() if row["reason"]} == set(
        reasons.values()
    )


@given(
    sizes=st.lists(
        st.tuples(st.integers(1, 90), st.integers(1, 400)), min_size=30, max_size=40
    )
)
@settings(
    deadline=None,
    max_examples=2,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_only_what_training_resembles_gets_a_verdict(
    trained, tmp_path_factory, capsys, sizes
):
    """Training images of 48 x 48 px, seen at 32: half of that, and at most 3:1."""
    folder = tmp_path_factory.mktemp("sizes")
    sizes = [(1, 1), (48, 48), *sizes]
    for number, (width, height) in enumerate(sizes):
        noise = np.random.default_rng(number).integers(0, 256, (height, width, 3))
        Image.fromarray(noise.astype(np.uint8)).save(folder / f"{number}.png")
    found = answers(capsys, trained, folder)
    for number, size in enumerate(sizes):
        judged = min(size) >= 16 and max(size) <= 3 * min(size)
        assert bool(found[f"{number}.png"]["verdict"]) == judged, size


def test_explain_and_evaluate_turn_down_what_predict_does(run, odd_files, tmp_path):
    from kerasfaces.cli.explain import main as explain

    words = [str(odd_files / "grey8.png"), str(odd_files / "dot.png")]
    assert explain([str(run), *words, "-o", str(tmp_path / "maps"), "--no-checks"]) == 0
    rows = pd.read_csv(tmp_path / "maps/explanations.csv", keep_default_na=False)
    assert [bool(reason) for reason in rows["reason"]] == [False, True]
    assert "too small to judge" in rows["reason"][1]


def test_a_run_without_limits_judges_everything_and_says_so(
    run, odd_files, capsys, caplog
):
    spec = read_json(run / "input_spec.json")
    write_json(run / "input_spec.json", spec | {"limits": None})
    found = answers(capsys, run, odd_files / "dot.png", odd_files / "grey8.png")
    assert found["dot.png"]["verdict"]
    assert caplog.text.count("does not say how large its training images were") == 1


@pytest.mark.parametrize("limits", ["x", {"short_side_px": "a", "aspect": 3}, {"a": 1}])
def test_damaged_limits_are_named(run, odd_files, limits):
    from kerasfaces.core.errors import RunError

    spec = read_json(run / "input_spec.json") | {"limits": limits}
    write_json(run / "input_spec.json", spec)
    with pytest.raises(RunError, match=r"input_spec\.json"):
        predict([str(run), str(odd_files / "grey8.png")])
