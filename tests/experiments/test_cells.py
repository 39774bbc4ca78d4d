"""Cells of an experiment: what fails is named, what costs too much is left, the rest goes on."""

import dataclasses
import json

import numpy as np
import pytest
from result_rows import lines

from experiments.framework import cells, measured
from experiments.framework.cells import Attempted, System
from experiments.framework.runner import Context
from kerasfaces import manifest as manifests
from kerasfaces.core.engine import Engine
from kerasfaces.core.errors import InputError, MissingFileError
from kerasfaces.core.files import write_json
from kerasfaces.train import config as configs
from kerasfaces.train import run as training

RATIO = (5, 1, 1)


@pytest.fixture
def context(write_generators, trained, tmp_path):
    """Three generators, one of them small."""
    path = write_generators({"stylegan": 140, "portrait_gan": 70, "diffusion": 70})
    return Context(
        manifest=manifests.read(path),
        folder=tmp_path / "out",
        weights={"mobilenetv2": "none"},
        seeds=(0,),
    )


@pytest.fixture
def system():
    return System(
        label="logistic", config=configs.preset("tian2023", "logistic_regression")
    )


def test_a_system_of_some_generators_sees_equal_shares_of_them(
    context, system, trained
):
    gans = ("portrait_gan", "stylegan")
    one = dataclasses.replace(system, trained_on=gans, size=80)
    found = cells.train(context, one, RATIO)
    assert found.status == "run"
    (request,) = trained
    assert request.audit == {"flagged": False}
    assert "portrait_gan, stylegan" in request.notes[-1]
    rows = request.manifest.rows
    train = rows[rows["split"] == "train"]["source"].value_counts().to_dict()
    assert train == {"camera": 80, "portrait_gan": 40, "stylegan": 40}
    assert set(rows[rows["split"] == "val"]["source"]) == {"camera", *gans}
    tested = set(rows[rows["split"] == "test"]["source"])
    assert tested == {"camera", "diffusion", *gans}


def test_what_fails_is_named_and_leaves_no_folder_of_this_machine(
    context, system, monkeypatch
):
    def broken(request):
        raise ZeroDivisionError(f"in {context.folder}/x/y.py")

    monkeypatch.setattr(training, "train", broken)
    found = cells.train(context, system, RATIO)
    assert found.status.startswith("failed: ZeroDivisionError")
    assert not found.folders
    assert str(context.folder) not in found.status + found.note
    assert found.note.startswith("logistic failed on split 0: ")
    assert "y.py" in found.note


def test_a_full_disk_stops_everything(context, system, monkeypatch):
    def full(request):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training, "train", full)
    with pytest.raises(OSError, match="No space left"):
        cells.train(context, system, RATIO)


def test_a_split_that_failed_leaves_the_numbers_of_the_others(
    context, system, monkeypatch
):
    context = dataclasses.replace(context, seeds=(0, 1))
    train = training.train

    def second_fails(request):
        if request.folder.name == "split-1":
            raise InputError("This one cannot be read.")
        return train(request)

    monkeypatch.setattr(training, "train", second_fails)
    found = cells.train(context, system, RATIO)
    assert found.status == "run"
    assert list(found.folders) == [0]
    assert "split 1: This one cannot be read." in found.note
    assert "1 of 1 detectors" in cells.attempt_notes([found], context)[-1]


def test_without_budget_nothing_new_is_started(context, system, trained):
    first = cells.train(context, system, RATIO)
    write_json(context.folder / "clock.json", {"seconds": 3600.0})
    context = dataclasses.replace(context, budget_h=0.5)
    assert cells.train(context, system, RATIO) == first  # it was finished
    other = dataclasses.replace(system, label="other")
    found = cells.train(context, other, RATIO)
    assert found.status == "not run: budget"
    assert len(trained) == 1
    (note,) = cells.attempt_notes([first, found], context)
    assert "1 of 2 detectors" in note
    assert "0.5 hours" in note


def test_weights_that_cannot_be_had_are_looked_for_once(
    context, no_imagenet, monkeypatch
):
    from kerasfaces.models.published import KaggleFile

    looked = []
    missing = KaggleFile.fetch
    monkeypatch.setattr(
        KaggleFile, "fetch", lambda file: looked.append(file) or missing(file)
    )
    config = configs.preset("yu2024", "deit_base_224")
    system = System(label="deit", config=config, weights="imagenet")
    found = [cells.train(context, system, RATIO) for _ in range(3)]
    assert {each.status for each in found} == {"not run: no weights"}
    assert len(looked) == 1
    (note,) = cells.attempt_notes(found, context)
    assert note.startswith("deit_base_224 was not run")
    assert "/home/somebody" not in note


def test_a_named_file_that_is_not_there_is_a_mistake(context):
    config = configs.preset("yu2024", "deit_base_224")
    system = System(label="deit", config=config, weights="absent.weights.h5")
    with pytest.raises(MissingFileError, match="no such file"):
        cells.train(context, system, RATIO)


def test_when_every_training_failed_there_are_no_tables():
    failed = Attempted(status="failed: a", note="One failed: a.")
    absent = Attempted(status="not run: no weights")
    with pytest.raises(InputError, match=r"Nothing could be trained. One failed: a."):
        cells.require_one([failed, absent, failed])
    cells.require_one([absent])
    cells.require_one([failed, Attempted(status="not run: budget")])


def test_weights_say_where_each_model_started(context, system):
    found = {"a": cells.train(context, system, RATIO)}
    assert cells.weights({"a": system}, found) == {
        "everything else": "trained from random weights"
    }
    named = dataclasses.replace(system, weights="x.h5")
    said = cells.weights({"a": named}, found)
    assert said["logistic_regression"]["file"] == "base.h5"


def test_numbers_on_some_generators(context, system):
    folder = cells.train(context, system, RATIO).folders[0]
    stored = json.loads((folder / "metrics.json").read_text())["metrics"]["test"]
    every = measured.on_sources(folder)
    assert every["auc"].value == stored["all"]["auc"]["value"]
    one = measured.on_sources(folder, ("stylegan",))
    assert one["auc"].value == stored["source=stylegan"]["auc"]["value"]
    assert one["support"].value == 20
    two = measured.on_sources(folder, ("portrait_gan", "stylegan"))
    frame = _test_rows(folder)
    frame = frame[frame["source"] != "diffusion"]
    fake = (frame["label"] == "fake").to_numpy()
    right = (frame["score"] >= _threshold(folder)).to_numpy() == fake
    logit = frame["logit"].to_numpy()
    wins = np.mean(logit[fake][:, None] > logit[~fake][None, :])
    assert two["auc"].value == pytest.approx(wins)
    assert two["accuracy"].value == pytest.approx(right.mean())
    assert two["recall"].value == pytest.approx(right[fake].mean())
    assert two["recall of real"].value == pytest.approx(right[~fake].mean())
    called_real = right == ~fake
    assert two["precision of real"].value == pytest.approx((~fake)[called_real].mean())
    assert measured.on_sources(folder, ("nobody",)) is None
    assert measured.over_splits({0: folder}, ("nobody",)) == {}


def _test_rows(folder):
    from kerasfaces.run import predictions

    return predictions.read(folder / "predictions_test.csv")


def _threshold(folder):
    point = json.loads((folder / "operating_point.json").read_text())
    return point["threshold"]


def test_a_detector_that_fails_leaves_the_tables_of_the_others(
    run_experiment, write_generators, weights_file, tmp_path, monkeypatch, capsys
):
    train = training.train

    def one_fails(request):
        if request.config.model.name == "two_layer_cnn":
            raise RuntimeError("out of memory")
        return train(request)

    monkeypatch.setattr(training, "train", one_fails)
    path = write_generators({"stylegan": 140, "diffusion": 70})
    weights = f"mobilenetv2={weights_file}"
    results = run_experiment("tian2023", path, "--weights", weights, code=1)
    failure = tmp_path / "out/failures/two_layer_cnn-8-epochs-split-0.txt"
    assert "Traceback" in failure.read_text(encoding="utf-8")
    rows = lines(results, "result")
    broken = rows["two-layer CNN", "auc"]
    assert broken["status"] == "failed: RuntimeError('out of memory')"
    assert rows["aggregated CNNs", "auc"]["status"] == "run"
    assert "two_layer_cnn-8-epochs failed on split 0" in capsys.readouterr().out


def test_one_that_fails_on_some_splits_alone_is_in_the_exit_code(
    run_experiment, write_generators, weights_file, monkeypatch
):
    train = training.train

    def second_fails(request):
        if request.config.model.name == "two_layer_cnn" and "split-1" in str(
            request.folder
        ):
            raise RuntimeError("out of memory")
        return train(request)

    monkeypatch.setattr(training, "train", second_fails)
    path = write_generators({"stylegan": 140, "diffusion": 70})
    words = ["--seeds", "0-1", "--weights", f"mobilenetv2={weights_file}"]
    results = run_experiment("tian2023", path, *words, code=1)
    assert results["failed"] == {
        "two-layer CNN": "failed: RuntimeError('out of memory')"
    }
    monkeypatch.setattr(training, "train", train)
    run_experiment("tian2023", path, *words)


@pytest.mark.tf
@pytest.mark.slow
def test_workers_train_what_this_process_would(tiny_manifest, tmp_path):
    def contexts():
        for name, engine in (("here", Engine(workers=1)), ("apart", Engine(workers=2))):
            yield Context(
                manifest=tiny_manifest,
                folder=tmp_path / name,
                weights={},
                seeds=(0, 1),
                engine=engine,
            )

    config = configs.preset("tian2023", "logistic_regression")
    small = dataclasses.replace(
        config, epochs=1, model=dataclasses.replace(config.model, size_px=32)
    )
    systems = {"good": System(label="good", config=small)}
    here, apart = (cells.train_all(each, systems, (4, 1, 1)) for each in contexts())
    for seed in (0, 1):
        one, other = (
            (each["good"].folders[seed] / "predictions_test.csv").read_bytes()
            for each in (here, apart)
        )
        assert one == other


@pytest.mark.tf
@pytest.mark.slow
def test_what_fails_on_a_worker_is_named_once_and_the_rest_goes_on(
    context, system, tmp_path
):
    context = dataclasses.replace(context, engine=Engine(workers=2))
    folder = context.run_folder("logistic", 0)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")  # of another run
    found = cells.train_all(context, {"a": system}, RATIO)["a"]
    assert found.status.startswith("failed: ")
    assert "split 0" in found.note


def test_with_the_budget_spent_no_worker_starts(context, system):
    context = dataclasses.replace(context, engine=Engine(workers=2), budget_h=0.5)
    write_json(context.folder / "clock.json", {"seconds": 3600.0})
    found = cells.train_all(context, {"a": system}, RATIO)["a"]
    assert found.status == "not run: budget"
