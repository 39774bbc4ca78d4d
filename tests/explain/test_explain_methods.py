"""Every method: its contract, what it finds in a detector whose reason is known."""

import dataclasses

import numpy as np
import pytest
import tiny_detector
from tiny_detector import CORNER, SIZE_PX, picture

from kerasfaces.core import registry
from kerasfaces.core.errors import InputError
from kerasfaces.explain import checks, curves, subjects
from kerasfaces.explain.contract import Options, blurred, has_sign

pytestmark = pytest.mark.tf
EVERY = registry.names("kerasfaces.explain.methods")
STUDIES = {
    *("channel_shapley", "factorisation", "feature_maps", "fingerprints"),
    "preferred_inputs",
}
METHODS = sorted(set(EVERY) - STUDIES)


@pytest.fixture(scope="module")
def subject(tiny_run):
    return subjects.open_subject(tiny_run, redraws=2)


def load(name):
    return registry.load("kerasfaces.explain.methods", name)


def test_the_methods_are_the_files():
    assert {"cam", "gradcam", "integrated_gradients", "occlusion"} <= set(METHODS)
    for name in EVERY:
        plugin = load(name)
        assert hasattr(plugin, "study") == (name in STUDIES)
        assert hasattr(plugin, "explain") == hasattr(plugin, "UNITS")
        assert hasattr(plugin, "explain") != hasattr(plugin, "study")


def test_the_detector_has_learnt_its_corner(subject):
    images = np.stack(
        [picture(fake, n) for fake in (False, True) for n in range(50, 54)]
    )
    logits = subject.logits(images)
    assert logits.shape == (8, 3)
    assert (logits[:4, 0] < 0).all()
    assert (logits[4:, 0] > 0).all()


@pytest.mark.parametrize("name", METHODS)
def test_contract(subject, name):
    plugin = load(name)
    plugin.check(subject)
    signs = {"logit per pixel", "logit per patch"}
    assert (plugin.UNITS in signs) == has_sign(plugin.UNITS)
    assert plugin.__doc__.count("`map`:") == 1
    first = plugin.explain(subject, picture(True, 60), Options(signed=True))
    again = plugin.explain(subject, picture(True, 60), Options(signed=True))
    assert len(first) == subject.n_heads
    for one, two in zip(first, again, strict=True):
        assert one.map.shape == (SIZE_PX, SIZE_PX)
        assert one.map.dtype == np.float32
        assert np.isfinite(one.map).all()
        np.testing.assert_array_equal(one.map, two.map)
        assert all(np.isfinite(value) for value in one.facts.values())
        assert has_sign(plugin.UNITS) or one.map.min() >= 0
        assert list(one.facts) == list(getattr(plugin, "FACTS", one.facts))
    same = np.array_equal(first[0].map, first[1].map)
    assert same == (name == "pooling_heatmap")  # it asks no head


# a gradient without a sign is spread wider; the last one knows nothing of a verdict
IN_CORNER = {name: 0.6 for name in METHODS} | {"loss_gradient": 0.3}
del IN_CORNER["pooling_heatmap"]


@pytest.mark.parametrize("name", IN_CORNER)
def test_the_planted_corner_is_found_and_deletion_agrees(subject, name):
    for number in (70, 71):
        image = picture(True, number)
        found = load(name).explain(subject, image, Options())[0].map
        positive = np.maximum(found, 0)
        assert positive[CORNER, CORNER].sum() > IN_CORNER[name] * positive.sum()
        for curve in curves.deletion_and_insertion(subject.logits, image, found, 1):
            assert curve.beaten == curves.ORDERS
            assert curve.gain > 0
            assert curve.gain > curve.spread > 0


def test_deletion_knows_a_map_that_points_elsewhere(subject):
    wrong = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    wrong[CORNER, CORNER] = -1.0
    image = picture(True, 70)
    measured, insertion = curves.deletion_and_insertion(subject.logits, image, wrong, 1)
    assert measured.gain < 0
    assert measured.beaten == 0
    assert insertion.gain < 0
    assert insertion.curve[0] == pytest.approx(measured.curve[-1], abs=1e-3)
    assert measured.curve[0] == pytest.approx(subject.logits(image[None])[0, 0], 1e-4)
    ends = subject.logits(blurred(image)[None])[0, 0]
    assert measured.curve[-1] == pytest.approx(ends, abs=1e-3)
    assert measured.random[-1] == pytest.approx(ends, abs=1e-3)


def test_integrated_gradients_are_complete(subject):
    for baseline in ("blurred", "grey"):
        image = picture(True, 72)
        options = Options(baseline=baseline)
        found = load("integrated_gradients").explain(subject, image, options)[0]
        start = blurred(image) if baseline == "blurred" else np.full_like(image, 127)
        low, high = subject.logits(np.stack([start, image]))[:, 0]
        assert found.facts["baseline_logit"] == pytest.approx(low, abs=0.2)
        assert abs(found.facts["completeness_error"]) < 0.05 * abs(high - low)
        total = found.map.sum() - found.facts["completeness_error"]
        assert total == pytest.approx(high - found.facts["baseline_logit"], abs=1e-2)


def test_occlusion_is_the_logit_that_a_patch_carries(subject):
    image = picture(True, 73)
    found = load("occlusion").explain(subject, image, Options())[0].map
    changed = image.copy()
    ring = np.ones((8, 8), bool)
    ring[:4, :4] = False
    changed[:4, :4] = image[:8, :8][ring].mean(axis=0).round()
    before, after = subject.logits(np.stack([image, changed]))[:, 0]
    assert found[:4, :4] == pytest.approx(before - after, abs=1e-4)
    assert len(np.unique(found)) <= 64


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """Pixels, their means and deviations at two scales, one weight each."""
    import keras

    from kerasfaces.models.config import Options
    from kerasfaces.models.zoo import logistic_regression

    config = dataclasses.replace(
        tiny_detector.MODEL,
        name="logistic_regression",
        scales=(1.0, 2.0),
        head=dataclasses.replace(tiny_detector.MODEL.head, standardize=True),
        options=Options(),
    )
    model = logistic_regression.ARCHITECTURE.build(config)
    random = np.random.default_rng(3)
    head = model.get_layer("head")
    head.get_layer("standardize").set_weights(
        [random.normal(size=12), random.uniform(1, 2, 12), np.array(0)]
    )
    head.get_layer("logit").set_weights([random.normal(size=(12, 1)), np.array([0.3])])
    assert isinstance(model, keras.Model)
    folder = tmp_path_factory.mktemp("linear") / "run"
    return subjects.open_subject(tiny_detector.write_run(folder, model, config))


def test_a_cam_is_the_linear_heads_sum_over_positions(linear):
    image = picture(True, 74)
    plugin = load("cam")
    plugin.check(linear)
    found = plugin.explain(linear, image, Options())[0]
    head = linear.network.heads[0]
    _, variance, _ = head.get_layer("standardize").get_weights()
    weights = head.get_layer("logit").get_weights()[0][:, 0] / np.sqrt(variance)
    for number, part in enumerate(found.parts.values()):
        held = linear.network.maps(image)[number].astype(np.float64)
        of_mean = weights[6 * number : 6 * number + 3]
        expected = held @ of_mean / (held.shape[0] * held.shape[1])
        np.testing.assert_allclose(part, expected, rtol=1e-3, atol=1e-6)
    logit = linear.logits(image[None])[0, 0]
    assert sum(found.facts.values()) == pytest.approx(logit, abs=1e-3)
    assert found.facts["logit_of_means"] == pytest.approx(found.map.sum(), abs=1e-3)


def test_a_cam_is_of_linear_heads_behind_means(linear, tmp_path):
    from kerasfaces.models.config import HeadConfig
    from kerasfaces.models.zoo import modified_cnn

    for pooling, units, why in (
        ("mean", (4,), "hidden layers"),
        ("flatten", (), "pooled by Flatten"),
    ):
        config = dataclasses.replace(
            tiny_detector.MODEL,
            pooling=pooling,
            head=HeadConfig(units=units, standardize=False),
        )
        folder = tiny_detector.write_run(
            tmp_path / pooling, modified_cnn.ARCHITECTURE.build(config), config
        )
        with pytest.raises(InputError, match=rf"{why}.*`method='gradcam'`"):
            load("cam").check(subjects.open_subject(folder))


def test_the_loss_gradient_is_the_logits_times_the_losss_slope(subject):
    image = picture(True, 70).astype(np.float32)[None]
    logits = subject.network.exact(image)[0]
    by_pixel = subject.network.gradients_by_pixel(image)
    for is_fake in (False, True):
        slope = 1 / (1 + np.exp(-logits)) - is_fake
        expected = slope[:, None, None, None] * by_pixel
        found = subject.network.loss_gradients(image, is_fake)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-9)


def test_the_learnt_head_alone_has_the_same_map(subject):
    image = picture(True, 70)
    alone = subject.learnt()
    for name in METHODS:
        first, *others = load(name).explain(subject, image, Options())
        (only,) = load(name).explain(alone, image, Options())
        assert len(others) == 2
        np.testing.assert_allclose(only.map, first.map, rtol=1e-3, atol=1e-6)


def test_gradcam_by_hand(linear):
    image = picture(True, 74)
    found = load("gradcam").explain(linear, image, Options(signed=True))[0]
    head = linear.network.heads[0]
    mean, variance, _ = head.get_layer("standardize").get_weights()
    weights = head.get_layer("logit").get_weights()[0][:, 0] / np.sqrt(variance)
    maps = linear.network.maps(image)
    assert [held.shape for held in maps] == [(32, 32, 3), (64, 64, 3)]
    np.testing.assert_allclose(maps[0], image / 127.5 - 1, atol=1e-5)
    for number, (name, part) in enumerate(found.parts.items()):
        assert name == f"last@{number + 1}"
        held = maps[number].astype(np.float64)
        of_mean, of_deviation = np.split(weights[6 * number : 6 * number + 6], 2)
        n = held.shape[0] * held.shape[1]
        centred = held - held.mean(axis=(0, 1))
        slope = of_mean / n + of_deviation * centred / n / held.std(axis=(0, 1))
        offset = (weights * mean)[6 * number : 6 * number + 6].sum() / n
        expected = (held * slope).sum(axis=-1) - offset
        np.testing.assert_allclose(part, expected, rtol=1e-3, atol=1e-6)
    # A linear head's signed map sums to the logit minus that of average features.
    logit = linear.logits(image[None])[0, 0]
    assert found.map.sum(dtype=np.float64) == pytest.approx(logit - 0.3, abs=1e-3)


def test_gradcam_keeps_what_speaks_for_the_verdict(linear):
    image = picture(True, 74)
    plugin = load("gradcam")
    signed = plugin.explain(linear, image, Options(signed=True))[0].map
    fake = plugin.explain(linear, image, Options(toward=1))[0].map
    real = plugin.explain(linear, image, Options(toward=-1))[0].map
    np.testing.assert_array_equal(fake, np.maximum(signed, 0))
    np.testing.assert_array_equal(real, np.minimum(signed, 0))


def test_what_a_method_cannot_explain(linear):
    blind = dataclasses.replace(linear, kind="hog_svm", network=None)
    for name in sorted(set(METHODS) - {"occlusion"}):
        with pytest.raises(InputError, match=r"hog_svm: give `method='occlusion'`"):
            load(name).check(blind)
    load("occlusion").check(blind)


def test_gradcam_refuses_spectra(tmp_path):
    from kerasfaces.models.config import Options
    from kerasfaces.models.zoo import dct_cnn

    config = dataclasses.replace(
        tiny_detector.MODEL, name="dct_cnn", pooling="flatten", options=Options()
    )
    folder = tiny_detector.write_run(
        tmp_path / "run", dct_cnn.ARCHITECTURE.build(config), config
    )
    with pytest.raises(InputError, match="positions are frequencies"):
        load("gradcam").check(subjects.open_subject(folder))


def test_sanity_flags_a_map_of_edges():
    image = picture(True, 75).astype(np.float32).mean(axis=-1)
    edges = np.abs(np.gradient(image)[0])
    assert checks.sanity(edges, [edges, edges]) == pytest.approx(1.0)
    random = np.random.default_rng(0)
    noise = [random.normal(size=edges.shape) for _ in range(2)]
    assert checks.sanity(edges, noise) < checks.ALIKE
    assert checks.sanity(edges, [-edges]) == pytest.approx(1.0)
    assert checks.sanity(edges, []) is None
    assert checks.sanity(np.zeros_like(edges), noise) is None


def test_baselines_are_explained_by_their_scores(tmp_path):
    pytest.importorskip("skimage")
    from kerasfaces.baselines.zoo import hog_svm
    from kerasfaces.core import arrays
    from kerasfaces.core import config as configs
    from kerasfaces.core.files import write_json

    config = hog_svm.CONFIG(model=hog_svm.HogSvm(size_px=SIZE_PX))
    images = np.stack([picture(fake, n) for fake in (False, True) for n in range(12)])
    labels = np.repeat([0.0, 1.0], 12).astype(np.float32)
    fitted = hog_svm.fit(config, lambda at: images[at], labels)
    arrays.write(tmp_path / "model.npz", fitted)
    told = {"train": configs.to_dict(config), "weights": None}
    write_json(tmp_path / "config.json", told)
    write_json(
        tmp_path / "input_spec.json", {"input": configs.to_dict(config.input_spec)}
    )
    subject = subjects.open_subject(tmp_path)
    assert isinstance(subject, subjects.Subject)
    image = picture(True, 40)
    found = load("occlusion").explain(subject, image, Options())
    assert len(found) == 1
    changed = image.copy()
    changed[28:, 28:] = found_ring(image)
    pair = np.stack([image, changed])
    before, after = hog_svm.logits(config, fitted, lambda at: pair[at], 2)
    assert before != after
    assert found[0].map[28:, 28:] == pytest.approx(before - after, abs=1e-5)


def found_ring(image):
    """Return the mean colour round the last patch."""
    near = image[24:, 24:].reshape(-1, 3)
    own = np.indices((8, 8)).min(axis=0).ravel() >= 4
    return near[~own].mean(axis=0).round()


def test_channel_models_are_explained_through_their_stage(tmp_path, monkeypatch):
    from types import SimpleNamespace

    import fake_channels
    import keras

    from kerasfaces.channels import own_process
    from kerasfaces.run.folder import DetectorRun

    names = ("lnp_red", "lnp_green", "lnp_blue")
    entry = keras.Input((32, 32, 3))
    noise = keras.layers.GlobalMaxPooling2D()(entry)
    model = keras.Model(entry, keras.layers.Dense(1, kernel_initializer="ones")(noise))
    run = SimpleNamespace(
        model=SimpleNamespace(
            name="lnp_attention",
            channel_names=names,
            inputs=("lnp",),
            is_rgb=False,
            crops=0,
        ),
        channel_recipe=fake_channels.recipe(),
        input_spec=fake_channels.SPEC,
        limits=None,
        load=lambda: model,
    )
    monkeypatch.setattr(DetectorRun, "network", run)
    monkeypatch.setattr(
        own_process,
        "compute_as",
        lambda files, recipe, folder: fake_channels.make(folder, files),
    )
    (tmp_path / "config.json").write_text('{"train": {"model": {"name": "x"}}}')
    subject = subjects.open_subject(tmp_path)
    with pytest.raises(InputError, match="on channels"):
        load("gradcam").check(subject)
    found = load("occlusion").explain(subject, picture(True, 80), Options())[0].map
    assert np.abs(found[8:, 8:]).max() < np.abs(found[:8, :8]).max()
