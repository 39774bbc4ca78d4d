"""Many images on paper: the arithmetic, and that every stage is measured."""

import dataclasses
import shutil

import pytest

from kerasfaces import manifest as manifests
from kerasfaces.channels import config
from kerasfaces.cli import estimate as command
from kerasfaces.cli import spelling
from kerasfaces.core.errors import InputError
from kerasfaces.estimate import channels, workload
from kerasfaces.estimate.assumptions import Assumptions
from kerasfaces.estimate.workload import Machine, Rate

GIVEN = Assumptions(
    core_price=0.1, gpu_price=3, disk_price=0.5, gpu_cores=4, gpu_speedup=50,
    nodes=3, node_cores=8, efficiency=0.5, network=1000,
)  # fmt: skip


def test_machines():
    here, gpu, nodes = workload.machines(GIVEN, cores=2)
    assert (here.cores, here.price, here.efficiency) == (2, pytest.approx(0.2), 1)
    assert (gpu.cores, gpu.price, gpu.gpu_speedup) == (4, pytest.approx(3.4), 50)
    assert (nodes.cores, nodes.price) == (24, pytest.approx(2.4))
    assert nodes.network == 1000


def test_seconds():
    here, gpu, nodes = workload.machines(GIVEN, cores=2)
    network, other = (
        Rate("channel lnp", 0.6, on_gpu=True),
        Rate("channel spectrum", 0.6),
    )
    assert here.seconds(network, 100) == pytest.approx(30)
    assert gpu.seconds(network, 100) == pytest.approx(100 * 0.6 / 50)
    assert gpu.seconds(other, 100) == pytest.approx(100 * 0.6 / (4 * 0.5))
    assert nodes.seconds(network, 100) == pytest.approx(100 * 0.6 / (24 * 0.5))


def test_writing_does_not_spread_and_is_sent_first():
    here, gpu, nodes = workload.machines(GIVEN, cores=2)
    writing = Rate("writing", 0.01, 50, spread="process")
    assert here.seconds(writing, 100) == gpu.seconds(writing, 100) == pytest.approx(1)
    assert nodes.seconds(writing, 100) == pytest.approx(1 + 100 * 50 / 1000)


def test_table_adds_up():
    rates = [
        Rate("a", 0.36, 1e6),
        Rate("writing", 0.02, 1e7, spread="process", stored=True),
    ]
    lines = workload.table(rates, 10_000, GIVEN, cores=2)
    hours = float(next(line for line in lines if line.startswith("all")).split()[1])
    cost = float(next(line for line in lines if line.startswith("cost")).split()[1])
    assert hours == pytest.approx((0.36 / 2 + 0.02) * 10_000 / 3600, abs=0.005)
    assert cost == pytest.approx(hours * 0.2, abs=0.005)
    assert lines[-1] == "keeping the arrays: 50.00 a month"  # 100 GB


def test_every_stage_is_measured(tiny_manifest):
    wanted = config.from_names(["mask", "rgb"], "none", ["size_px=32"])
    rates = channels.measure(wanted, tiny_manifest.files()[:4])
    names = [rate.name for rate in rates]
    assert names == ["read and decode", "channel mask", "channel rgb", "writing"]
    assert all(rate.core_s > 0 for rate in rates)
    assert rates[-1].n_bytes == 32 * 32 * 4 * 2
    sizes = [path.stat().st_size for path in tiny_manifest.files()[:4]]
    assert rates[0].n_bytes == sum(sizes) / 4


def test_no_image_at_all(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"no image")
    with pytest.raises(InputError, match="None of the 1 images can be decoded"):
        channels.measure(config.from_names(["rgb"]), [path])


def test_images_that_cannot_be_decoded_are_skipped(
    tiny_images, tiny_manifest, tmp_path, capsys, caplog
):
    own, csv = tmp_path / "own", tiny_manifest.folder / "manifest.csv"
    shutil.copytree(tiny_images, own)
    csv.write_text(csv.read_text().replace(str(tiny_images), str(own)))
    first, second, *others = manifests.read(csv).files()
    first.unlink()
    second.write_bytes(b"no image")
    words = ["--channels", "rgb", "--set", "size_px=32", "--images", "1e8"]
    sample = ["--sample", str(2 + len(others))]
    assert command.main(["channels", "--manifest", str(csv), *words, *sample]) == 0
    told = capsys.readouterr().out
    assert told.startswith("100,000,000 images")
    assert f"measured on {len(others)} images" in told
    assert f"2 of {2 + len(others)} images cannot be decoded" in caplog.text
    assert str(first) in caplog.text
    for path in others:
        path.unlink()
    with pytest.raises(InputError, match=r"None of the \d+ images .*first .*--root"):
        command.main(["channels", "--manifest", str(csv), *words, *sample])


def test_a_number_of_images_is_whole(capsys):
    for text in ("many", "1.5", "inf", "nan"):
        with pytest.raises(SystemExit):
            command.main(["channels", "--images", text])
        assert f"expected a whole number, e.g. 100000 or 1e8, got '{text}'" in (
            capsys.readouterr().err
        )


@pytest.mark.parametrize("stage", ["channels", "features", "train"])
def test_every_option_is_explained(stage, capsys):
    with pytest.raises(SystemExit):
        command.main([stage, "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "bytes per second between the nodes" in told
    for action in spelling.subparsers(command.parser())[stage]._actions:
        assert action.help


def test_command_prints_what_it_assumes(tiny_manifest, tmp_path, capsys):
    csv = tmp_path / "m.csv"
    manifests.write(tiny_manifest, csv)
    arguments = ["channels", "--manifest", str(csv)]
    arguments += ["--channels", "rgb", "--set", "size_px=32"]
    options = ["--sample", "3", "--nodes", "7", "--core-price", "0.25"]
    assert command.main([*arguments, *options]) == 0
    text = capsys.readouterr().out
    assert text.startswith("100,000 images, 32 px, channels rgb, mask none")
    assert "7 nodes" in text
    for field in dataclasses.fields(Assumptions):
        assert f"{field.name} " in text.splitlines()[-1]
    assert "core_price 0.25" in text


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--nodes", "0", "--nodes: expected more than 0, got 0"),
        ("--efficiency", "0", "--efficiency: expected more than 0, got 0"),
        ("--efficiency", "5", "--efficiency: expected a share, at most 1, got 5"),
        ("--network", "nan", "--network: expected more than 0, got nan"),
        ("--core-price", "-1", "--core-price: expected at least 0, got -1"),
        ("--images", "-5", "--images: expected 1 or more, got -5"),
        ("--sample", "0", "--sample: expected 1 or more, got 0"),
    ],
)
def test_numbers_out_of_range_are_refused(option, value, message):
    with pytest.raises(InputError, match=message):
        command.main(["channels", option, value])


def test_end_to_end_training_uses_one_node():
    here, _, nodes = workload.machines(GIVEN, cores=2)
    steps = Rate("whole network", 0.6, spread="machine")
    assert here.seconds(steps, 100) == pytest.approx(30)
    assert nodes.seconds(steps, 100) == pytest.approx(100 * 0.6 / (8 * 0.5))


@pytest.mark.tf
def test_stages_of_a_training_with_a_frozen_base(
    tiny_manifest, tiny_weights, tmp_path, capsys
):
    csv = tmp_path / "m.csv"
    manifests.write(tiny_manifest, csv)
    options = ["--manifest", str(csv), "--weights", str(tiny_weights), "--sample", "4"]
    sizes = ["--set", "model.size_px=32", "--set", "epochs=3", "--views", "2"]
    assert command.main(["train", *options, *sizes]) == 0
    lines = capsys.readouterr().out.splitlines()
    stages = [
        "read and decode",
        "writing pixels",
        "features, 2 views",
        "writing features",
        "head, 3 epochs",
    ]
    assert [line[:24].strip() for line in lines[2:7]] == stages
    assert command.main(["features", *options, *sizes]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:24].strip() for line in lines[2:6]] == stages[:-1]
    plain = lines[3][38:50]  # GB of writing pixels
    assert command.main(["features", *options, *sizes, "--launder", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    stages.insert(1, "laundering, 1 view")
    assert [line[:24].strip() for line in lines[2:7]] == stages[:-1]
    assert float(lines[3].split()[3]) > 0
    assert float(lines[4][38:50]) == pytest.approx(2 * float(plain), abs=0.11)


@pytest.mark.tf
def test_stages_of_a_training_end_to_end(tiny_manifest, tmp_path, capsys):
    csv = tmp_path / "m.csv"
    manifests.write(tiny_manifest, csv)
    options = ["--manifest", str(csv), "--model", "logistic_regression"]
    small = ["--set", "model.size_px=32", "--set", "epochs=2", "--sample", "4"]
    assert command.main(["train", *options, *small]) == 0
    assert "whole network, 2 epochs" in capsys.readouterr().out
    with pytest.raises(InputError, match="has no frozen features; estimate `train`"):
        command.main(["features", *options, *small])


def test_baselines_are_not_measured():
    with pytest.raises(InputError, match="leave baselines and --store out"):
        command.main(["train", "--model", "hog_svm"])


def test_what_costs_nothing_is_allowed():
    assert Assumptions(core_price=0.0).core_price == 0


def test_a_machine_without_gpu_computes_networks_on_cores():
    machine = Machine("m", 4, 1.0)
    assert machine.seconds(Rate("mask sam", 4.0), 10) == pytest.approx(10)
