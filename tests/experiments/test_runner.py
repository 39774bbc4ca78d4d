"""Finding experiments, the command line, resuming."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.__main__ import main
from experiments.framework import catalogue
from kerasfaces.core.errors import InputError, MissingFileError, RunError

ROOT = Path(__file__).parents[2]


def test_lists_every_experiment_with_one_line(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *catalogue.names(),
        *catalogue.own_commands(),
    ]
    assert all(len(line.split()) > 5 for line in lines)


def test_unknown_name_ends_with_the_nearest_and_exit_code_2():
    done = subprocess.run(
        [sys.executable, "-m", "experiments", "kaber2023"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert "Did you mean 'kabber2023'?" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_experiment_with_its_own_command_says_so():
    with pytest.raises(
        InputError, match=r"python -m experiments\.forensic_base --help"
    ):
        main(["forensic_base"])


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["kabber2023"], "-o DIR is missing"),
        (["kabber2023", "-o", "x"], "--manifest M is missing"),
        (["all", "-o", "x", "--quick", "--manifest", "m"], "makes its own images"),
        (["all", "-o", "x", "--quick", "--record"], "not for --quick"),
    ],
)
def test_what_must_be_given(words, match):
    with pytest.raises(InputError, match=match):
        main(words)


def test_help_is_quick_and_loads_no_framework(run_python):
    code = (
        "import sys, experiments.__main__ as m; m._parser().format_help();"
        "print([n for n in ('keras', 'tensorflow', 'pandas') if n in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


def test_seeds():
    assert catalogue.parse_seeds("0-2,7") == (0, 1, 2, 7)
    for text in ("", "a", "1,1", "3-1", "-1"):
        with pytest.raises(InputError, match=r"expected e\.g\. 0-4"):
            catalogue.parse_seeds(text)


def test_weights_per_model_or_for_all():
    both = ("mobilenetv2", "resnet50")

    def parse(given, models=both):
        return catalogue.parse_weights(given, models, lambda model: "imagenet")

    assert parse([]) == dict.fromkeys(both, "imagenet")
    assert parse(["none"]) == dict.fromkeys(both, "none")
    assert parse(["resnet50=a=b.h5"])["resnet50"] == "a=b.h5"
    assert parse(["resnet50=x"], ("mobilenetv2",)) == {"mobilenetv2": "imagenet"}
    assert parse(["x.h5"], ("mobilenetv2",)) == {"mobilenetv2": "x.h5"}
    with pytest.raises(InputError, match=r"--weights mobilenetv2=FILE"):
        parse(["x.h5"])


def test_a_named_file_that_is_missing_is_a_mistake(
    write_manifest, trained, no_imagenet, tmp_path
):
    words = [
        "kabber2023",
        "--manifest",
        str(write_manifest()),
        "-o",
        str(tmp_path / "o"),
    ]
    with pytest.raises(MissingFileError, match="no such file"):
        main(
            [*words, "--weights", "resnet50=absent.h5", "--weights", "mobilenetv2=a.h5"]
        )


def test_resumes_and_refuses_other_images(
    write_manifest, trained, weights_file, tmp_path, capsys
):
    words = ["frozen_base", "-o", str(tmp_path / "out"), "--seeds", "0"]
    words += ["--weights", str(weights_file), "--manifest"]
    main([*words, str(write_manifest())])
    first = len(trained)
    printed = capsys.readouterr().out
    main([*words, str(write_manifest())])
    assert len(trained) == first == 4
    assert capsys.readouterr().out == printed
    with pytest.raises(RunError, match="holds another experiment"):
        main([*words, str(write_manifest(n=200))])


def test_all_runs_every_experiment_in_its_own_folder(
    write_manifest, trained, searched, no_imagenet, weights_file, tmp_path, capsys
):
    out = tmp_path / "out"
    words = ["all", "--manifest", str(write_manifest()), "-o", str(out), "--seeds", "0"]
    assert main([*words, "--weights", f"mobilenetv2={weights_file}"]) == 0
    for name in catalogue.names():
        results = json.loads((out / name / "results.json").read_text())
        assert results["experiment"] == name
        assert results["hours"] >= 0
        assert f"{name}\n" in capsys.readouterr().out or name != catalogue.names()[0]


@pytest.mark.tf
@pytest.mark.parametrize(
    "name", ["best_study", "frozen_base", "generators", "lnp_fusion"]
)
def test_without_weights_every_row_says_so(
    name, run_experiment, write_manifest, trained
):
    results = run_experiment(name, write_manifest())
    assert {row["status"] for row in results["rows"]} == {"not run: no weights"}
    assert trained == []
