"""`import kerasfaces as kf`: what the README shows, on the sample, in one process."""

import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import kerasfaces as kf
from kerasfaces.core.errors import InputError, MissingFileError

pytestmark = pytest.mark.tf
FAST = {"epochs": 2, "model__size_px": 64, "model__taps": (), "model__pooling": "mean"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library") / "sample"
    return kf.load_sample(folder, pairs=60)


@pytest.fixture(scope="module")
def detector(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return kf.Detector("mobilenetv2", **FAST).fit(data, output=folder)


def test_public_names_are_listed_and_import_no_framework(run_python):
    code = (
        "import sys, kerasfaces as kf;"
        "print([n for n in kf.__all__ if n not in dir(kf) or not callable(getattr(kf, n))],"
        "[m for m in ('keras', 'tensorflow', 'torch') if m in sys.modules])"
    )
    assert run_python(code).strip() == "[] []"


def test_no_public_name_is_a_sub_package():
    import pkgutil

    modules = {module.name for module in pkgutil.iter_modules(kf.__path__)}
    assert not modules & set(kf.__all__)


def test_manifest_selects_splits_and_counts(data, tmp_path):
    assert len(data.table) == len(data) == 120
    test = data.select(split="test")
    assert set(test.table["split"]) == {"test"}
    two = data.select(label="fake", source=["vae8x", "nearest_conv"])
    assert set(two.table["source"]) == {"vae8x", "nearest_conv"}
    with pytest.raises(
        InputError, match=r"no column 'sauce'; there are path.*mean 'source'"
    ):
        data.select(sauce="x")
    with pytest.raises(InputError, match="no row has source 'x'"):
        data.select(source="x")
    with pytest.raises(InputError, match=r"split\(overwrite=True\)"):
        data.split()
    again = data.split("3:1:1", seed=1, near_duplicates=None, overwrite=True)
    assert (again.table["split"] != data.table["split"]).any()
    counts = data.counts()
    assert counts["all"].sum() == 120
    assert list(counts.columns) == ["train", "val", "test", "all"]
    assert "vae8x" in repr(data)
    assert "vae8x" in data._repr_html_()
    written = kf.Manifest.from_csv(data.write(tmp_path / "m.csv"))
    assert written.manifest.files() == data.manifest.files()
    assert not written.is_sample


def test_a_detector_is_checked_when_it_is_configured():
    with pytest.raises(InputError, match=r"epoch: unknown key.*Did you mean 'epochs'"):
        kf.Detector("mobilenetv2", epoch=3)
    with pytest.raises(InputError, match=r"model\.size: unknown.*'size_px'"):
        kf.Detector("mobilenetv2", model={"size": 3})
    with pytest.raises(InputError, match="epochs: expected int, got 'many'"):
        kf.Detector("mobilenetv2", epochs="many")
    with pytest.raises(InputError, match="epochs: expected at least 1, got 0"):
        kf.Detector("mobilenetv2", epochs=0)
    with pytest.raises(InputError, match="Did you mean 'mobilenetv2'"):
        kf.Detector("mobilenetv3")
    with pytest.raises(InputError, match="model: 'resnet50', and the name is 'mobi"):
        kf.Detector("mobilenetv2", model="resnet50")
    assert kf.Detector(model="resnet50").name == "resnet50"
    with pytest.raises(
        InputError, match="`views` is for networks; hog_svm is a baseline"
    ):
        kf.Detector("hog_svm", views=2)
    with pytest.raises(InputError, match=r"not trained; call fit\(data\) first"):
        kf.Detector("mobilenetv2").predict("x.jpg")


def test_settings_reach_the_run(detector):
    from kerasfaces.core.files import read_json

    train = read_json(detector.folder / "config.json")["train"]
    assert train["epochs"] == 2
    assert train["model"]["size_px"] == 64
    assert train["model"]["pooling"] == "mean"


def test_the_same_fit_is_found_again_and_another_one_refused(detector, data):
    from kerasfaces.core.errors import RunError

    before = (detector.folder / "model.keras").stat().st_mtime_ns
    again = kf.Detector("mobilenetv2", **FAST).fit(data, output=detector.folder)
    assert (again.folder / "model.keras").stat().st_mtime_ns == before
    with pytest.raises(RunError, match="epochs: 2 -> 3"):
        kf.Detector("mobilenetv2", **{**FAST, "epochs": 3}).fit(
            data, output=detector.folder
        )


def test_paths_images_and_arrays_get_the_same_answer(detector, data):
    files = data.manifest.files()[:2]
    opened = Image.open(files[0])
    answers = detector.predict([files[0], opened, np.asarray(opened), str(files[1])])
    assert list(answers.columns)[:5] == ["path", "verdict", "score", "logit", "reason"]
    assert list(answers["path"][1:3]) == ["<image 1>", "<image 2>"]
    np.testing.assert_array_equal(answers["logit"][:3], [answers["logit"][0]] * 3)
    stored = pd.read_csv(detector.folder / "predictions_test.csv")
    row = stored.iloc[0]
    again = detector.predict(str(detector.folder / row["path"]))
    assert again["logit"][0] == pytest.approx(row["logit"], abs=1e-4)


def test_a_turned_pil_image_is_judged_upright(detector, data, tmp_path):
    picture = Image.open(data.manifest.files()[0])
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90, expand=True).save(tmp_path / "t.png", exif=exif)
    with Image.open(tmp_path / "t.png") as opened:
        both = detector.decision_function([opened, tmp_path / "t.png"])
    assert both[0] == both[1]


def test_probabilities_and_unreadable_images(detector, data, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    given = [data.manifest.files()[0], tmp_path / "broken.jpg"]
    chance = detector.predict_proba(given)
    assert chance.shape == (2, 2)
    assert chance[0].sum() == pytest.approx(1)
    assert np.isnan(chance[1]).all()
    assert np.isnan(detector.decision_function(given)[1])
    assert detector.predict(tmp_path / "broken.jpg")["reason"][0]


def test_a_pil_image_that_cannot_be_decoded_is_a_row(detector, data, tmp_path):
    whole = data.manifest.files()[0]
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:1500])
    closed = Image.open(whole)
    closed.close()
    with Image.open(tmp_path / "cut.jpg") as cut:
        rows = detector.predict([cut, whole, closed])
        with pytest.raises(
            InputError, match="<image 0>: cannot be decoded: image file"
        ):
            detector.explain([cut], tmp_path / "maps")
    assert list(rows["path"]) == ["<image 0>", str(whole), "<image 2>"]
    assert (rows["verdict"] == "").tolist() == [True, False, True]
    assert rows["reason"][0].startswith("cannot be decoded: image file is truncated")
    assert rows["reason"][1] == ""
    assert "closed image" in rows["reason"][2]


@pytest.mark.parametrize("other", ["m.csv", None, 3, pd.DataFrame()])
def test_only_a_manifest_is_data(detector, data, other):
    calls = [
        lambda: kf.Detector("mobilenetv2").fit(other),
        lambda: data.join(other),
        lambda: kf.cross_generators(other),
        lambda: kf.run_study("frozen_random", other),
    ]
    if other is not None:
        calls += [lambda: detector.evaluate(other), lambda: detector.attribute(other)]
    name = type(other).__name__
    for call in calls:
        with pytest.raises(InputError, match=f"expected a Manifest, got {name}"):
            call()


def test_a_path_is_no_manifest():
    with pytest.raises(InputError, match=r"got str; call Manifest\.from_csv"):
        kf.Manifest("two.csv")


@pytest.mark.parametrize("other", [None, 3, ["a", "b"], b"a"])
def test_a_place_is_a_path(other):
    for read in (
        kf.Manifest.from_folders,
        kf.Manifest.from_table,
        kf.Manifest.from_csv,
    ):
        with pytest.raises(
            InputError, match=f"expected .*, got {type(other).__name__}"
        ):
            read(other)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "expected at least one image"),
        (np.zeros((4, 4, 3)), "float64. Scale floats to 0..255"),
        ([np.zeros((4, 4, 2), np.uint8)], r"images\[0\]: expected an array"),
        ([3], r"images\[0\]: expected a path"),
        (3, "expected paths, PIL images or uint8 arrays, got int"),
    ],
)
def test_what_is_no_image_is_refused(detector, images, message):
    with pytest.raises(InputError, match=message):
        detector.predict(images)


def test_result_shows_what_the_run_holds(detector):
    from kerasfaces.core.files import read_json

    result = detector.evaluate()
    stored = read_json(detector.folder / "metrics.json")["metrics"]["test"]["all"]
    assert result["auc"].value == stored["auc"]["value"]
    table = result.table.set_index(["slice", "metric"])
    assert table.loc[("all", "auc"), "value"] == pytest.approx(stored["auc"]["value"])
    assert len(result.predictions) == stored["n"] + stored["n_unreadable"]
    assert result.by("source")["n_fake"].max() == stored["n_fake"]
    assert set(result.by("attr_gender").index) == {"man", "woman"}
    assert "AUC" in repr(result)
    assert "95 % interval" in result._repr_html_()
    with pytest.raises(InputError, match="no column 'attr_shoes'"):
        result.by("attr_shoes")
    with pytest.raises(InputError, match="no metric 'loss'"):
        result["loss"]
    with pytest.raises(InputError, match="'train' was not measured"):
        detector.evaluate(split="train")


def test_plots_are_axes(detector):
    from matplotlib import pyplot

    pyplot.switch_backend("agg")
    result = detector.evaluate()
    _, given = pyplot.subplots()
    assert result.plot_roc(given) is given
    for axes in (
        result.plot_roc(),
        result.plot_precision_recall(),
        result.plot_scores(),
    ):
        assert axes.get_xlabel()
        assert axes.get_title().endswith(
            f"n = {result['auc'] and result.metrics['all']['n']}"
        )
    pyplot.close("all")


def test_images_it_was_trained_on_are_no_test(detector, data):
    with pytest.raises(InputError, match=r"trained or validated on .* of these"):
        detector.evaluate(data, split="train")
    own = detector.evaluate()
    again = detector.evaluate(data)
    assert again.folder != own.folder
    assert again["auc"].value == own["auc"].value
    unsplit = data.select(split="test")
    unsplit.manifest.rows["split"] = ""
    assert detector.evaluate(unsplit)["auc"].value == own["auc"].value


def test_a_run_is_opened_again(detector):
    opened = kf.load_run(detector.folder)
    assert opened.name == "mobilenetv2"
    assert "trained on" in repr(opened)
    assert opened.model.output_shape == (None, 1)
    with pytest.raises(MissingFileError, match="is no folder"):
        kf.load_run(detector.folder / "nothing")


def test_detectors_are_compared_and_joined(detector, data, tmp_path):
    other = kf.Detector("mobilenetv2", seed=1, **FAST)
    other.fit(data, output=tmp_path / "other")
    found = kf.compare_detectors(
        {"a": detector, "b": tmp_path / "other"},
        resamples=100,
        output=tmp_path / "table",
    )
    assert set(found.table.index) == {"a", "b"}
    assert found.table.loc["a", ("auc", "value")] == detector.evaluate()["auc"].value
    assert "p_holm" in found.differences
    assert found.report.exists()
    joined = kf.build_ensemble([detector, other], output=tmp_path / "joined")
    assert joined["auc"].value > 0
    with pytest.raises(InputError, match="is an ensemble"):
        kf.load_run(tmp_path / "joined")
    with pytest.raises(InputError, match="method: expected one of"):
        kf.build_ensemble([detector, other], method="best")
    with pytest.raises(InputError, match="expected several, got one"):
        kf.compare_detectors(detector)
    with pytest.raises(InputError, match=r"the name 'lr=0\.1' has an equals sign"):
        kf.compare_detectors({"lr=0.1": detector, "b": other})


def test_a_generator_may_be_called_what_pandas_takes_for_missing(
    data, tmp_path, monkeypatch
):
    from kerasfaces.crossgen import run

    (tmp_path / "crossgen.json").write_text('{"failed": {}}')
    (tmp_path / "crossgen.csv").write_text(
        "table,train,test,metric,value\n"
        "matrix,NA,NA,auc,0.9\nmatrix,NA,None,auc,0.8\nmatrix,None,NA,,\n"
    )
    asked = []
    monkeypatch.setattr(run, "crossgen", lambda each: asked.append(each) or tmp_path)
    found = kf.cross_generators(
        data, "mobilenetv2", train="NA,b", test=["None"], workers=2
    )
    assert [each.train for each in asked[0].pairings] == [("NA", "b")]
    assert [each.test for each in asked[0].pairings] == [("None",)]
    assert asked[0].engine.workers == 2
    assert found.matrix().loc["NA"].to_dict() == {"NA": 0.9, "None": 0.8}
    assert found.table["value"].isna().sum() == 1


def test_models_are_listed():
    models = kf.list_models()
    assert models.loc["hog_svm", "kind"] == "baseline"
    assert models["summary"].str.len().min() > 10


def test_an_unguarded_script_runs_once(tmp_path):
    """Workers must not run the user's script again."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            print("started", flush=True)
            from kerasfaces.core import engine
            spread = engine.Engine(workers=2)
            print(sum(o.value for o in engine.map(abs, range(-60, 0), spread=spread)))
            """
        )
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["started", str(sum(range(1, 61)))]
    assert "cannot be started" not in done.stderr
