"""`experiments all`: one goes wrong and the rest completes; trainings and hours are shared."""

import dataclasses
import os
from pathlib import Path

import own_process_work
import pytest

from experiments.__main__ import main
from experiments.framework import catalogue, everything, hours, launch, runner
from experiments.framework.failures import is_failure
from experiments.framework.failures import status as failed
from experiments.framework.rows import FAILED, Measured, Row
from experiments.systems import experiment as systems
from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError, OutOfBudgetError, RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.train import config as configs

pytestmark = pytest.mark.tf


@pytest.fixture
def command(write_manifest, trained, no_imagenet, weights_file, tmp_path, monkeypatch):
    """Run `all` with the experiments named; returns its code."""
    out = tmp_path / "out"

    def run(*words, names=("frozen_base", "systems")):
        monkeypatch.setattr(catalogue, "names", lambda: list(names))
        given = ["all", "--manifest", str(write_manifest()), "-o", str(out), *words]
        return main(
            [*given, "--seeds", "0", "--weights", f"mobilenetv2={weights_file}"]
        )

    run.out = out
    return run


def test_the_same_training_is_made_once(command, trained):
    assert command() == 0
    ours, head = "ours", "documents_head"
    frozen, both = command.out / "frozen_base", command.out / "systems"
    assert (frozen / ours / "split-0").resolve() == (both / ours / "split-0").resolve()
    document = (both / "kabber2023-mobilenetv2" / "split-0").resolve()
    assert (frozen / head / "split-0").resolve() == document
    assert document.parent == command.out.resolve() / "runs"
    folders = [request.folder for request in trained]
    assert len(set(folders)) == len(folders)
    link = frozen / ours / "split-0"
    assert not Path(os.readlink(link)).is_absolute()
    before = len(trained)
    assert command() == 0
    assert len(trained) == before


def test_a_folder_of_an_earlier_run_is_used_where_it_is(command, trained):
    assert command(names=("frozen_base",)) == 0
    link = command.out / "frozen_base" / "ours" / "split-0"
    target = link.resolve()
    link.unlink()
    target.rename(link)
    before = len(trained)
    assert command(names=("frozen_base",)) == 0
    assert len(trained) == before
    assert not link.is_symlink()


def test_a_shared_run_that_was_removed_is_made_again(command, trained):
    assert command(names=("frozen_base",)) == 0
    link = command.out / "frozen_base" / "ours" / "split-0"
    link.resolve().rename(command.out / "elsewhere")
    before = len(trained)
    assert command(names=("frozen_base",)) == 0
    assert len(trained) == before + 1
    assert (link / "report.html").exists()


def test_one_page_of_all(command, capsys):
    command()
    text = (command.out / "index.html").read_text(encoding="utf-8")
    assert "120 camera (real) + 120 gan (fake)" in text
    assert "hog_svm (yu2024)" in text
    assert "2 cores" in text or f"{os.cpu_count()} cores" in text
    assert 'href="frozen_base/ours/split-0/report.html"' in text
    assert "Headline numbers on test" in text
    assert "<script" not in text
    assert "/home/" not in text
    assert text.index("All systems") < text.index("Headline numbers on test")
    assert f"page: {command.out / 'index.html'}" in capsys.readouterr().out


def test_an_experiment_that_breaks_is_named_and_the_rest_completes(
    command, monkeypatch, capsys
):
    def broken(context):
        raise ValueError(f"odd numbers in {context.folder}/x.csv")

    from experiments.frozen_base import experiment

    monkeypatch.setattr(experiment, "run", broken)
    assert command() == 1
    kept = command.out / "failures" / "frozen_base.txt"
    assert "Traceback" in kept.read_text(encoding="utf-8")
    assert (command.out / "systems" / "results.json").exists()
    assert "failed: odd numbers in x.csv" in capsys.readouterr().out
    text = (command.out / "index.html").read_text(encoding="utf-8")
    assert "frozen_base, all of it: failed: odd numbers in x.csv" in text


def test_a_line_that_breaks_is_told_by_the_exit_code(command, monkeypatch):
    monkeypatch.setattr(systems.detectors, "train", _broken)
    assert command(names=("systems",)) == 1
    assert "failed: ValueError(&#39;boom" in (command.out / "index.html").read_text(
        encoding="utf-8"
    )


def _broken(*arguments):
    raise ValueError("boom")


def test_a_mistyped_option_stops_before_anything_is_trained(command, trained):
    with pytest.raises(InputError, match=r"--weights x\.h5: say which of"):
        command("--weights", "x.h5")
    assert trained == []


def test_another_manifest_is_refused_at_once(command, write_manifest):
    assert command(names=("frozen_base",)) == 0
    path = write_manifest(n=200)
    with pytest.raises(RunError, match="holds another experiment"):
        main(["all", "--manifest", str(path), "-o", str(command.out)])


def test_hours_of_all_count_together(command, trained, capsys):
    folder = command.out / "somebody"
    folder.mkdir(parents=True)
    write_json(folder / "clock.json", {"seconds": 3600})
    assert command("--budget-hours", "1") == 0
    assert trained == []
    printed = capsys.readouterr().out
    assert "the budget of 1 hours is spent" in printed
    results = read_json(command.out / "systems" / "results.json")
    assert "not run: budget" in {row["status"] for row in results["rows"]}
    assert not (command.out / "frozen_base" / "results.json").exists()
    text = (command.out / "index.html").read_text(encoding="utf-8")
    assert "larger --budget-hours continues" in text
    assert command("--budget-hours", "2") == 0
    assert trained


def test_total_of_a_folder(tmp_path):
    assert hours.total_s(tmp_path / "none") == 0
    for name, seconds in (("a", 10), ("b", 5.5)):
        write_json(tmp_path / name / "clock.json", {"seconds": seconds})
    write_json(tmp_path / "clock.json", {"seconds": 1})
    assert hours.total_s(tmp_path) == 16.5


def test_a_finished_training_needs_no_budget(write_manifest, trained, tmp_path):
    context = runner.Context(
        manifest=manifests.read(write_manifest()),
        folder=tmp_path / "out",
        weights={"mobilenetv2": "none"},
        seeds=(0,),
        budget_h=0.5,
    )
    config = configs.default("mobilenetv2")
    folder = context.train("ours", config, (5, 1, 1), 0)
    write_json(tmp_path / "out" / "clock.json", {"seconds": 1800})
    assert context.train("ours", config, (5, 1, 1), 0) == folder
    with pytest.raises(OutOfBudgetError, match=r"other, split seed 0, was not started"):
        context.train("other", config, (5, 1, 1), 0)


def test_order_puts_the_widest_first_and_drops_nothing():
    names = ["wan2023", "x", "yu2024", "systems", "best_study"]
    found = everything.order(names)
    assert found == ["systems", "yu2024", "x", "best_study", "wan2023"]


def test_failed_is_a_status_without_folders():
    status = failed(ValueError("a\nb in '/home/me/x y/z.npz' " + "c" * 300))
    assert status.startswith(FAILED)
    assert is_failure(status)
    assert "/home" not in status
    assert "\n" not in status
    assert len(status) < 200
    assert failed(KeyError()) == "failed: KeyError"
    row = Row(table="t", row="r", metric="auc", status=status)
    assert row.to_dict("images")["status"] == status
    with pytest.raises(InputError, match="with 1 numbers"):
        dataclasses.replace(row, ours={0: Measured(value=1.0, n=1)})
    assert launch.failures({"rows": [row.to_dict("i")], "failed": {}}) == {"r": status}


@pytest.fixture
def job(write_manifest):
    context = runner.Context(
        manifest=manifests.read(write_manifest()),
        folder=Path("folder"),
        weights={},
        seeds=(0,),
    )
    return launch.Job(
        name="systems", context=context, part=None, record=None, words=["all"]
    )


def described(job):
    return {"pid": os.getpid(), "n": len(job.context.manifest)}, job.module.__name__


@pytest.fixture
def no_keras(monkeypatch, tmp_path):
    """Processes that are started need not wait for Keras."""
    (tmp_path / "keras.py").write_text(own_process_work.NO_KERAS)
    monkeypatch.syspath_prepend(tmp_path)


def test_what_a_process_of_its_own_returns_arrives(job):
    results, printed = everything.in_own_process(job, described)
    assert results["pid"] != os.getpid()
    assert results["n"] == len(job.context.manifest)
    assert printed == "experiments.systems.experiment"


def test_what_a_process_of_its_own_raises_arrives_with_its_traceback(job, no_keras):
    with pytest.raises(InputError) as caught:
        everything.in_own_process(job, own_process_work.mistaken)
    assert str(caught.value) == "systems: a mistake"
    assert "in mistaken" in "".join(caught.value.__notes__)


def test_the_death_of_a_process_is_a_sentence(job, no_keras):
    with pytest.raises(RunError, match=r"exit code 9\. .* continues"):
        everything.in_own_process(job, own_process_work.killed)
