"""Configuration, registry, randomness, run files, command line."""

import dataclasses
import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from kerasfaces import cli
from kerasfaces.core import config, folders, rng
from kerasfaces.core.errors import (
    InputError,
    LockedError,
    MissingExtraError,
    MissingFileError,
    RunError,
)
from kerasfaces.core.files import atomic_path, read_json, write_json, write_text
from kerasfaces.core.imports import optional_import
from kerasfaces.models import catalogue
from kerasfaces.train import detectors


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 0.5
    units: tuple[int, ...] = (3,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outer:
    name: str = "a"
    limit: int | None = 3
    kind: Literal["x", "y"] = "x"
    on: bool = False
    inner: Inner = dataclasses.field(default_factory=Inner)


CHANGED = Outer(
    name="b", limit=None, kind="y", on=True, inner=Inner(rate=1.0, units=(1, 2))
)


def test_every_field_survives_json():
    text = json.dumps(config.to_dict(CHANGED))
    assert config.from_dict(Outer, json.loads(text)) == CHANGED


def test_dataclasses_inside_of_mappings_and_sequences_become_dictionaries():
    @dataclasses.dataclass(frozen=True)
    class Holder:
        options: dict[str, Inner]
        several: tuple[Inner, ...]

    found = config.to_dict(Holder({"a": Inner()}, (Inner(rate=1.0),)))
    plain = {"rate": 0.5, "units": [3]}
    assert found == {"options": {"a": plain}, "several": [plain | {"rate": 1.0}]}
    assert config.digest(Holder({}, ())) == config.digest(
        {"options": {}, "several": []}
    )


def test_override_types_each_value_by_its_field():
    assignments = [
        "name=b",
        "limit=none",
        "kind=y",
        "on=true",
        "inner.rate=1",
        "inner.units=1,2",
    ]
    assert config.override(Outer(), assignments) == CHANGED


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        (
            "inner.rat=1",
            "inner.rat: unknown key 'rat'; known: rate, units. Did you mean 'rate'",
        ),
        ("limit=many", "limit: expected int or none, got 'many'"),
        ("kind=z", "kind: expected x or y, got 'z'"),
        ("on=1", "on: expected bool, got 1"),
        ("name", "expected KEY=VALUE"),
        ("name.x=1", "'name' has no parts"),
    ],
)
def test_override_mistakes_are_sentences(assignment, message):
    with pytest.raises(InputError, match=message):
        config.override(Outer(), [assignment])


def test_unknown_key_in_json_is_refused():
    with pytest.raises(InputError, match=r"config\.nmae: unknown key 'nmae'"):
        config.from_dict(Outer, {"nmae": "x"})


def test_diff_names_nested_changes():
    lines = config.diff(config.to_dict(Outer()), config.to_dict(CHANGED))
    assert "inner.rate: 0.5 -> 1.0" in lines
    assert len(lines) == 6


def test_registry_lists_files_and_suggests_the_near_name():
    assert {"mobilenetv2", "resnet50"} < set(catalogue.names())
    with pytest.raises(
        InputError, match=r"no model named 'mobilnetv2'.*Did you mean 'mobilenetv2'"
    ):
        catalogue.load("mobilnetv2")


def test_random_numbers_depend_on_their_key_alone():
    first = rng.generator(0, "a", 1).random(3).tolist()
    rng.generator(0, "other").random(5)
    assert rng.generator(0, "a", 1).random(3).tolist() == first
    assert rng.generator(0, "a", "1").random(3).tolist() != first
    assert rng.generator(1, "a", 1).random(3).tolist() != first
    assert 0 <= rng.integer_seed(0, "x") < 2**31


def test_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def write_half():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError("killed")

    with pytest.raises(ZeroDivisionError, match="killed"):
        write_half()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_json_is_strict(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"a": float("nan"), "b": (1, 2)})
    assert read_json(path) == {"a": None, "b": [1, 2]}
    path.write_text("{")
    with pytest.raises(RunError, match="not valid JSON"):
        read_json(path)
    with pytest.raises(MissingFileError, match=r"no\.json does not exist"):
        read_json(tmp_path / "no.json")


def test_lock_is_exclusive_and_released(tmp_path):
    with (
        folders.lock(tmp_path),
        pytest.raises(LockedError, match="is writing this run folder"),
        folders.lock(tmp_path),
    ):
        pass
    with folders.lock(tmp_path):
        pass


@pytest.mark.parametrize("name", ["model.keras", "a.b.csv", "engine"])
def test_what_a_killed_process_was_writing_is_removed(tmp_path, name):
    code = (
        "import os, sys; from pathlib import Path; from kerasfaces.core.files import atomic_path\n"
        "with atomic_path(Path(sys.argv[1])) as path:\n"
        "    path.write_text('half'); os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / name)]
    assert subprocess.run(command, check=False).returncode == -9
    (left,) = tmp_path.iterdir()
    with folders.lock(tmp_path), atomic_path(tmp_path / name) as path:
        assert not left.exists()
        path.write_text("mine")
        folders._remove_left_over(tmp_path)  # as another's start would
        assert path.exists()
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("What is wrong."), 2, "error: What is wrong.\n"),
        (KeyboardInterrupt(), 130, "same command continues"),
        (
            OSError(errno.ENOSPC, "No space left on device", "x.npy"),
            2,
            "while writing x.npy",
        ),
        (
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "afile/run"),
            2,
            "afile/run: Not a directory; choose another path.",
        ),
    ],
)
def test_exit_codes(capsys, error, code, message):
    def main(_):
        raise error

    with pytest.raises(SystemExit) as caught:
        cli.run(main, [])
    assert caught.value.code == code
    assert message in capsys.readouterr().err


def test_unknown_errors_keep_their_traceback():
    def main(_):
        raise ZeroDivisionError("a defect")

    with pytest.raises(ZeroDivisionError, match="a defect"):
        cli.run(main, [])


def test_optional_import_names_the_extra():
    with pytest.raises(MissingExtraError, match=r"pip install 'kerasfaces\[tables\]'"):
        optional_import("no_such_module_here", "tables")


def test_a_broken_optional_import_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "broken_extra.py").write_text("from os import no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"cannot be imported .*no_such_name"):
        optional_import("broken_extra", "export")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_in_a_configuration_are_finite(value):
    with pytest.raises(InputError, match="expected a finite number"):
        config.from_dict(Outer, {"inner": {"rate": value}})


def test_a_plug_in_s_summary_is_read_without_importing_it(run_python):
    code = (
        "import sys; from kerasfaces.core import registry;"
        "print(registry.summary('kerasfaces.models.zoo', 'resnet18'));"
        "print('keras' in sys.modules)"
    )
    told = run_python(code).splitlines()
    assert told == [
        "ResNet-18 (He et al. 2016, arXiv 1512.03385): yu2024's first network.",
        "False",
    ]


def test_every_detector_is_documented_and_has_a_summary():
    folder = Path(__file__).parents[2] / "docs" / "how-to"
    pages = (folder / "models.md", folder / "bases.md")
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    for name in detectors.names():
        assert f"`{name}`" in text
        assert detectors.summary(name)


def claim(folder, **own):
    folders.claim(folder, "config.json", own, "run", early=("splits", "audit.json"))


def test_a_folder_is_claimed_once_and_told_apart(tmp_path):
    claim(tmp_path, a=1)
    (tmp_path / "model").touch()
    claim(tmp_path, a=1)
    with pytest.raises(RunError, match=r"holds another run \(a: 1 -> 2\); choose"):
        claim(tmp_path, a=2)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(RunError, match="holds no object"):
        claim(tmp_path, a=2)
    (tmp_path / "config.json").unlink()
    with pytest.raises(RunError, match=r"holds no run \(it holds 'model'\)"):
        claim(tmp_path, a=1)


def test_what_stopped_early_claims_nothing(tmp_path):
    claim(tmp_path, a=1)
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "seed-0.csv").touch()
    (tmp_path / "audit.json").touch()
    claim(tmp_path, a=1)
    assert (tmp_path / "splits" / "seed-0.csv").exists()
    claim(tmp_path, a=2)
    assert [each.name for each in tmp_path.iterdir()] == ["config.json"]
    assert read_json(tmp_path / "config.json") == {"a": 2}


def test_what_a_killed_process_was_writing_claims_nothing(tmp_path):
    (tmp_path / ".config.123.tmp.json").write_text("{")
    claim(tmp_path, a=1)
    assert read_json(tmp_path / "config.json") == {"a": 1}
