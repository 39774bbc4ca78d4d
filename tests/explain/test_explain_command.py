"""The command: folders that finish, continue, refuse; users' files."""

import shutil
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import tiny_detector
from PIL import Image

from kerasfaces.cli import explain as command
from kerasfaces.core import registry
from kerasfaces.core.errors import InputError, MissingFileError, RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.explain import checks, selection

pytestmark = pytest.mark.tf


def explain(*arguments):
    return command.main([str(each) for each in arguments])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    return tiny_detector.write_images(folder, 2)


def test_the_data_set_view(tiny_run, tmp_path, capsys):
    out = tmp_path / "maps"
    arguments = (tiny_run, "--split", "test", "--n", 5, "-o", out)
    assert explain(*arguments, "--signed") == 0
    printed = capsys.readouterr().out
    assert "mean deletion gain: " in printed
    assert printed.splitlines()[-1] == f"report: {out / 'explain.html'}"
    frame = pd.read_csv(out / "explanations.csv", keep_default_na=False)
    assert frame["source"].tolist() == ["camera"] * 3 + ["gan"] * 2
    assert (frame["verdict"] == frame["label"]).all()
    assert (frame["method"] == "gradcam").all()
    assert (frame["random_orders"] == 5).all()
    for name in frame["file"]:
        found = np.load(out / "images" / f"{name}.npy")
        assert found.shape == (32, 32)
        assert found.dtype == np.float32
        with np.load(out / "images" / f"{name}-layers.npz") as layers:
            assert layers.files == ["last@1"]
        with Image.open(out / "images" / f"{name}.png") as drawn:
            assert drawn.width == 320
    page = (out / "explain.html").read_text(encoding="utf-8")
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "real: camera" in page
    assert "drawn with seed 0" in page
    assert page.count("<figure>") == 5 + 2 + 2
    assert explain(*arguments, "--signed") == 0  # and again: nothing to do
    with pytest.raises(RunError, match="another explanation"):
        explain(*arguments)


def test_users_files(tiny_run, photos, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    cut = photos[0].read_bytes()[:300]
    (tmp_path / "cut.png").write_bytes(cut)
    odd = tmp_path / "a\n<b> \udcff.png"
    shutil.copy(photos[0], odd)
    bad = [tmp_path / n for n in ("text.jpg", "empty.png", "cut.png", "no\x1bne.png")]
    out = tmp_path / "out"
    code = explain(tiny_run, *bad, tmp_path, odd, "-o", out, "--no-checks")
    assert code == 0
    frame = pd.read_csv(out / "explanations.csv", keep_default_na=False)
    assert len(frame) == 6
    assert (frame["reason"] != "").tolist() == [True] * 5 + [False]
    assert "deletion_gain" not in frame
    printed = capsys.readouterr().out
    assert "5 of 6 images could not be explained" in printed
    assert "no\\x1bne.png: file not found" in printed
    assert "a\\n<b> " in printed
    page = (out / "explain.html").read_text(encoding="utf-8")
    assert "text.jpg" in page
    assert "<b> " not in page
    with pytest.raises(InputError, match="None of 2 images"):
        explain(tiny_run, *bad[:2], "-o", tmp_path / "nothing", "--no-checks")
    assert (tmp_path / "nothing" / "explanations.csv").is_file()


def test_killed_and_run_again(tiny_run, photos, tmp_path, monkeypatch):
    plugin = registry.load("kerasfaces.explain.methods", "gradcam")
    done = []

    def explained(subject, image, options, real=plugin.explain):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(image)
        return real(subject, image, options)

    monkeypatch.setattr(plugin, "explain", explained)
    arguments = (tiny_run, *photos, "-o", tmp_path / "maps", "--no-checks")
    with pytest.raises(KeyboardInterrupt):
        explain(*arguments)
    assert not (tmp_path / "maps" / "explain.html").exists()
    kept = sorted((tmp_path / "maps" / "images").glob("*.json"))
    assert len(kept) == 2
    kept[1].unlink()  # as if killed before the last of its files
    done.clear()
    monkeypatch.setattr(plugin, "explain", lambda *a, **k: done.append(a) or made(*a))
    made = explained.__defaults__[0]
    assert explain(*arguments) == 0
    assert len(done) == 3
    frame = pd.read_csv(tmp_path / "maps" / "explanations.csv")
    assert len(frame) == 4
    assert frame["logit"].notna().all()


@pytest.mark.parametrize(
    ("kind", "content"),
    [("json", b'{"a'), ("json", b"[]"), ("json", b"{}"), ("npy", b""), ("npy", None)],
)
def test_damaged_maps_are_made_again(tiny_run, photos, tmp_path, caplog, kind, content):
    arguments = (tiny_run, photos[0], "-o", tmp_path / "maps", "--no-checks")
    assert explain(*arguments) == 0
    (kept,) = (tmp_path / "maps" / "images").glob(f"*.{kind}")
    before = kept.read_bytes()
    kept.write_bytes(before[:200] if content is None else content)
    assert explain(*arguments) == 0
    assert "is damaged: explained again" in caplog.text
    assert kept.read_bytes() == before


def test_other_weights_or_threshold_are_another_explanation(
    tiny_run, photos, tmp_path, monkeypatch
):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    arguments = (run, photos[0], "-o", tmp_path / "maps", "--no-checks")
    assert explain(*arguments) == 0
    # From here nobody asks for Keras.
    monkeypatch.setattr("kerasfaces.explain.run.import_keras", None)
    point = read_json(run / "operating_point.json")
    write_json(run / "operating_point.json", point | {"threshold": 0.9})
    with pytest.raises(RunError, match=r"another explanation \(point"):
        explain(*arguments)
    write_json(run / "operating_point.json", point)
    with (run / "model.keras").open("ab") as file:
        file.write(b"x")
    with pytest.raises(RunError, match=r"another explanation \(learnt"):
        explain(*arguments)


def test_an_image_named_twice_counts_once(tiny_run, photos, tmp_path, capsys):
    explain(tiny_run, photos[0], photos[0], "-o", tmp_path / "maps")
    printed = capsys.readouterr().out
    assert printed.count(str(photos[0])) == 1
    assert "mean" not in printed  # of one image there is no interval


def test_means_are_of_what_was_measured(capsys):
    frame = pd.DataFrame({"path": list("abc"), "verdict": "fake", "reason": ""})
    frame = frame.assign(score=0.9, logit=1.0, deletion_gain=[0.1, 0.2, 0.3])
    frame = frame.assign(random_orders_beaten=5, insertion_orders_beaten=5)
    numbers = ("spread", "in_face", "area", "agreement", "n_gain")
    missing = {each: 0.1 for each in checks.COLUMNS if each.endswith(numbers)}
    frame = frame.assign(**missing | {"do_not_trust": "", "deletion_gain": 0.2})
    command._print(frame.assign(sanity_correlation=[0.2, np.nan, 0.4]), Path("out"))
    means = [each for each in capsys.readouterr().out.splitlines() if "mean" in each]
    counts = {each.split(":")[0]: each.rpartition(", ")[2] for each in means}
    assert counts["mean deletion gain"] == "n 3"
    assert counts["mean re-drawn head"] == "n 2"
    assert len(counts) == 6


def test_a_map_of_edges_is_flagged(tiny_run, photos, tmp_path, monkeypatch, capsys):
    from kerasfaces.explain.contract import Explanation

    def edges(subject, image, options):
        slope = np.abs(np.gradient(image.astype(np.float32).mean(axis=-1))[0])
        return [Explanation(map=slope)] * subject.n_heads

    fake = SimpleNamespace(
        UNITS="logit per pixel", REDRAWS=2, check=lambda subject: None, explain=edges
    )
    monkeypatch.setattr(registry, "load", _loads(registry.load, fake))
    explain(tiny_run, *photos, "-o", tmp_path / "maps")
    frame = pd.read_csv(tmp_path / "maps" / "explanations.csv", keep_default_na=False)
    assert frame["sanity_correlation"].tolist() == pytest.approx([1.0] * 4)
    assert "4 of 4 maps hardly depend on what was learnt" in capsys.readouterr().out
    page = (tmp_path / "maps" / "explain.html").read_text("utf-8")
    assert "Do not trust this map" in page
    assert frame["do_not_trust"].str.contains("1.00 with random heads").all()


def _loads(real, fake):
    def load(package, name):
        return fake if package == "kerasfaces.explain.methods" else real(package, name)

    return load


def test_mistakes(tiny_run, photos, tmp_path, capsys):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="Did you mean 'gradcam'"):
        explain(tiny_run, photos[0], "-o", out, "--method", "gradcan")
    with pytest.raises(MissingFileError, match="is no folder"):
        explain(tmp_path / "none", photos[0], "-o", out)
    with pytest.raises(MissingFileError, match="not a finished run"):
        explain(tmp_path, photos[0], "-o", out)
    with pytest.raises(InputError, match="no rows of split 'val'; it has: test"):
        explain(tiny_run, "--split", "val", "-o", out)
    with pytest.raises(InputError, match="the run itself"):
        explain(tiny_run, photos[0], "-o", tiny_run)
    assert not out.exists()
    for arguments in (
        [tiny_run, "-o", out],
        [tiny_run, photos[0]],
        [tiny_run, photos[0], "-o", out, "--split", "test"],
        [tiny_run, photos[0], "-o", out, "--n", 3],
        [tiny_run, photos[0], "-o", out, "--method", "occlusion", "--signed"],
        [tiny_run, photos[0], "-o", out, "--baseline", "grey"],
    ):
        with pytest.raises(SystemExit) as caught:
            explain(*arguments)
        assert caught.value.code == 2
    joined = tmp_path / "joined"
    shutil.copytree(tiny_run, joined)
    write_json(joined / "ensemble.json", {})
    with pytest.raises(InputError, match="give one of its members"):
        explain(joined, photos[0], "-o", out)
    (joined / "ensemble.json").rename(joined / "attribution.json")
    with pytest.raises(InputError, match="is an attribution"):
        explain(joined, photos[0], "-o", out)
    (tmp_path / "study" / "winner").mkdir(parents=True)
    with pytest.raises(InputError, match="is a study: give its winner"):
        explain(tmp_path / "study", photos[0], "-o", out)
    capsys.readouterr()
    assert explain("--list") == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == registry.names("kerasfaces.explain.methods")


def test_sources_share_the_images_evenly(tmp_path):
    lines = ["path,label,source,split"]
    for source, n in (("camera", 30), ("gan", 2), ("diffusion", 30)):
        label = "real" if source == "camera" else "fake"
        lines += [f"{source}{i}.png,{label},{source},test" for i in range(n)]
    (tmp_path / "manifest.csv").write_text("\n".join(lines) + "\n")
    drawn = selection.draw(tmp_path, "test", 20, 0)
    assert Counter(drawn.sources) == {"camera": 9, "gan": 2, "diffusion": 9}
    assert drawn.labels[0] == "real"
    assert len(set(drawn.files)) == 20
    assert drawn == selection.draw(tmp_path, "test", 20, 0)
    assert drawn.files != selection.draw(tmp_path, "test", 20, 1).files
    assert len(selection.draw(tmp_path, "test", 500, 0).files) == 62


def test_means_have_intervals():
    mean, low, high = checks.mean_interval(pd.Series([1.0, 2.0, 3.0, np.nan]))
    assert mean == pytest.approx(2.0)
    assert 1.0 <= low < mean < high <= 3.0
    assert np.isnan(checks.mean_interval(pd.Series([1.0]))[1])
