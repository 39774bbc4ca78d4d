"""Every file in kerasfaces/models, on arrival."""

import dataclasses
import os

import keras
import numpy as np
import pytest
from small_models import (
    FIRST,
    NAMES,
    SIZE_PX,
    is_transformer,
    need_extra,
    outline,
    plugin,
    sees_pixels_only,
    small,
)

from kerasfaces.core import config
from kerasfaces.models import network
from kerasfaces.models.config import (
    GROUPS,
    ModelConfig,
)
from kerasfaces.run import weights_file

pytestmark = pytest.mark.tf
WITHOUT_NORMS = {
    "convnext_tiny",
    "dct_cnn",
    "logistic_regression",
    "modified_cnn",
    "two_layer_cnn",
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.slow) if name in FIRST else name
        for name in NAMES
    ],
)
def built(request):
    need_extra(request.param)
    model_config = small(request.param)
    return model_config, plugin(request.param).build(model_config, None, 1)


@pytest.fixture(scope="module")
def images(built):
    """As many channels as the model takes, colours in 0..255, others around 0."""
    random = np.random.default_rng(0)
    shape = (3, SIZE_PX, SIZE_PX)
    planes = [
        random.integers(0, 256, shape)
        if name in GROUPS["rgb"]
        else random.normal(size=shape)
        for name in built[0].channel_names
    ]
    return np.stack(planes, axis=-1).astype("float32")


def logits(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


@pytest.fixture(scope="module")
def pair(built, images):
    """Two images' logits and what the poolings see of them, of one pass."""
    _, model = built
    taps = [pooling.input for pooling in network.poolings_of(model)]
    values, maps = keras.Model(model.input, [model.output, taps])(
        images[:2], training=False
    )
    return keras.ops.convert_to_numpy(values), maps


def test_finite_logits(pair):
    values, _ = pair
    assert values.shape == (2, 1)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert np.ptp(values) > 0


def test_batch_and_single_agree(built, images, pair):
    _, model = built
    alone = np.concatenate([logits(model, images[i : i + 1]) for i in range(2)])
    np.testing.assert_allclose(pair[0], alone, atol=1e-4)


def test_rebuilt_from_json_with_loaded_weights_is_the_same(
    built, images, pair, tmp_path
):
    model_config, model = built
    path = tmp_path / "model.keras"
    model.save(path)
    again = config.from_dict(ModelConfig, config.to_dict(model_config))
    assert again == model_config
    rebuilt = plugin(again.name).build(again)
    weights_file.load_into(rebuilt, path)
    np.testing.assert_array_equal(pair[0], logits(rebuilt, images[:2]))


def test_the_head_can_be_replayed_from_the_taps(built, pair):
    model_config, model = built
    values, maps = pair
    names = model_config.taps or ("last",)
    views = len(model_config.views) if not plugin(model_config.name).end_to_end else 1
    assert len(maps) == views * len(model_config.scales) * len(names)
    taps = [pooling.input for pooling in network.poolings_of(model)]
    replayed = keras.Model(taps, model.output)(maps, training=False)
    np.testing.assert_allclose(np.asarray(replayed), values, rtol=1e-3, atol=1e-4)


def test_each_argument_reaches_the_model(built):
    model_config, model = built
    head = model.get_layer("head")
    channels = len(model_config.channel_names)
    assert model.input_shape == (None, SIZE_PX, SIZE_PX, channels)
    if not sees_pixels_only(model_config.name):
        assert model.get_layer("standardize_channels").mean.shape == (channels,)
    assert [head.get_layer(f"hidden_{i}").units for i in (1, 2)] == [16, 8]
    assert head.get_layer("dropout_1").rate == 0.2
    assert head.get_layer("hidden_1").kernel_regularizer.l2 == pytest.approx(0.01)
    assert head.get_layer("real_fake").units == 2
    assert head.get_layer("norm_1")
    with pytest.raises(ValueError, match="norm_2"):
        head.get_layer("norm_2")
    with pytest.raises(ValueError, match="standardize"):
        head.get_layer("standardize")
    base = network.base_of(model)
    outputs = [base.get_layer(tap).output for tap in model_config.taps] or base.outputs
    width = sum(output.shape[-1] for output in outputs)
    views = 1 if plugin(model_config.name).end_to_end else len(model_config.inputs)
    extractor = network.extractor_of(model)
    width *= 2 * len(model_config.scales) * views
    assert extractor.output_shape == (None, width)
    if views > 1:
        assert model.get_layer("to_pixels").gain == 3.0
    elif not sees_pixels_only(model_config.name):
        assert model.get_layer("attention").kind == "scaled"
        assert model.get_layer("project_to_3").filters == 3


@pytest.mark.slow
def test_every_trainable_weight_gets_a_gradient(built, images):
    _, model = built
    network.unfreeze_all(model)
    before = [keras.ops.convert_to_numpy(w) for w in model.trainable_variables]
    model.compile(
        optimizer=keras.optimizers.SGD(1.0),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    labels = np.array([[0.0], [1.0], [1.0]], "float32")
    model.fit(images, labels, epochs=1, batch_size=3, verbose=0)
    still = [
        weight.path
        for weight, old in zip(model.trainable_variables, before, strict=True)
        if np.array_equal(keras.ops.convert_to_numpy(weight), old)
        and not weight.path.endswith("bias")  # a bias in front of BatchNorm has none
    ]
    assert still == []


@pytest.mark.slow
@pytest.mark.parametrize("last", [0, 3])
def test_frozen_layers_and_batch_statistics_stay_still(built, images, last):
    model_config, _ = built
    model = plugin(model_config.name).build(model_config, None, 1)
    network.freeze(model, last)
    base = network.base_of(model)
    norms = [x for x in base.layers if isinstance(x, keras.layers.BatchNormalization)]
    few = model_config.name in WITHOUT_NORMS or is_transformer(model_config.name)
    assert norms or few
    frozen = [w for layer in base.layers if not layer.trainable for w in layer.weights]
    assert {id(w) for layer in norms for w in layer.weights} <= {id(w) for w in frozen}
    before = [keras.ops.convert_to_numpy(weight) for weight in frozen]
    model.compile(optimizer="adam", loss="mse", jit_compile=False)
    model.fit(images, np.zeros((3, 1)), epochs=2, verbose=0)
    for weight, old in zip(frozen, before, strict=True):
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(weight), old, weight.path
        )
    assert (len(base.trainable_variables) > 0) == bool(last and base.weights)


def test_unknown_tap_lists_some(built):
    model_config, _ = built
    wrong = dataclasses.replace(model_config, taps=("block_99",))
    from kerasfaces.core.errors import InputError

    with pytest.raises(
        InputError, match="the base has no layer 'block_99'; some it has: "
    ):
        outline(wrong)


@pytest.mark.slow
def test_builds_and_trains_under_jax(run_python):
    """The same files run where TensorFlow is not the backend."""
    pytest.importorskip("jax")
    os.environ.pop("KERAS_BACKEND", None)
    code = """
import os; os.environ["KERAS_BACKEND"] = "jax"
from kerasfaces.models import catalogue
from kerasfaces.models.config import ModelConfig
import dataclasses
import importlib.util
import numpy as np
SMALL = {"patch_px": 16, "layers": 2, "width": 8, "heads": 2, "mlp_width": 16}
for name in catalogue.names():
    if name in ("convnext_small", "convnext_base"):
        continue
    plugin = catalogue.load(name)
    if plugin.extra and not importlib.util.find_spec("keras_hub"):
        print("(1, 1)")
        continue
    inputs = ("lnp+spectra",) if plugin.takes == "channels" else ("rgb",)
    own = {key: SMALL[key] for key in SMALL if hasattr(plugin.options, key)}
    options = dataclasses.replace(plugin.options, **own)
    config = ModelConfig(name=name, size_px=32, inputs=inputs, options=options)
    model = plugin.build(config)
    print(model.predict(np.zeros((1, *model.input_shape[1:])), verbose=0).shape)
"""
    assert run_python(code).split() == ["(1,", "1)"] * len(NAMES)
