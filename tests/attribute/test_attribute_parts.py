"""The parts of attribution: classes, head, rejection, numbers."""

import numpy as np
import pytest
from made_up import GENERATORS, make_features, make_rows
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from kerasfaces.attribute import classes, head, measures, openset
from kerasfaces.core.errors import InputError, RunError


def everything(rows):
    return np.ones(len(rows), dtype=bool)


def test_classes_are_real_and_each_generator_with_enough_images():
    rows = make_rows()
    found = classes.find(rows, everything(rows))
    assert found.names == ("real", "autoencoder", "diffusion", "gan")
    assert found.counts["real"] == {"train": 80, "val": 24, "test": 24}
    number = found.of(rows)
    assert set(number[rows["label"] == "real"]) == {0}
    assert set(number[(rows["source"] == "gan").to_numpy()]) == {3}


def test_a_generator_with_three_images_is_named_and_no_class():
    rows = make_rows()
    few = (rows["source"] == "gan").to_numpy()
    keep = ~few | (np.cumsum(few) <= 3)
    rows = rows[keep].reset_index(drop=True)
    found = classes.find(rows, everything(rows))
    assert found.few == ("gan",)
    assert "gan" not in found.names
    assert (
        "gan has too few images to be a class (3 train, 0 val, 0 test" in found.notes[0]
    )
    assert set(found.of(rows)[(rows["source"] == "gan").to_numpy()]) == {
        classes.NO_CLASS
    }


def test_a_source_that_is_both_real_and_fake_is_two_and_said():
    rows = make_rows(reals=("camera", "gan"))
    found = classes.find(rows, everything(rows))
    both = rows["source"] == "gan"
    assert set(found.of(rows)[(both & (rows["label"] == "fake")).to_numpy()]) == {3}
    assert set(found.of(rows)[(both & (rows["label"] == "real")).to_numpy()]) == {0}
    assert "gan has real and fake images" in found.notes[0]


def test_unreadable_images_do_not_count():
    rows = make_rows((21, 12, 12))
    readable = everything(rows)
    readable[np.flatnonzero((rows["source"] == "gan").to_numpy())[:2]] = False
    assert classes.find(rows, readable).few == ("gan",)


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        (make_rows(generators=("real", "gan")), "generator is called 'real'"),
        (make_rows(generators=("unknown",)), "generator is called 'unknown'"),
        (make_rows(reals=()), "needs real images: at least 20 train, 5 val, 5 test"),
        (make_rows(generators=()), "there are no fakes"),
        (
            make_rows((12, 5, 5)),
            "No generator has enough.*gan: 12 train, 5 val, 5 test",
        ),
    ],
)
def test_manifests_that_cannot_be_attributed(rows, match):
    with pytest.raises(InputError, match=match):
        classes.find(rows, everything(rows))


def test_an_unseen_generator_has_not_been_met_through_its_pairs():
    rows = make_rows()
    gan = np.flatnonzero((rows["source"] == "gan").to_numpy())
    assert classes.without(rows, "gan").sum() == 64
    rows["pair_id"] = ""
    rows.loc[gan[:3], "pair_id"] = "a"  # pairs of their own are fine
    assert classes.without(rows, "gan").sum() == 64
    rows.loc[0, "pair_id"] = "a"  # a real training image
    assert classes.without(rows, "gan").sum() == 61
    rows["identity"] = ""
    test_real = np.flatnonzero((rows["split"] == "test") & (rows["label"] == "real"))
    rows.loc[[test_real[0], gan[5]], "identity"] = "me"
    assert classes.without(rows, "gan").sum() == 61


@pytest.mark.parametrize("generators", [GENERATORS, GENERATORS[:1]])
def test_the_head_agrees_with_scikit_learn(generators):
    """Fitted to the end, in float64; two classes have one logit there."""
    rows = make_rows(generators=generators)
    features = make_features(rows, distance=1.0) * 7 + 3
    found = classes.find(rows, everything(rows))
    number = found.of(rows)
    model = head.fit(features, number, found.names, 0.01)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    # scikit-learn minimises C * sum of losses + |w|^2 / 2.
    other = LogisticRegression(
        C=(1 if len(generators) > 1 else 2) / (2 * 0.01 * len(rows)),
        class_weight="balanced",
        max_iter=2000,
        tol=1e-8,
    ).fit(scaled, number)
    theirs = other.decision_function(scaled)
    if len(found.names) == 2:  # one logit: the difference of ours
        theirs = np.stack([-theirs, theirs], axis=1) / 2
    ours, _ = model(features)
    ours, theirs = (z - z.mean(axis=1, keepdims=True) for z in (ours, theirs))
    np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_constant_features_do_no_harm():
    rows = make_rows()
    features = np.concatenate([make_features(rows), np.ones((len(rows), 1))], axis=1)
    found = classes.find(rows, everything(rows))
    features = features.astype(np.float32)
    model = head.fit(features, found.of(rows), found.names, 0.01)
    logits, distances = model(features)
    assert np.isfinite(logits).all()
    assert np.isfinite(distances).all()
    assert [part.shape for part in model(features[:0])] == [(0, 4), (0,)]


def test_a_head_survives_saving_and_damage_is_told(tmp_path):
    rows = make_rows()
    features = make_features(rows)
    found = classes.find(rows, everything(rows))
    model = head.fit(features, found.of(rows), found.names, 0.01)
    model.save(tmp_path / "h.npz")
    again = head.Head.load(tmp_path / "h.npz")
    assert again.names == found.names
    for one, other in zip(again(features), model(features), strict=True):
        np.testing.assert_array_equal(one, other)
    (tmp_path / "h.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(RunError, match=r"h\.npz is damaged"):
        head.Head.load(tmp_path / "h.npz")


def test_distance_is_mahalanobis_to_the_nearest_centre():
    rows = make_rows()
    features = make_features(rows) * 3 + 1
    found = classes.find(rows, everything(rows))
    number = found.of(rows)
    model = head.fit(features, number, found.names, 0.01)
    # With all directions kept it does not matter which they are.
    centres = [features[number == k].mean(axis=0) for k in range(4)]
    off = features - np.array(centres)[number]
    precision = np.linalg.inv(off.T @ off / (len(rows) - 4))
    each = [features - centre for centre in centres]
    expected = np.min([((e @ precision) * e).sum(axis=1) for e in each], axis=0)
    _, distances = model(features)
    np.testing.assert_allclose(distances, expected, rtol=0.03)
    far = features[:1] + 100
    assert model(far)[1][0] > 10 * distances.max()


def test_doubt_ranks_as_the_largest_probability():
    logits = np.random.default_rng(0).normal(0, 3, (50, 4))
    score = openset.doubt(logits)
    largest = openset.probabilities(logits).max(axis=1)
    np.testing.assert_array_equal(np.argsort(score), np.argsort(-largest))
    sure = np.array([[800.0, 0, 0], [900, 0, 0]])
    assert np.diff(openset.doubt(sure)) < 0


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_the_threshold_turns_away_at_most_that_share(rate):
    random = np.random.default_rng(1)
    number = np.repeat([0, 1, 2], [200, 50, 20])
    logits = random.normal(0, 1, (270, 3)) + 2 * np.eye(3)[number]
    far = random.exponential(1, 270)
    point = openset.calibrate(logits, far, number, rate)
    score = point.score(logits, far)
    called = np.array(point.call(logits, score, ("a", "b", "c"))) == "unknown"
    share = np.mean([called[number == k].mean() for k in range(3)])
    assert share == pytest.approx(point.rejected)
    assert rate - 1 / 20 < share <= rate


def test_equal_scores_are_turned_away_together_or_not_at_all():
    logits = np.zeros((10, 2))
    far = np.ones(10)
    point = openset.calibrate(logits, far, np.arange(10) % 2, 0.3)
    assert point.call(logits, point.score(logits, far), ("a", "b")) == ["a"] * 10


def test_rejection_mistakes():
    with pytest.raises(InputError, match="`reject`: expected a share between 0 and 1"):
        openset.calibrate(np.zeros((2, 2)), np.zeros(2), np.array([0, 1]), 1.0)
    with pytest.raises(InputError, match="needs validation images"):
        openset.calibrate(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int))


def test_numbers_agree_with_scikit_learn():
    random = np.random.default_rng(2)
    names = ("real", "gan", "diffusion", "unknown")
    true = random.choice(names[:3], 120, p=[0.6, 0.3, 0.1]).tolist()
    called = [
        own if random.random() < 0.7 else str(random.choice(names)) for own in true
    ]
    matrix = measures.confusion_matrix(true, called, names)
    assert tuple(matrix.index) == names[:3]
    assert matrix.to_numpy().sum() == 120
    found = measures.summary(matrix, resamples=200)
    expected = f1_score(true, called, labels=names[:3], average="macro")
    assert found["macro_f1"]["value"] == pytest.approx(expected)
    assert found["macro_f1"]["low"] < expected < found["macro_f1"]["high"]
    right = np.mean(np.array(true) == np.array(called))
    assert found["accuracy"]["value"] == pytest.approx(right)
    assert set(found["classes"]) == set(names[:3])


def test_a_matrix_without_mistakes_still_has_an_interval():
    matrix = measures.confusion_matrix(
        ["a"] * 30 + ["b"] * 30, ["a"] * 30 + ["b"] * 30, "ab"
    )
    found = measures.summary(matrix, resamples=200)["macro_f1"]
    assert found["value"] == found["high"] == 1
    assert 0.85 < found["low"] < 0.99


def test_a_class_that_was_never_called():
    matrix = measures.confusion_matrix(["a", "b"] * 10, ["a"] * 20, "ab")
    found = measures.summary(matrix, resamples=200)
    assert found["classes"]["b"]["precision"]["value"] is None
    assert "nothing was called this" in found["classes"]["b"]["precision"]["method"]
    assert found["macro_f1"]["value"] == pytest.approx(1 / 3)


def test_auroc_and_its_mean():
    random = np.random.default_rng(3)
    folds = []
    for shift in (0.5, 1.5):
        unknown = np.arange(100) % 4 == 0
        folds.append((unknown, random.normal(0, 1, 100) + shift * unknown))
    values = [roc_auc_score(*fold) for fold in folds]
    assert measures.auroc(*folds[0]).value == pytest.approx(values[0])
    mean = measures.mean_auroc([(~fold[0], *fold) for fold in folds], 200)
    assert mean.value == pytest.approx(np.mean(values))
    assert mean.low < mean.value < mean.high
    assert "no generator" in measures.mean_auroc([]).method
    assert "no unknown" in measures.auroc(np.zeros(3, bool), np.zeros(3)).method
    assert len(GENERATORS) == 3


def test_mean_auroc_of_folds_that_share_their_reals_is_no_surer_than_one():
    unknown = np.arange(200) % 4 == 0
    score = np.random.default_rng(4).normal(0, 1, 200) + unknown
    one, same = (
        measures.mean_auroc([(~unknown, unknown, score)] * n, 2000) for n in (1, 6)
    )
    assert same.high - same.low == pytest.approx(one.high - one.low, rel=0.05)


def test_mean_auroc_without_a_pair_out_of_order_still_has_an_interval():
    unknown = np.arange(40) % 2 == 0
    fold = (~unknown, unknown, unknown + np.linspace(0, 0.1, 40))
    mean = measures.mean_auroc([fold, fold], 200)
    assert mean.value == mean.high == 1
    assert mean.low == pytest.approx(measures.auroc(*fold[1:]).low)
    assert "too few pairs" in mean.method
