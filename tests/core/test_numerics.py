"""Whatever the user's settings are, numbers stay: set, refused, or part of a cache's name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kerasfaces import cli
from kerasfaces.core.errors import InputError
from kerasfaces.core.imports import import_keras

pytestmark = pytest.mark.tf
ROOT = Path(__file__).parents[2]
FEW = {
    "deadline": None,
    "phases": [Phase.generate],
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
KERAS_FILES = st.fixed_dictionaries(
    {},
    optional={
        "floatx": st.sampled_from(["float16", "float32", "float64"]),
        "epsilon": st.sampled_from([1e-7, 1e-3, 0.5]),
        "image_data_format": st.sampled_from(["channels_first", "channels_last"]),
        "backend": st.sampled_from(["jax", "torch", "tensorflow", "nonsense"]),
    },
)
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "KERAS_MAX_EPOCHS": st.just("1"),
        "KERAS_MAX_STEPS_PER_EPOCH": st.just("1"),
        "TF_ENABLE_ONEDNN_OPTS": st.sampled_from(["0", "1"]),
        "TF_XLA_FLAGS": st.just("--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit"),
        "NVIDIA_TF32_OVERRIDE": st.sampled_from(["0", "1"]),
        "OMP_NUM_THREADS": st.sampled_from(["1", "2"]),
        "TF_NUM_INTRAOP_THREADS": st.sampled_from(["1", "2"]),
        "PYTHONHASHSEED": st.sampled_from(["0", "1", "4294967295"]),
        "LC_ALL": st.sampled_from(["C", "tr_TR.UTF-8", "de_DE.UTF-8"]),
    },
)


def run(arguments, home, variables=(), keras_file=None):
    """Run Python with a user's settings around it."""
    (home / ".keras").mkdir(parents=True, exist_ok=True)
    if keras_file is not None:
        text = keras_file if isinstance(keras_file, str) else json.dumps(keras_file)
        (home / ".keras" / "keras.json").write_text(text, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "KERASFACES_CACHE": str(home / "cache"),
        "HOME": str(home),
        **dict(variables),
    }
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


SETTINGS = """
from kerasfaces import cli
from kerasfaces.core.imports import import_keras
def main(argv):
    import_keras()
    import os, keras, tensorflow as tf
    c = keras.config
    print(c.floatx(), c.epsilon(), c.image_data_format(), c.dtype_policy().name,
          c.backend(), c.max_epochs(), c.max_steps_per_epoch(),
          os.environ.get("TF_ENABLE_ONEDNN_OPTS"), os.environ.get("TF_XLA_FLAGS"),
          tf.config.experimental.tensor_float_32_execution_enabled())
    return 0
cli.run(main)
"""
WANTED = "float32 1e-07 channels_last float32 tensorflow None None 1 None False\n"


@pytest.mark.slow
@settings(max_examples=12, **FEW)
@given(keras_file=KERAS_FILES, variables=VARIABLES)
def test_a_command_computes_as_if_the_user_had_set_nothing(
    keras_file, variables, tmp_path_factory
):
    done = run(["-c", SETTINGS], tmp_path_factory.mktemp("home"), variables, keras_file)
    assert done.returncode == 0, done.stderr
    assert done.stdout == WANTED


def test_float16_in_the_users_file_changes_nothing(tmp_path):
    wanted = {
        "floatx": "float16",
        "epsilon": 0.5,
        "image_data_format": "channels_first",
    }
    done = run(["-c", SETTINGS], tmp_path, {"KERAS_MAX_EPOCHS": "1"}, wanted)
    assert done.stdout == WANTED, done.stderr
    assert "KERAS_MAX_EPOCHS would change numbers and is not used" in done.stderr


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A sample, and what a run of it comes to where nothing is set."""
    from kerasfaces import sample

    folder = tmp_path_factory.mktemp("numbers")
    manifest = sample.make(folder / "sample", pairs=28)
    return manifest, _predictions(manifest, folder / "plain")


def _predictions(manifest, home, variables=(), keras_file=None):
    home.mkdir()
    done = run(
        [
            *("-m", "kerasfaces.train", "--manifest", manifest, "-o", "run"),
            *("--weights", "forensic", "--set", "epochs=3"),
        ],
        home,
        variables,
        keras_file,
    )
    assert done.returncode == 0, done.stderr
    return (home / "run" / "predictions_test.csv").read_bytes()


@pytest.mark.slow
@settings(max_examples=6, **FEW)
@given(keras_file=KERAS_FILES, variables=VARIABLES)
def test_predictions_are_the_same_to_the_bit(
    keras_file, variables, trained, tmp_path_factory
):
    manifest, expected = trained
    home = tmp_path_factory.mktemp("world") / "home"
    assert _predictions(manifest, home, variables, keras_file) == expected


@pytest.mark.parametrize(
    ("variables", "keras_file", "words"),
    [
        (
            {"KERAS_BACKEND": "jax"},
            None,
            "jax, which is not installed; run: pip install",
        ),
        ({"KERAS_BACKEND": "nonsense"}, None, "'nonsense'; expected tensorflow or jax"),
        ({"KERAS_BACKEND": "torch"}, None, "'torch'; expected tensorflow or jax"),
        ({"KERAS_BACKEND": "x" * 999}, None, "expected tensorflow or jax"),
        ({}, {"floatx": "float8"}, "keras.json cannot be used by Keras"),
        ({}, {"epsilon": "small"}, "keras.json cannot be used by Keras"),
        ({}, "[]", "keras.json cannot be used by Keras"),
    ],
)
def test_a_backend_that_cannot_run_is_one_sentence(
    variables, keras_file, words, tmp_path
):
    import importlib.util

    if variables.get("KERAS_BACKEND") == "jax" and importlib.util.find_spec("jax"):
        pytest.skip("JAX is installed here")
    done = run(["-m", "kerasfaces.train"], tmp_path, variables, keras_file)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("floatx", "float16"),
        ("dtype_policy", "mixed_float16"),
        ("image_data_format", "channels_first"),
        ("epsilon", 1e-3),
        ("max_epochs", 1),
    ],
)
def test_the_library_refuses_what_would_change_numbers_and_sets_nothing(
    name, value, tiny_manifest, tiny_weights, tmp_path
):
    import keras

    from kerasfaces.train import fit

    setting, setter = getattr(keras.config, name), getattr(keras.config, f"set_{name}")
    config, data, found = _small(tiny_manifest, tiny_weights)
    before = setting()
    setter(value)
    try:
        changed = setting()
        with pytest.raises(InputError, match=f"Keras' {name} is .*set_{name}"):
            fit.train(config, data, found, tmp_path)
        with pytest.raises(InputError, match=f"Keras' {name} is .*set_{name}"):
            import_keras()
        assert setting() == changed
    finally:
        setter(before)


def _small(manifest, weights):
    """A configuration that takes seconds, its images and base weights."""
    from kerasfaces.models.config import HeadConfig, ModelConfig
    from kerasfaces.models.zoo import mobilenetv2
    from kerasfaces.train import data as datasets
    from kerasfaces.train.config import TrainConfig

    model = ModelConfig(
        size_px=32,
        taps=("block_1_expand_relu",),
        options=mobilenetv2.Options(alpha=0.35),
        head=HeadConfig(units=(4,)),
    )
    config = TrainConfig(model=model, epochs=2, batch_size=8)
    data = datasets.load(manifest, config.input_spec)
    return config, data, mobilenetv2.ARCHITECTURE.find_weights(str(weights))


class _Pixels:
    """Images by position, as a cache gives them."""

    recipe = {"kind": "images", "of": "noise"}  # noqa: RUF012

    def reader(self, keys):
        import numpy as np

        return lambda at: np.stack(
            [np.full((32, 32, 3), 7 * int(keys[i]), np.uint8) for i in at]
        )


def _features(keys=("1", "2")):
    import keras
    import numpy as np

    from kerasfaces.features.cached import FeatureCache

    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    outputs = keras.layers.GlobalAveragePooling2D()(
        keras.layers.Conv2D(4, 3)(inputs / 255.0)
    )
    cache = FeatureCache(keras.Model(inputs, outputs), {"sha256": "x"}, _Pixels())
    values = cache.reader(keys)(np.arange(len(keys)))
    return cache, values


def test_two_engines_never_share_a_cache(monkeypatch):
    pytest.importorskip("openvino")
    from kerasfaces import store

    names, folders = set(), set()
    for engine in ("keras", "openvino", "keras"):
        monkeypatch.setenv("KERASFACES_ENGINE", engine)
        cache, _ = _features()
        names.add(cache.engine)
        folders |= set((store.cache_root() / "features").iterdir())
    assert len(names) == len(folders) == 2
    recipes = [json.loads((each / "store.json").read_text()) for each in folders]
    assert {each["recipe"]["engine"] for each in recipes} == names
    assert cache.n_cached == 2


def test_a_base_keeps_the_engine_that_was_measured(monkeypatch):
    """Later images, too, also where another engine would agree on those by now."""
    from kerasfaces.features import engines

    measured = []
    choose = engines.choose

    def counted(extractor, *rest):
        measured.append(1)
        return choose(extractor, *rest)

    monkeypatch.setattr(engines, "choose", counted)
    first, _ = _features()
    again, _ = _features()
    assert first.engine == again.engine
    assert len(measured) <= 1


def test_an_engine_that_agrees_no_longer_is_not_mixed_in(monkeypatch):
    pytest.importorskip("openvino")
    from kerasfaces.features import engines

    first, _ = _features()
    if not first.engine.startswith("openvino"):
        pytest.skip("Keras computes features here")
    choose = engines.keras_engine
    monkeypatch.setattr(engines, "choose", lambda extractor, *_: choose(extractor))
    with pytest.raises(InputError, match="agreed with Keras on other images"):
        _features(("1", "3"))
    cache, _ = _features(("1", "3"))
    assert cache.engine.startswith("keras")


def test_a_checkpoint_on_another_engine_s_features_starts_over(
    tiny_manifest, tiny_weights, tmp_path, monkeypatch, caplog
):
    pytest.importorskip("openvino")
    from kerasfaces.train import fit

    config, data, found = _small(tiny_manifest, tiny_weights)
    for engine, again in (("keras", False), ("openvino", True), ("openvino", False)):
        monkeypatch.setenv("KERASFACES_ENGINE", engine)
        caplog.clear()
        done = fit.train(config, data, found, tmp_path)
        assert done.facts["engine"].startswith(engine)
        assert ("training starts over" in caplog.text) == again


def test_without_a_home_folder_the_cache_s_variable_is_named(
    monkeypatch, capsys, tmp_path
):
    from kerasfaces import store

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("KERASFACES_CACHE")
    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(SystemExit) as stop:
        cli.run(lambda _: store.cache_root() and 0, [])
    told = capsys.readouterr().err
    assert stop.value.code == 2
    assert "KERASFACES_CACHE" in told
    assert told.count("\n") == 1
