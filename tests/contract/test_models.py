"""Every file in kerasfaces/models, on arrival."""

import dataclasses
import os

import keras
import numpy as np
import pytest

from kerasfaces.core import config
from kerasfaces.models import catalogue, network
from kerasfaces.models.config import (
    GROUPS,
    HeadConfig,
    ModelConfig,
)

pytestmark = pytest.mark.tf
# Sizes that no option makes small; convnext_tiny is the same architecture.
LARGE = {"convnext_small", "convnext_base"}
NAMES = [name for name in catalogue.names() if name not in LARGE]
SIZE_PX = 48
WITHOUT_NORMS = {
    "convnext_tiny",
    "dct_cnn",
    "logistic_regression",
    "modified_cnn",
    "two_layer_cnn",
}
# Every option away from its default, and as small as the model can be.
OPTIONS = {
    "fusion": "attention_all",
    "attention": "scaled",
    "stem": "project",
    "gain": 3.0,
    "standardize": True,
    "alpha": 0.35,
    "layers": 3,
    "filters": 4,
    "kernel_px": 3,
    "networks": 3,
    "patch_px": 16,
    "width": 8,
    "heads": 2,
    "mlp_width": 24,
    "native_px": 32,
    "registers": 2,
    "activation": "gelu",
}


def plugin(name):
    return catalogue.load(name)


def sees_pixels_only(name):
    """A method of somebody else's, with its own training."""
    return plugin(name).takes == "pixels"


def is_transformer(name):
    return hasattr(plugin(name).options, "heads")


def options(name):
    own = {field.name for field in dataclasses.fields(plugin(name).options)}
    return {key: value for key, value in OPTIONS.items() if key in own}


def inputs_of(name):
    if sees_pixels_only(name):
        return ("rgb",)
    return ("lnp+spectra",) if plugin(name).end_to_end else ("lnp", "rgb")


def some_taps(name):
    """Two layers of the base, one of them with fewer maps than the other."""
    if is_transformer(name) and plugin(name).taps:
        return "block_1", "block_3"
    if not sees_pixels_only(name):
        taps = plugin(name).taps[:2]
        return taps or ("block_3_expand_relu", "block_6_expand_relu")
    if name in ("logistic_regression", "aggregated_cnns"):
        return ()  # the one has no layer, the other's layers see patches
    if is_transformer(name):
        return ()  # its layers are inside keras-hub's
    base = network.base_of(
        plugin(name).build(
            config.updated(
                ModelConfig(name=name, size_px=SIZE_PX), {"options": options(name)}
            )
        )
    )
    convolutions = [x for x in base.layers if isinstance(x, keras.layers.Conv2D)]
    return convolutions[0].name, convolutions[-1].name


def small(name):
    """Every argument away from its default, and as small as the model can be."""
    model_config = ModelConfig(
        name=name,
        inputs=inputs_of(name),
        size_px=SIZE_PX,
        taps=some_taps(name),
        pooling="mean_std",
        scales=(1.0,) if is_transformer(name) else (1.0, 0.75),
        head=HeadConfig(
            units=(16, 8),
            dropout=0.2,
            l2=0.01,
            standardize=False,
            batch_norm=True,
            output="softmax",
        ),
    )
    return config.updated(model_config, {"options": options(name)})


@pytest.fixture(scope="module", params=NAMES)
def built(request):
    if plugin(request.param).extra == "hub":
        pytest.importorskip("keras_hub")
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


def test_finite_logits(built, images):
    _, model = built
    values = logits(model, images)
    assert values.shape == (3, 1)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert np.ptp(values) > 0


def test_batch_and_single_agree(built, images):
    _, model = built
    together = logits(model, images)
    alone = np.concatenate([logits(model, images[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_rebuilt_from_json_with_loaded_weights_is_the_same(built, images, tmp_path):
    model_config, model = built
    path = tmp_path / "model.keras"
    model.save(path)
    again = config.from_dict(ModelConfig, config.to_dict(model_config))
    assert again == model_config
    rebuilt = plugin(again.name).build(again)
    rebuilt.load_weights(path)
    np.testing.assert_array_equal(logits(model, images), logits(rebuilt, images))


def test_the_head_can_be_replayed_from_the_taps(built, images):
    model_config, model = built
    poolings = network.poolings_of(model)
    names = model_config.taps or ("last",)
    views = len(model_config.views) if not plugin(model_config.name).end_to_end else 1
    assert len(poolings) == views * len(model_config.scales) * len(names)
    taps = [each.input for each in poolings]
    maps = keras.Model(model.input, taps)(images, training=False)
    replayed = keras.Model(taps, model.output)(maps, training=False)
    np.testing.assert_allclose(
        np.asarray(replayed), logits(model, images), rtol=1e-3, atol=1e-4
    )


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
        plugin(wrong.name).build(wrong)


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
