"""What a user can get wrong in a study: a sentence, before anything is trained."""

import dataclasses

import pytest

from kerasfaces import manifest
from kerasfaces.cli.tune import main
from kerasfaces.core import environment, folders
from kerasfaces.core.errors import InputError, LockedError, MissingFileError, RunError
from kerasfaces.core.files import read_json
from kerasfaces.core.imports import optional_import
from kerasfaces.models import catalogue
from kerasfaces.run import layout
from kerasfaces.tune import study

pytestmark = pytest.mark.tf

STUDY = '''"""A test's study."""
import dataclasses
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.train.config import TrainConfig
from kerasfaces.tune.study import Study


def get_study():
    return Study(title="t", configure=configure, bases=("mobilenetv2",), oracle="grid")


def configure(hp, components):
    rate = hp.Choice("learning_rate", [0.003, 0.03])
    dropout = hp.Choice("dropout", [0.0, 0.2])
    head = HeadConfig(units=(4,), dropout=dropout)
    model = ModelConfig(size_px=32, taps=("block_1_expand_relu",), head=head)
    return TrainConfig(
        model=model, epochs=2, batch_size=16, learning_rate=rate, patience=None
    )
'''


@pytest.fixture
def write_study(tmp_path):
    def write(*changes, name="mine.py"):
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.fixture
def forbid_training(monkeypatch):
    from kerasfaces.tune.trainer import Trainer

    def forbidden(*_, **__):
        raise AssertionError("trained")

    monkeypatch.setattr(Trainer, "train", forbidden)


def arguments(path, manifest, weights, *more):
    return [
        *(str(path), "--manifest", str(manifest.folder / "manifest.csv")),
        *("--weights", str(weights), *more),
    ]


MISTAKES = {
    "unknown objective": ('oracle="grid"', 'oracle="grid", objective="val_acc"',
                          "objective: 'val_acc' is unknown; .*Did you mean 'val_auc'"),
    "a test metric": ('oracle="grid"', 'oracle="grid", objective="test_auc"',
                      "objective: 'test_auc' is unknown; expected val_auc or"),
    "unknown oracle": ('oracle="grid"', 'oracle="gird"', "oracle: 'gird' .* 'grid'"),
    "endless": ('oracle="grid"', 'oracle="random"', "max_trials: .* give a number"),
    "empty choice": ("[0.0, 0.2]", "[]", r"mine\.py, line \d+: ValueError: `values` must be provided"),
    "duplicate": ('hp.Choice("dropout"', 'hp.Choice("learning_rate"',
                  "'learning_rate' is asked for twice"),
    "reserved": ('"dropout"', '"tuner/dropout"', "begins with 'tuner/'"),
    "unknown base": ('bases=("mobilenetv2",)', 'bases=("mobilnetv2",)',
                     "no model named 'mobilnetv2'.*Did you mean 'mobilenetv2'"),
    "whole base": ('bases=("mobilenetv2",)', 'bases=("lnp_attention",)',
                   "lnp_attention .* is trained as a whole"),
    "bad default": ("epochs=2", "epochs=0", "epochs: expected at least 1, got 0"),
    "other base": ("ModelConfig(size_px", 'ModelConfig(name="resnet50", size_px',
                   "chose the base 'resnet50', which is not among"),
    "unfreezing": ("epochs=2", "unfreeze=1, epochs=2", "studies train heads only"),
    "no study": ("def get_study", "def get_config", r"mine\.py: .*defines get_study"),
    "not a study": ('Study(title="t"', 'dict(title="t"', "returned dict, expected a S"),
    "syntax": ("def configure(hp, components):", "def configure(hp, components)", r"mine\.py: .*':'"),
    "a value twice": ("[0.0, 0.2]", "[0.2, 0.2]", "dropout: the value 0.2 is there twice"),
    "text for bases": ('bases=("mobilenetv2",)', 'bases="mobilenetv2"', "names in a tuple"),
    "text for a number": ('oracle="grid"', 'oracle="grid", repeats="3"', "whole number, got '3'"),
    "no function": ("configure=configure", "configure=None", "expected a function, got N"),
    "unknown setting": ('oracle="grid"', 'oracle="grid", folds=3',
                        r"mine\.py, line \d+: TypeError: .*'folds'; mend the study"),
    "bug in the space": ("    rate = ", "    rate = [][3] + ",
                         r"mine\.py, line \d+: IndexError: list index out of range; mend"),
    "nothing returned": ("return TrainConfig(", "TrainConfig(", "returned NoneType, expected"),
    "missing module": ("import dataclasses", "import no_such_module_x",
                       r"mine\.py, line \d+: ModuleNotFoundError: No module named"),
    "get_study is a number": ("def get_study():", "get_study = 5\n\n\ndef other():",
                              r"mine\.py: .* defines get_study\(\), got 5"),
    "get_study wants something": ("def get_study():", "def get_study(x):",
                                  r"mine\.py, line \d+: get_study: missing .* 'x'; define get_study\(\)"),
    "ends the process": ("import dataclasses", "import sys; sys.exit(0)",
                         r"mine\.py, line \d+: SystemExit: 0; mend the study"),
    "ends the process later": ("    rate = ", "    raise SystemExit\n    rate = ",
                               r"mine\.py, line \d+: SystemExit: ; mend the study"),
    "too few arguments": ("def configure(hp, components):", "def configure(hp):",
                          r"mine\.py, line \d+: configure: too many .*; define configure\(hp, components\)"),
    "another thing returned": ("return TrainConfig(", "return dict(",
                               r"mine\.py, line \d+: configure returned dict, expected"),
    "the file of a misspelt base": ('bases=("mobilenetv2",)', 'bases=("mobilnetv2",)', r"mine\.py: There is no model"),
    "the line of a setting": ('oracle="grid"', 'oracle="gird"', r"mine\.py, line \d+: oracle: 'gird'"),
    "budget of nan": ('oracle="grid"', 'oracle="grid", budget_h=float("nan")', "budget_h: .* got nan"),
    "budget of inf": ('oracle="grid"', 'oracle="grid", budget_h=float("inf")', "budget_h: .* got inf"),
    "no repeats": ('oracle="grid"', 'oracle="grid", repeats=0', "repeats: .*at least 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_stops_the_study_before_training(
    name, write_study, tiny_manifest, tiny_weights, forbid_training, tmp_path
):
    old, new, told = MISTAKES[name]
    path = write_study((old, new))
    words = arguments(path, tiny_manifest, tiny_weights, "-o", str(tmp_path / "o"))
    with pytest.raises(InputError, match=told):
        main(words)
    assert not (tmp_path / "o" / "study.json").exists()


def test_an_empty_space(write_study, tiny_manifest, tiny_weights, forbid_training):
    path = write_study(
        ('hp.Choice("learning_rate", [0.003, 0.03])', "0.003"),
        ('hp.Choice("dropout", [0.0, 0.2])', "0.0"),
    )
    with pytest.raises(InputError, match=r"search space is empty; use hp\.Choice"):
        main(arguments(path, tiny_manifest, tiny_weights))


def test_names_of_studies(write_study, tmp_path):
    with pytest.raises(InputError, match=r"no study 'frozen_randm'; .*'frozen_random'"):
        study.load("frozen_randm")
    with pytest.raises(MissingFileError, match=r"no\.py does not exist"):
        study.load(str(tmp_path / "no.py"))
    assert study.load(str(write_study()))[0] == "mine"


def test_every_shipped_study_loads_and_says_what_it_is(components):
    from kerasfaces.tune import space

    assert {"kabber2023_mobilenetv2", "frozen_random"} <= set(study.shipped())
    for name, line in study.shipped().items():
        found = study.load(name)[1]
        assert line.endswith(".")
        here = dataclasses.replace(
            components,
            weights=dict.fromkeys(found.bases, "imagenet"),
            loaded=dict.fromkeys(found.bases),
        )
        declared = space.declare(found, here)
        assert set(found.bases) <= set(catalogue.names())
        if name == "kabber2023_mobilenetv2":
            assert len(list(space.points(declared))) == 9
        if name == "kabber2023_resnet50":
            found_points = list(space.points(declared))
            assert len(found_points) == 7
            assert {"epochs": 50, "learning_rate": 0.01} in found_points
            assert {"epochs": 50, "learning_rate": 0.001} not in found_points


@pytest.mark.parametrize("words", [[], ["nope"], ["no.py"], ["--report", "no"]])
def test_listing_needs_no_framework(words, run_python, capsys):
    assert main([]) == 0
    assert "kabber2023_resnet50" in capsys.readouterr().out
    code = (
        "import sys; from contextlib import suppress; from kerasfaces.cli.tune import main\n"
        f"with suppress(ValueError, FileNotFoundError): main({words})\n"
        "print([m for m in ('keras', 'keras_tuner', 'tensorflow') if m in sys.modules])"
    )
    assert run_python(code).splitlines()[-1] == "[]"


class KilledError(BaseException):
    """Stands for kill -9."""


def kill(*_, **__):
    raise KilledError


def test_a_changed_space_is_refused_with_the_difference(
    write_study, tiny_manifest, tiny_weights, tmp_path, monkeypatch
):
    from kerasfaces.api import data, loading
    from kerasfaces.tune import run

    monkeypatch.setattr(run, "Search", kill)
    drawn = data.Manifest(tiny_manifest, notes=("Only drawn faces.",))
    monkeypatch.setattr(loading, "load_data", lambda manifest, root: drawn)
    folder = tmp_path / "o"
    words = arguments(write_study(), tiny_manifest, tiny_weights, "-o", str(folder))

    def start(*more):
        """Claim the folder, and be killed before the first trial."""
        with pytest.raises(KilledError):
            main([*words, *more])

    start()
    assert read_json(folder / "about.json")["notes"] == ["Only drawn faces."]
    write_study(("epochs=2", "epochs=4"))
    start()  # nothing was tried yet: another study may have the folder
    write_study()
    start()
    (folder / "trial_0000").mkdir()
    held = read_json(folder / "study.json")
    write_study(("[0.003, 0.03]", "[0.003, 0.04]"))
    with pytest.raises(
        RunError,
        match=r"space\.learning_rate\.values: \[0\.003, 0\.03\] -> \[0\.003, 0\.04\]\); choose another folder",
    ):
        main(words)
    write_study(("epochs=2", "epochs=3"))
    with pytest.raises(RunError, match=r"default\.epochs: 2 -> 3"):
        main(words)
    write_study()
    with pytest.raises(RunError, match=r"settings\.repeats: 1 -> 2"):
        main([*words, "--repeat", "2"])
    start("--max-trials", "3")  # how long may change
    assert read_json(folder / "study.json") == held


def test_killed_before_the_first_trial(
    write_study, tiny_manifest, tiny_weights, tmp_path, monkeypatch
):
    from kerasfaces.tune import run

    folder = tmp_path / "o"
    words = arguments(write_study(), tiny_manifest, tiny_weights, "-o", str(folder))
    for module, name in (
        (folders, "write_json"),
        (layout, "write_json"),
        (manifest, "write"),
        (environment, "describe"),
        (run, "Search"),
    ):
        with monkeypatch.context() as context:
            context.setattr(module, name, kill)
            with pytest.raises(KilledError):
                main(words)
    assert main([*words, "--max-trials", "1"]) == 0
    assert (folder / "manifest.csv").exists()


def test_two_chiefs_on_one_folder(
    write_study, tiny_manifest, tiny_weights, tmp_path, forbid_training
):
    words = arguments(
        write_study(), tiny_manifest, tiny_weights, "-o", str(tmp_path / "o")
    )
    with (
        folders.lock(tmp_path / "o"),
        pytest.raises(LockedError, match=r"another process .* is writing this study"),
    ):
        main(words)


def test_a_foreign_folder_is_refused(
    write_study, tiny_manifest, tiny_weights, tmp_path
):
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "me.jpg").write_bytes(b"")
    words = arguments(write_study(), tiny_manifest, tiny_weights, "-o", str(folder))
    with pytest.raises(RunError, match=r"holds no study \(it holds 'me\.jpg'\)"):
        main(words)


def test_weights_by_base(write_study, tiny_manifest, tiny_weights, tmp_path, caplog):
    from kerasfaces.tune.components import Components

    weights = [f"mobilenetv2={tiny_weights}"]
    components = Components.of(
        ("mobilenetv2", "resnet50"), [*weights, "resnet50=no.h5"], "", None
    )
    assert components.bases == ("mobilenetv2",)
    assert caplog.messages[0].startswith(
        "resnet50 is left out of the study: `weights='no.h5'`"
    )
    caplog.clear()
    with pytest.raises(InputError, match="the study has no base resnet50"):
        Components.of(("mobilenetv2",), ["resnet50=x.h5"], "", None)
    with pytest.raises(MissingFileError, match=r"no\.h5'`: no such file"):
        Components.of(("mobilenetv2",), ["no.h5"], "", None)
    assert not caplog.messages  # said once, as the error


def test_without_keras_tuner_the_extra_is_named(monkeypatch, write_study):
    real = optional_import

    def missing(module, extra):
        return real("no_such_module" if module == "keras_tuner" else module, extra)

    monkeypatch.setattr("kerasfaces.cli.tune.optional_import", missing)
    with pytest.raises(ImportError, match=r"kerasfaces\[tune\]"):
        main([str(write_study())])


def test_installed_studies_are_where_the_installation_put_them(monkeypatch, tmp_path):
    site = tmp_path / "lib" / "site-packages"
    folder = tmp_path / "share" / "kerasfaces" / "tuning"
    note = site / "kerasfaces-0.dist-info"
    for path in (site / "kerasfaces", site / "tuning", folder, note):
        path.mkdir(parents=True)
    (folder / "mine.py").write_text('"""Mine."""')
    (site / "tuning" / "foreign.py").write_text('"""Of another package."""')
    (note / "METADATA").write_text("Name: kerasfaces\nVersion: 0\n")
    recorded = [
        "../../share/kerasfaces/tuning/mine.py",
        "../../share/kerasfaces/tuning/__pycache__/mine.pyc",
        "kerasfaces/tune/study.py",
    ]
    (note / "RECORD").write_text("".join(f"{path},,\n" for path in recorded))
    monkeypatch.setattr(study.kerasfaces, "__file__", str(site / "kerasfaces" / "x"))
    assert study.shipped() == {"mine": "Mine."}
    (note / "RECORD").unlink()
    assert study.shipped() == {}


def test_our_own_errors_in_a_study_keep_their_traceback():
    from kerasfaces.tune.user_code import study_code

    with pytest.raises(ZeroDivisionError), study_code():
        raise ZeroDivisionError


@pytest.mark.parametrize("several", [False, True])
def test_weights_may_be_one_text(
    several, write_study, tiny_manifest, tiny_weights, monkeypatch
):
    from kerasfaces.api import data
    from kerasfaces.api.several import run_study
    from kerasfaces.tune import run

    given = []

    def stop(*_, weights, **__):
        given.extend(weights)
        raise KilledError

    monkeypatch.setattr(run, "tune", stop)
    weights = str(tiny_weights)
    with pytest.raises(KilledError):
        run_study(
            write_study(),
            data.Manifest(tiny_manifest),
            weights=[weights] if several else weights,
        )
    assert given == [weights]


def test_an_end_to_end_model_is_refused_without_weights_that_nobody_gave(write_study):
    path = write_study(('bases=("mobilenetv2",)', 'bases=("wang2020",)'))
    with pytest.raises(
        InputError, match="wang2020 always is trained as a whole"
    ) as told:
        main([str(path)])
    assert "--weights" not in str(told.value)


@pytest.mark.parametrize("turned", [False, True])
def test_weights_for_one_base_hold_wherever_those_for_all_stand(turned):
    from kerasfaces.tune import components

    weights = ["resnet50=a=b.h5", "c.h5"]
    by_base = components.weights_by_base(
        ("mobilenetv2", "resnet50"), weights[:: -1 if turned else 1], ""
    )
    assert by_base == {"mobilenetv2": "c.h5", "resnet50": "a=b.h5"}
