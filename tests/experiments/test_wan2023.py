"""wan2023: every published number has a row; what the budget leaves out says so."""

import dataclasses
import json
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments.__main__ import main
from experiments.framework import channel_stores, hours, paired, runner
from experiments.framework.rows import NO_BUDGET, NO_WEIGHTS, RUN
from experiments.wan2023 import cells, experiment, published, simulated, tables
from kerasfaces import manifest as manifests
from kerasfaces.channels.networks import checkpoints
from kerasfaces.core.errors import RunError
from kerasfaces.evaluate import run as evaluation
from kerasfaces.manifest import file_facts
from kerasfaces.train import config as configs

LIGHT = "MobileNetV2"


@pytest.fixture
def asked(monkeypatch, trained):
    """What the channel stage was asked for."""
    found = []

    def run(self, folder, channels, mask, options):
        found.append((mask, tuple(channels), tuple(options)))

    monkeypatch.setattr(channel_stores.Stores, "_run", run)
    monkeypatch.setattr(channel_stores, "_unusable", lambda folder: 3)
    return found


@pytest.fixture
def command(write_manifest, trained, asked, tmp_path):
    path = write_manifest()

    def run(*words, results="results.json"):
        out = tmp_path / "out"
        whole = ["wan2023", "--manifest", str(path), "-o", str(out), *words]
        assert main(whole) == 0
        return json.loads((out / results).read_text(encoding="utf-8"))

    return run


def lines(results, table, metric="accuracy"):
    return {
        row["row"]: row
        for row in results["rows"]
        if row["table"] == table and row["metric"] == metric
    }


def test_order_holds_every_cell_once_and_the_light_ones_first():
    found = list(cells.order((0, 1, 2)))
    assert len(found) == len(set(found)) == 3 * (3 * 6 + 5)
    first = [(cell.method, cell.variant, cell.seed) for cell in found[:5]]
    assert first == [("mobilenetv2", variant, 0) for variant in cells.VARIANTS[:5]]
    assert [cell.method for cell in found[5:9]] == [*["dct_cnn"] * 3, "mobilenetv2"]
    assert {cell.method for cell in found[-3:]} == {"gragnaniello2021"}
    assert len(list(cells.order((4,)))) == 3 * 6 + 5
    labels = {(cell.label("grabcut"), cell.seed) for cell in found}
    assert len(labels) == len(found)


def test_configurations_say_what_the_tables_say(tmp_path):
    context = runner.Context(manifest=None, folder=tmp_path, weights={}, seeds=(0,))

    def model(method, variant=None):
        cell = cells.Cell(method=method, variant=variant, seed=0)
        return cells.configuration(cell, context).model

    three = model("resnet34", cells.THREE)
    assert len(three.channel_names) == 9
    assert (three.options.fusion, three.options.classifier) == ("concat", "resnet34")
    chosen = model("mobilenetv2", cells.CHOSEN)
    assert len(chosen.channel_names) == 5
    assert chosen.options.fusion == "attention_spectra"
    assert model("liu2022") == configs.preset("liu2022", "lnp_attention").model
    for method in ("dct_cnn", "autogan_spec", "wang2020", "gragnaniello2021"):
        assert model(method) == configs.default(method).model
    quick = cells.configuration(
        cells.Cell(method="dct_cnn", variant=None, seed=0),
        dataclasses.replace(context, quick=True),
    )
    assert (quick.epochs, quick.model.size_px) == (1, cells.QUICK_PX)


@pytest.mark.slow
def test_every_published_number_has_its_row(command, trained, asked):
    results = command("--seeds", "0-1")
    assert len(trained) == 2 * 23
    for table, line, of in (
        ("table 1", published.TABLE_1, "{}, grabcut"),
        ("table 2", published.TABLE_2, "{}, grabcut"),
        ("table 4", published.WITHOUT_SAM, "without, {}"),
        ("table 4", published.WITH_SAM, "with SAM, {}"),
        ("table 5", published.SPECTRA_3, "3-channel, {}"),
        ("table 5", published.SPECTRA_1, "1-channel, {}"),
        ("table 6", published.CONCAT, "AS+PS+LNP, {}"),
        ("table 6", published.ATTENTION_ALL, "Att(AS+PS+LNP), {}"),
        ("table 6", published.ATTENTION_SPECTRA, "Att(AS+PS)+LNP, {}"),
    ):
        rows = lines(results, table)
        for classifier, value in line.items():
            row = rows[of.format(published.NAMES[classifier])]
            assert row["published"] == value
            sam = "with SAM" in row["row"]
            assert row["status"] == (NO_WEIGHTS if sam else RUN)
    rows = lines(results, "table 3")
    assert {rows[tables.METHODS[name]]["published"] for name in tables.METHODS} == set(
        published.TABLE_3.values()
    )
    times = lines(results, "table 1", "hours")
    assert times[f"{LIGHT}, grabcut"]["ours"]["value"] == pytest.approx(0.01)
    assert times[f"{LIGHT}, grabcut"]["published"] == 3
    ablations = lines(results, "differences")
    assert len(ablations) == 6 * 3 * 3
    gain = ablations[f"mask - none, {LIGHT}"]
    assert gain["published"] == pytest.approx(0.0036)
    assert len(gain["ours"]["values"]) == 2
    assert 0 < ablations[f"mask - none, {LIGHT}, split 0"]["ours"]["p_value"] <= 1
    notes = " ".join(results["notes"])
    assert f"mask - none, {LIGHT}: " in notes
    assert "split 0: 75% of the attention's rows are one-hot" in notes
    assert "3 images have no channels in the store grabcut-lnp-spectrum " in notes
    assert "Masks are made by grabcut. The document's are SAM's." in notes
    assert asked == [
        ("grabcut", ("lnp", "spectrum"), ()),
        ("grabcut", ("lnp", "spectrum"), ("spectrum.colours=3",)),
        ("none", ("rgb", "lnp", "spectrum"), ()),
        ("none", ("lnp", "spectrum"), ("spectrum.amplitude=liu2022",)),
    ]


@pytest.mark.slow
def test_a_mask_that_is_asked_for_stands_in_the_rows(command, asked):
    results = command("--mask", "selfie")
    assert asked[0] == ("selfie", ("lnp", "spectrum"), ())
    table = lines(results, "table 4")
    assert table[f"with selfie, {LIGHT}"]["status"] == RUN
    assert table[f"with SAM, {LIGHT}"]["status"] == NO_WEIGHTS
    assert lines(results, "table 1")[f"{LIGHT}, selfie"]["status"] == RUN
    assert "Masks are made by selfie. The document's are SAM's." in results["notes"]
    assert not any("grabcut" in row["row"] for row in results["rows"])


def test_the_part_of_masks_trains_two_detectors_and_compares_them(command, asked):
    words = ("--part", "masks", "--mask", "selfie")
    results = command(*words, results="results-masks.json")
    assert {row["table"] for row in results["rows"]} == {"table 4", "differences"}
    table = lines(results, "table 4")
    assert list(table) == [
        f"without, {LIGHT}",
        f"with SAM, {LIGHT}",
        f"with selfie, {LIGHT}",
    ]
    assert [row["status"] for row in table.values()] == [RUN, NO_WEIGHTS, RUN]
    assert lines(results, "differences")[f"mask - none, {LIGHT}"]["status"] == RUN
    assert [name for name, *_ in asked] == ["selfie", "none"]


def test_without_budget_nothing_is_run_and_every_row_says_so(command, trained):
    results = command("--budget-hours", "0")
    assert trained == []
    assert {row["status"] for row in results["rows"]} == {NO_BUDGET, NO_WEIGHTS}
    assert "69 of 69 trainings were not started" in " ".join(results["notes"])


def test_what_the_budget_left_out_is_done_by_the_next_call(
    command, trained, monkeypatch
):
    monkeypatch.setattr(runner.Context, "can_start", lambda context: len(trained) < 6)
    results = command("--seeds", "0")
    assert len(trained) == 6
    table = lines(results, "table 6")
    assert table[f"AS+PS+LNP, {LIGHT}"]["status"] == RUN
    assert table["AS+PS+LNP, ResNet-34"]["status"] == NO_BUDGET
    assert lines(results, "differences")[f"1 - 3 spectra, {LIGHT}"]["status"] == RUN
    monkeypatch.setattr(runner.Context, "can_start", lambda context: len(trained) < 7)
    results = command("--seeds", "0")
    assert len(trained) == 7
    assert lines(results, "table 3")["DCT-CNN (20)"]["status"] == RUN


def test_budget_is_that_of_all_calls_together(tmp_path):
    context = runner.Context(
        manifest=None, folder=tmp_path, weights={}, seeds=(0,), budget_h=1.0
    )
    assert context.can_start()
    (tmp_path / "clock.json").write_text('{"seconds": 3599}')
    assert context.can_start()
    (tmp_path / "clock.json").write_text('{"seconds": 3600}')
    assert not context.can_start()


def finished(folder, right, labels):
    """A run whose test rows are called right or wrong as told."""
    folder.mkdir()
    fake = np.array([label == "fake" for label in labels])
    logit = np.where(fake == np.array(right), 4.0, -4.0)
    names = [f"{i}.png" for i in range(len(labels))]
    columns = {"path": names, "label": labels, "source": "s", "reason": ""}
    frames = {
        "val": pd.DataFrame(columns | {"split": "val"}).assign(
            logit=np.where(fake, 4.0, -4.0), score=np.nan
        ),
        "test": pd.DataFrame(columns | {"split": "test"}).assign(
            logit=logit, score=np.nan
        ),
    }
    evaluation.finish(folder, frames, config={}, environment={}, bootstrap=20)
    return folder


def test_accuracy_difference_is_paired(tmp_path):
    labels = ["real", "fake"] * 100
    random = np.random.default_rng(0)
    right_a, right_b = random.random(200) < 0.9, random.random(200) < 0.7
    a = finished(tmp_path / "a", right_a, labels)
    b = finished(tmp_path / "b", right_b, labels)
    found = paired.accuracy_difference(a, b)
    assert found.value == pytest.approx(right_a.mean() - right_b.mean())
    assert found.n == 200
    difference = right_a.astype(int) - right_b.astype(int)
    fake = np.array(labels) == "fake"
    drawn = [
        np.mean(
            [
                *random.choice(difference[fake], 100),
                *random.choice(difference[~fake], 100),
            ]
        )
        for _ in range(2000)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.015)
    assert found.p_value < 0.05
    back = paired.accuracy_difference(b, a)
    assert back.value == pytest.approx(-found.value)
    same = paired.accuracy_difference(a, a)
    assert (same.value, same.low, same.high, same.p_value) == (0, 0, 0, 1)


@pytest.fixture
def split(tiny_manifest):
    rows = tiny_manifest.rows
    keys = [f"{i:064x}" for i in range(len(rows))]
    return dataclasses.replace(tiny_manifest, rows=rows.assign(sha256=keys))


def test_simulated_fakes_are_made_of_the_split_s_own_reals(split, tmp_path):
    made = simulated.manifest(split, tmp_path / "made", 32)
    rows = made.rows
    counts = rows.groupby(["split", "label"]).size().to_dict()
    assert counts["train", "real"] == counts["train", "fake"] == 24
    assert counts["val", "real"] == counts["val", "fake"] == 6
    known = rows[rows["split"] != "test"]
    assert set(known[known["label"] == "fake"]["source"]) == {simulated.SOURCE}
    test, before = rows[rows["split"] == "test"], split.rows["split"] == "test"
    wanted = [str(path) for path, use in zip(split.files(), before, strict=True) if use]
    assert list(test["path"]) == wanted
    assert (test["source"] == "gan").sum() == 6
    first = known[known["label"] == "fake"]["path"].iloc[0]
    with Image.open(first) as image:
        assert (image.size, image.format) == ((32, 32), "JPEG")
    manifests.write(made, tmp_path / "m.csv")
    assert all(path.exists() for path in manifests.read(tmp_path / "m.csv").files())


def test_upsampling_is_repeatable_and_leaves_a_trace():
    pixels = np.random.default_rng(0).integers(60, 200, (64, 64, 3)).astype(np.uint8)
    made = [
        simulated.upsampled(pixels, np.random.default_rng(seed)) for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert (made[0] != made[2]).any()
    assert (made[0] != pixels).any()
    assert made[0].shape == pixels.shape


def test_stores_are_made_by_a_process_of_the_stage(
    write_manifest, tmp_path, monkeypatch
):
    monkeypatch.setattr(file_facts, "complete", lambda manifest: (manifest, 0))
    context = runner.Context(
        manifest=manifests.read(write_manifest()),
        folder=tmp_path / "out",
        weights={},
        seeds=(0,),
    )
    commands, code = [], 0

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", run)
    stores = channel_stores.Stores(context, 64)
    folder = stores.folder("grabcut", options=["spectrum.colours=3"])
    assert folder == tmp_path / "out" / "stores" / "grabcut-lnp-spectrum-3-64px"
    assert stores.folder("grabcut", options=["spectrum.colours=3"]) == folder
    assert len(commands) == 1
    words = " ".join(commands[0])
    assert "-m kerasfaces.channels" in words
    assert "--channels lnp,spectrum --mask grabcut --set size_px=64" in words
    assert "--set spectrum.colours=3" in words
    code = 2
    with pytest.raises(RunError, match="The channel stage ended with code 2"):
        stores.folder("none")


def test_mask_is_sam_where_its_checkpoint_is(monkeypatch):
    assert channel_stores.mask() == "grabcut"
    monkeypatch.setattr(checkpoints, "find", lambda name: name)
    assert channel_stores.mask() == "sam"


@pytest.mark.slow
def test_quick_through_the_real_stage(tmp_path, monkeypatch, capsys):
    """Reduced: a cell on channels, one on pixels, one on simulated fakes; no faces."""

    def order(seeds):
        yield cells.Cell(method="mobilenetv2", variant=cells.CHOSEN, seed=0)
        yield cells.Cell(method="mobilenetv2", variant=cells.THREE, seed=0)
        yield cells.Cell(method="dct_cnn", variant=None, seed=0)
        yield cells.Cell(method="autogan_spec", variant=None, seed=0)

    monkeypatch.setattr(cells, "order", order)
    monkeypatch.setattr(experiment, "OTHER_MASK", "none")
    out = tmp_path / "out"
    assert main(["wan2023", "--quick", "-o", str(out)]) == 0
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert lines(results, "table 2")[f"{LIGHT}, none"]["status"] == RUN
    assert lines(results, "table 3")["AutoGAN-Spec (19)"]["status"] == RUN
    assert lines(results, "table 5")[f"3-channel, {LIGHT}"]["status"] == RUN
    assert "of the attention's rows are one-hot" in " ".join(results["notes"])
    assert "the numbers say nothing about real photos" in capsys.readouterr().out
    fakes = manifests.read(out / "autogan_spec" / "split-0" / "manifest.csv").rows
    sources = fakes[fakes["label"] == "fake"].groupby("split")["source"].unique()
    assert list(sources["train"]) == [simulated.SOURCE]
    assert simulated.SOURCE not in sources["test"]


def test_the_clock_is_written_while_work_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasfaces.core.clock.HEARTBEAT_S", 0.01)
    (tmp_path / "clock.json").write_text('{"seconds": 100}')
    with hours.clock(tmp_path):
        deadline = time.monotonic() + 5
        while hours.spent_s(tmp_path) == 100 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert 100 < hours.spent_s(tmp_path) < 106
    assert 100 < hours.spent_s(tmp_path) < 106
