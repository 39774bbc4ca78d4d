"""wan2023's model: fusions, classifiers, and how weights for 3 channels meet more."""

import dataclasses

import keras
import numpy as np
import pytest

from kerasfaces.core import rng
from kerasfaces.core.errors import InputError
from kerasfaces.models import attention, channel_layers, network
from kerasfaces.models.config import HeadConfig, ModelConfig, ViewOptions
from kerasfaces.models.resnet34 import resnet34
from kerasfaces.models.zoo import lnp_attention, mobilenetv2

pytestmark = pytest.mark.tf
CLASSIFIERS = ("mobilenetv2", "resnet34", "resnet50")
FIVE = ("lnp_red", "lnp_green", "lnp_blue", "amplitude", "phase")


def config(size_px=32, inputs="lnp+spectra", **options):
    return ModelConfig(
        name="lnp_attention",
        inputs=(inputs,),
        size_px=size_px,
        options=lnp_attention.Options(**{"alpha": 0.35, **options}),
        head=HeadConfig(standardize=False),
    )


def values(shape, seed=0):
    return rng.generator(seed, "values").normal(size=shape).astype("float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(
    ("inputs", "count"),
    [("lnp+spectra", 5), ("lnp+spectra3", 9), ("rgb+lnp+spectra", 8)],
)
@pytest.mark.parametrize("how", ["inflate", "project"])
def test_any_number_of_channels(inputs, count, how):
    model = lnp_attention.ARCHITECTURE.build(config(inputs=inputs, stem=how))
    assert model.input_shape == (None, 32, 32, count)
    logits = numpy(model(values((2, 32, 32, count)), training=False))
    assert logits.shape == (2, 1)
    first = network.base_of(model).input_shape[-1]
    assert first == (3 if how == "project" else count)


@pytest.mark.slow
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_classifiers_learn_a_difference_in_one_channel(classifier):
    """A batch in training mode: the loss falls through every classifier."""
    model = lnp_attention.ARCHITECTURE.build(config(classifier=classifier))
    inputs, labels = values((16, 32, 32, 5)), np.repeat([[0.0], [1.0]], 8, axis=0)
    inputs[8:, ..., 4] *= 3
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        jit_compile=False,
    )
    losses = model.fit(inputs, labels, epochs=8, batch_size=16, verbose=0)
    assert min(losses.history["loss"]) < 0.7 * losses.history["loss"][0]


def test_resnet34_has_the_published_size():
    """Torchvision's has 21,797,672 parameters, 513,000 of them in its last layer."""
    with keras.StatelessScope(initialize_variables=False):  # shapes alone
        model = resnet34()
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert trained == 21_797_672 - 513_000
    assert model.compute_output_shape((1, 256, 256, 3)) == (1, 8, 8, 512)
    convolutions = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size != (1, 1)
    ]
    assert len(convolutions) == 33  # and one dense layer make 34


def fused(kind, names=FIVE, beta=1.0):
    image = keras.Input((4, 4, len(names)))
    model = keras.Model(image, attention.fuse(image, names, kind, "scaled"))
    if kind != "concat":
        model.get_layer("attention").beta.assign(beta)
    return model


def test_fusions_are_the_document_s():
    """What attention changes: nothing, everything, the spectra alone."""
    inputs = values((2, 4, 4, 5))
    np.testing.assert_array_equal(numpy(fused("concat")(inputs)), inputs)
    changed = numpy(fused("attention_all")(inputs))
    assert (np.abs(changed - inputs).max(axis=(0, 1, 2)) > 0.01).all()
    chosen = numpy(fused("attention_spectra")(inputs))
    np.testing.assert_array_equal(chosen[..., :3], inputs[..., :3])
    spectra = fused("attention_all", FIVE[3:])(inputs[..., 3:])
    np.testing.assert_allclose(chosen[..., 3:], numpy(spectra), atol=1e-6)


def test_spectra_are_found_wherever_they_stand():
    names = ("phase", "red", "amplitude", "lnp_red")
    inputs = values((1, 4, 4, 4))
    got = numpy(fused("attention_spectra", names, beta=0.0)(inputs))
    np.testing.assert_array_equal(got, inputs[..., [1, 3, 0, 2]])
    assert attention.is_spectrum("amplitude_red")
    assert not attention.is_spectrum("lnp_red")


@pytest.mark.parametrize(
    ("inputs", "kind"),
    [
        ("lnp", "attention_spectra"),
        ("spectra", "attention_spectra"),
        ("lnp+phase", "attention_spectra"),
        ("phase", "attention_all"),
    ],
)
def test_nothing_to_attend_to_is_a_sentence(inputs, kind):
    with pytest.raises(InputError, match=f"{kind} needs at least two .*; use .*concat"):
        lnp_attention.ARCHITECTURE.build(config(inputs=inputs, fusion=kind))


def test_inflated_weights_see_equal_channels_as_three_equal_ones(tiny_weights):
    found = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    model = lnp_attention.ARCHITECTURE.build(config(fusion="concat"), found)
    wide = network.base_of(model)
    narrow = network.base_of(
        mobilenetv2.ARCHITECTURE.build(
            ModelConfig(size_px=32, options=mobilenetv2.Options(alpha=0.35)), found
        )
    )
    plane = values((2, 32, 32, 1))
    scale = channel_layers.IMAGENET_SD["mobilenetv2"]
    ours = wide(np.repeat(plane, 5, axis=-1), training=False)
    theirs = narrow(np.repeat(plane * scale, 3, axis=-1), training=False)
    np.testing.assert_allclose(numpy(ours), numpy(theirs), atol=1e-4)
    assert np.abs(numpy(ours)).max() > 0


def test_projected_base_keeps_its_weights(tiny_weights):
    found = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    model = lnp_attention.ARCHITECTURE.build(config(stem="project"), found)
    reference = mobilenetv2.ARCHITECTURE.build(
        ModelConfig(size_px=32, options=mobilenetv2.Options(alpha=0.35)), found
    )
    ours, theirs = (network.base_of(m).get_weights() for m in (model, reference))
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)
    kernel = model.get_layer("project_to_3").get_weights()[0]
    assert kernel.shape == (1, 1, 5, 3)


def test_weights_are_looked_for_by_classifier(tiny_weights):
    settings = config(classifier="resnet34")
    with pytest.raises(InputError, match="Keras publishes none for ResNet-34"):
        lnp_attention.ARCHITECTURE.find_weights("imagenet", settings)
    with pytest.raises(InputError, match="no such base is shipped for ResNet50"):
        lnp_attention.ARCHITECTURE.find_weights(
            "forensic", config(classifier="resnet50")
        )
    assert lnp_attention.ARCHITECTURE.find_weights("none", settings) is None
    found = lnp_attention.ARCHITECTURE.find_weights(str(tiny_weights), config())
    unknown = config(alpha=None)
    assert lnp_attention.ARCHITECTURE.completed(unknown, found) == config()
    shapes_alone = keras.StatelessScope(initialize_variables=False)
    refused = pytest.raises(InputError, match="not weights of resnet34 without top")
    with shapes_alone, refused:
        lnp_attention.ARCHITECTURE.build(settings, found)


def test_batch_statistics_follow_within_an_epoch():
    with keras.StatelessScope(initialize_variables=False):  # settings alone
        model = lnp_attention.ARCHITECTURE.build(config())
    norms = [
        layer
        for layer in network.base_of(model).layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert norms
    assert {layer.momentum for layer in norms} == {0.95}


@pytest.mark.parametrize("kind", ["attention_all", "attention_spectra"])
def test_beta_learns(kind):
    import tensorflow as tf

    model = lnp_attention.ARCHITECTURE.build(config(fusion=kind, attention="scaled"))
    with tf.GradientTape() as tape:
        # not the sum, which batch normalisation makes constant
        loss = tf.reduce_sum(model(values((4, 32, 32, 5)), training=True) ** 2)
    gradient = tape.gradient(loss, model.get_layer("attention").beta.value)
    assert abs(float(gradient)) > 1e-9


def test_frozen_base_sees_each_view_as_an_image():
    settings = ModelConfig(
        size_px=32, options=mobilenetv2.Options(alpha=0.35), inputs=("rgb", "lnp")
    )
    inputs = np.concatenate(
        [127.5 + 30 * values((2, 32, 32, 3)), values((2, 32, 32, 3), 1)], axis=-1
    ).astype("float32")
    both = network.extractor_of(mobilenetv2.ARCHITECTURE.build(settings))(inputs)
    plain = dataclasses.replace(settings, inputs=("rgb",))
    extractor = network.extractor_of(mobilenetv2.ARCHITECTURE.build(plain))
    halves = [
        np.clip(inputs[..., :3], 0, 255),
        np.clip(127.5 + 10 * inputs[..., 3:], 0, 255),
    ]
    expected = np.concatenate([numpy(extractor(half)) for half in halves], axis=-1)
    np.testing.assert_allclose(numpy(both), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (("lnp+spectra",), "sees three channels at a time, got 'lnp.spectra' with 5"),
        (("phase",), "got 'phase' with 1"),
    ],
)
def test_frozen_bases_take_three_channels(inputs, message):
    with pytest.raises(InputError, match=message):
        mobilenetv2.ARCHITECTURE.build(ModelConfig(size_px=32, inputs=inputs))


def test_channel_may_be_repeated_to_make_an_image():
    settings = ModelConfig(
        size_px=32,
        inputs=("phase+phase+phase",),
        options=mobilenetv2.Options(alpha=0.35),
    )
    assert settings.channel_names == ("phase",)
    model = mobilenetv2.ARCHITECTURE.build(settings)
    assert model.input_shape == (None, 32, 32, 1)
    assert np.isfinite(numpy(model(values((1, 32, 32, 1))))).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": ()}, "model.inputs: expected channel names joined by"),
        ({"inputs": ("lnp+",)}, "model.inputs: expected channel names joined by"),
    ],
)
def test_impossible_inputs_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        ModelConfig(**change)
    with pytest.raises(InputError, match=r"model\.options\.gain: expected more than 0"):
        ViewOptions(gain=0.0)
