"""The discriminant: scikit-learn's where sources do not matter, and what generators share."""

import dataclasses

import numpy as np
import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.features.readers import InMemory
from kerasfaces.models.config import HeadConfig

pytestmark = pytest.mark.tf
CONFIG = HeadConfig(solver="discriminant")


def groups_of(labels, sources):
    return [
        (bool(labels[sources == name][0]), np.flatnonzero(sources == name))
        for name in sorted(set(sources))
    ]


@pytest.mark.parametrize("width", [12, 300])  # either Gram matrix
@pytest.mark.parametrize("shrinkage", [0.2, 10.0])
def test_one_source_per_class_is_scikit_learns(width, shrinkage):
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    from kerasfaces.train import discriminant

    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [60, 90])
    features = random.normal(size=(150, width)).astype(np.float32)
    features += labels[:, None] * random.normal(size=width).astype(np.float32)
    ours = discriminant.direction(features, groups_of(labels, labels), shrinkage, 20.0)
    theirs = LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage=shrinkage / (1 + shrinkage), priors=[0.5, 0.5]
    ).fit(features.astype(np.float64), labels)
    cosine = np.dot(ours, theirs.coef_[0]) / (
        np.linalg.norm(ours) * np.linalg.norm(theirs.coef_[0])
    )
    assert cosine == pytest.approx(1.0, abs=1e-5)


def test_both_gram_matrices_give_one_direction():
    from kerasfaces.train import discriminant

    random = np.random.default_rng(1)
    features = random.normal(size=(40, 30)).astype(np.float32)
    sources = np.repeat(["camera", "a", "b", "c"], 10)
    groups = groups_of((sources != "camera").astype(int), sources)
    wide = np.concatenate([features, np.zeros((40, 30), np.float32)], axis=1)
    narrow = discriminant.direction(features, groups, 1.0, 20.0)
    padded = discriminant.direction(wide, groups, 2.0, 20.0)  # half the mean variance
    np.testing.assert_allclose(padded[:30], narrow, rtol=1e-3, atol=1e-4)


def sources_with_traces():
    """Generators a and b share a trace in feature 0; a has a stronger one in feature 1."""
    random = np.random.default_rng(2)
    sources = np.repeat(["one", "two", "a", "b"], 200)
    features = random.normal(size=(800, 6)).astype(np.float32)
    features[400:, 0] += 1.5
    features[400:600, 1] += 6.0
    return features, (np.arange(800) >= 400).astype(np.float32), sources


def test_what_one_generator_does_alone_is_no_reason():
    from kerasfaces.train import discriminant

    features, labels, sources = sources_with_traces()
    groups = groups_of(labels, sources)
    shares = []
    for between in (0.0, 20.0):
        weights = np.abs(discriminant.direction(features, groups, 0.1, between))
        shares.append(weights[1] / weights[0])
    assert shares[0] > 1.0
    assert shares[1] < 0.1


def trained(features, labels, sources, config=CONFIG, views=1):
    from kerasfaces.models import network
    from kerasfaces.train import discriminant, heads

    head = network.build_head(features.shape[1], config)
    readers = [InMemory(features)] * views
    heads.prepare(head, config, readers, labels, list(sources))
    loss = discriminant.fit(head, config, readers, labels, list(sources))
    return loss, heads.head_logits(head, InMemory(features))


def test_logits_are_calibrated_on_training_and_finite_where_it_is_separated():
    features, labels, sources = sources_with_traces()
    loss, logits = trained(features, labels, sources)
    smoothed = np.where(labels == 1, 401 / 402, 1 / 402)
    expected = np.mean(np.logaddexp(0, logits) - smoothed * logits)
    assert loss == pytest.approx(expected, rel=1e-4)  # sources of one size
    for factor in (0.9, 1.1):  # no other slope is better
        other = np.mean(np.logaddexp(0, factor * logits) - smoothed * factor * logits)
        assert other > loss
    apart = features.copy()
    apart[:, 0] = 100.0 * labels
    _, logits = trained(apart, labels, sources)
    assert np.isfinite(logits).all()
    assert np.abs(logits).max() < 50


def test_a_source_weighs_the_same_whatever_its_number():
    features, labels, sources = sources_with_traces()
    more = np.r_[np.arange(800), np.tile(np.arange(600, 800), 4)]
    _, once = trained(features, labels, sources)
    _, often = trained(features[more], labels[more], sources[more])
    correlation = np.corrcoef(once, often[:800])[0, 1]
    assert correlation > 0.999  # standardisation alone knows of the copies


def test_views_are_more_images_and_identical_ones_change_nothing():
    features, labels, sources = sources_with_traces()
    _, once = trained(features, labels, sources)
    _, twice = trained(features, labels, sources, views=2)
    np.testing.assert_allclose(twice, once, rtol=0.02, atol=0.02)  # Platt's counts


def test_constant_features_are_no_fault():
    labels = np.repeat([0, 1], 5).astype(np.float32)
    _, logits = trained(np.ones((10, 4), np.float32), labels, labels.astype(str))
    np.testing.assert_allclose(logits, 0, atol=1e-6)


@pytest.mark.parametrize(
    "other", [{"units": (8,)}, {"dropout": 0.5}, {"output": "softmax"}]
)
def test_what_the_discriminant_does_not_have_is_refused(other):
    with pytest.raises(InputError, match="discriminant is one linear layer"):
        dataclasses.replace(CONFIG, **other)
