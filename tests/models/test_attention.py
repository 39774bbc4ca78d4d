"""Channel attention against NumPy, its gradient, and the layers around it."""

import keras
import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.models import attention, channel_layers
from kerasfaces.models.attention import KINDS, ChannelAttention
from kerasfaces.models.channel_layers import Select, Standardize, ToPixels

pytestmark = pytest.mark.tf


def maps(n=2, side=4, channels=3, scale=0.3):
    random = rng.generator(0, "maps", side, channels)
    return random.normal(0, scale, (n, side, side, channels)).astype("float32")


def slowly(values, kind, beta):
    """Fu et al. 2019, equations 3 and 4, one number at a time."""
    n, height, width, channels = values.shape
    out = np.empty_like(values, dtype=np.float64)
    for image in range(n):
        rows = values[image].reshape(-1, channels).T.astype(np.float64)
        for j in range(channels):
            energy = np.array([rows[i] @ rows[j] for i in range(channels)])
            if kind == "scaled":
                energy = energy / (height * width)
            if kind == "published_code":
                energy = energy.max() - energy
            share = np.exp(energy) / np.exp(energy).sum()
            mixed = sum(share[i] * rows[i] for i in range(channels))
            out[image, ..., j] = (beta * mixed + rows[j]).reshape(height, width)
    return out


def layer_of(kind, values, beta):
    layer = ChannelAttention(kind)
    layer(values)
    layer.beta.assign(beta)
    return layer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("beta", [0.7, -1.5])
@pytest.mark.parametrize("channels", [2, 5])
def test_layer_is_the_equation(kind, beta, channels):
    values = maps(channels=channels)
    got = keras.ops.convert_to_numpy(layer_of(kind, values, beta)(values))
    np.testing.assert_allclose(got, slowly(values, kind, beta), atol=1e-5)
    assert np.abs(got - values).max() > 0.01


@pytest.mark.parametrize("kind", KINDS)
def test_training_starts_from_the_maps_themselves(kind):
    values = maps()
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(ChannelAttention(kind)(values)), values
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channels", [2, 5])
def test_gradients_are_the_finite_differences(kind, channels):
    import tensorflow as tf

    values = maps(1, 3, channels, scale=0.5)
    layer = layer_of(kind, values, 0.6)
    weights = rng.generator(1, "weights").normal(size=values.shape)
    inputs = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs) * weights.astype("float32"))
    to_inputs, to_beta = tape.gradient(loss, [inputs, layer.beta.value])

    def slow_loss(changed, beta):
        return (slowly(changed, kind, beta) * weights).sum()

    step = 1e-4
    expected = np.zeros(values.shape)
    for index in np.ndindex(values.shape):
        up, down = values.astype(np.float64), values.astype(np.float64)
        up[index] += step
        down[index] -= step
        expected[index] = (slow_loss(up, 0.6) - slow_loss(down, 0.6)) / (2 * step)
    np.testing.assert_allclose(to_inputs, expected, atol=2e-3)
    slope = (slow_loss(values, 0.6 + step) - slow_loss(values, 0.6 - step)) / (2 * step)
    assert float(to_beta) == pytest.approx(slope, rel=1e-3)


def test_code_and_paper_attend_to_opposite_channels():
    """Two alike channels and one apart: the paper joins the first, the code the last."""
    alike = np.ones((1, 4, 4))
    apart = np.zeros((1, 4, 4))
    apart[0, 0, 0] = 0.5
    values = np.stack([alike, alike, apart], axis=-1).astype("float32")
    first = {
        kind: keras.ops.convert_to_numpy(layer_of(kind, values, 1.0)(values))
        for kind in ("equation", "published_code")
    }
    np.testing.assert_allclose(first["equation"][..., 0], 2.0, atol=1e-4)
    np.testing.assert_allclose(first["published_code"][..., 0], 1.0 + apart, atol=1e-4)


def test_whole_images_saturate_the_unscaled_softmax():
    """Why `scaled` exists: at 256 px each channel attends to itself alone."""
    values = maps(1, 128, 4, scale=1.0)
    plain, soft = (
        keras.ops.convert_to_numpy(layer_of(kind, values, 1.0)(values))
        for kind in ("equation", "scaled")
    )
    np.testing.assert_allclose(plain, 2 * values, atol=1e-4)
    assert np.abs(soft - 2 * values).max() > 0.1


def test_half_precision_keeps_the_energies_exact():
    values = maps(1, 64, 3, scale=1.0)
    layer = ChannelAttention("scaled", dtype="mixed_bfloat16")
    layer(values)
    layer.beta.assign(1.0)
    got = keras.ops.convert_to_numpy(keras.ops.cast(layer(values), "float32"))
    np.testing.assert_allclose(got, slowly(values, "scaled", 1.0), atol=0.05)


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"expected one of .* got 'dual'"):
        ChannelAttention("dual")


@pytest.mark.parametrize(
    "layer",
    [
        ChannelAttention("scaled"),
        Standardize((1,)),
        ToPixels(("red", "phase", "mask"), 7.0),
        Select((2, 0, 0)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_layers_are_rebuilt_from_their_configuration(layer):
    values = maps()
    expected = keras.ops.convert_to_numpy(layer(values))
    symbolic = layer(keras.Input(values.shape[1:]))
    assert symbolic.shape == (None, *expected.shape[1:])
    again = type(layer).from_config(layer.get_config())
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again(values)), expected)


def test_standardize_takes_its_statistics_from_examples():
    values = maps(40, 4, 3) * np.float32([1, 5, 100]) + np.float32([3, 0, -50])
    values[..., 1] = 2.0
    layer = Standardize((0,))
    layer(values)
    layer.fit(lambda positions: values[positions].astype("float16"), len(values))
    got = keras.ops.convert_to_numpy(layer(values))
    np.testing.assert_array_equal(got[..., 0], values[..., 0])
    np.testing.assert_allclose(got[..., 1], 0, atol=1e-5)
    assert got[..., 2].mean() == pytest.approx(0, abs=1e-3)
    assert got[..., 2].std() == pytest.approx(1, abs=1e-3)


def test_values_that_are_not_finite_are_a_sentence():
    values = maps()
    values[0, 0, 0, 2] = np.inf
    layer = Standardize()
    layer(values)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match=r"input channels \[2\] holds values that are"),
    ):
        layer.fit(lambda positions: values[positions], len(values))


def test_signed_values_become_pixels_around_the_middle():
    values = np.float32([[[[200.0, -2.0], [0.0, 50.0]]]])
    got = keras.ops.convert_to_numpy(ToPixels(("red", "lnp_red"), 10.0)(values))
    np.testing.assert_allclose(got, [[[[200.0, 107.5], [0.0, 255.0]]]])


@pytest.mark.parametrize("positions", [(0,), (2, 1, 0), (1, 2, 3), (3, 3, 0, 1)])
def test_selection_is_numpy_s(positions):
    values = maps(channels=4)
    got = keras.ops.convert_to_numpy(Select(positions)(values))
    np.testing.assert_array_equal(got, values[..., list(positions)])
    listed = [
        i for start, end in channel_layers.runs_of(positions) for i in range(start, end)
    ]
    assert listed == list(positions)


def test_attention_kinds_are_the_configuration_s():
    from typing import get_args, get_type_hints

    from kerasfaces.models.zoo.lnp_attention import Options

    assert get_args(get_type_hints(Options)["attention"]) == attention.KINDS
