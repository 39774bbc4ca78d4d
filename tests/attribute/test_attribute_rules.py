"""Which rule a generator left out meets: chosen without a look at it, whatever it is."""

import itertools

import numpy as np
import pandas as pd
import pytest
from made_up import WIDTH, make_features, make_images, make_rows

from kerasfaces.attribute import classes, head, openset
from kerasfaces.attribute.run import Config, measured
from kerasfaces.metrics import auc
from kerasfaces.run.folder import AttributionRun

QUICK = Config(resamples=100)
GENERATORS = ("autoencoder", "diffusion", "gan")


def attributed(folder, rows, features):
    return measured(make_images(rows, features), AttributionRun(folder), QUICK)


def rules_of(content):
    return {fold["generator"]: fold["rule"] for fold in content["left_out"]}


def hard_features(rows, seed):
    """Return features by which no rule is best for all generators."""
    random = np.random.default_rng(seed)
    features = make_features(rows, distance=random.uniform(1, 5), seed=seed)
    for name in GENERATORS:
        own = (rows["source"] == name).to_numpy()
        features[own] += random.normal(0, 1.0, WIDTH).astype(np.float32)
        features[own] *= random.uniform(0.4, 1.8)
    return features


CHANGES = {
    "far away": lambda part, random: part + random.choice([-30.0, 30.0], WIDTH),
    "like the reals": lambda part, random: random.normal(0, 1, part.shape),
    "enormous": lambda part, random: part * 1e3,
    "all alike": lambda part, random: np.ones_like(part) * part[:1],
}


@pytest.mark.parametrize("seed", range(4))
def test_the_rule_a_generator_meets_does_not_depend_on_it(tmp_path, seed):
    """Its validation rows are changed in every way: its own fold's rule stays."""
    rows = make_rows((20, 8, 8))
    random = np.random.default_rng(seed)
    features = hard_features(rows, seed)
    name = GENERATORS[seed % 3]
    before = rules_of(attributed(tmp_path / "before", rows, features))
    at = ((rows["source"] == name) & (rows["split"] == "val")).to_numpy()
    for how, change in CHANGES.items():
        other = features.copy()
        other[at] = change(features[at], random)
        after = rules_of(attributed(tmp_path / how, rows, other))
        assert after[name] == before[name], (name, how)


def test_neither_do_its_training_rows_nor_how_it_is_joined_to_others(tmp_path):
    rows = make_rows((20, 8, 8))
    features = hard_features(rows, 1)
    name = GENERATORS[1]
    own = (rows["source"] == name).to_numpy()
    other = features.copy()
    other[own] = np.random.default_rng(0).normal(0, 9, (own.sum(), WIDTH))
    before = rules_of(attributed(tmp_path / "before", rows, features))
    assert rules_of(attributed(tmp_path / "after", rows, other))[name] == before[name]
    val = (rows["split"] == "val") & (rows["label"] == "fake") & ~own
    joined = rows.assign(identity=np.where(own, "one", np.where(val, "one", "")))
    apart = rows.assign(identity=np.where(val, "one", ""))
    with_it, without = (
        rules_of(attributed(tmp_path / str(kind), part, other))
        for kind, part in enumerate((joined, apart))
    )
    assert with_it[name] == without[name]


def slow_rule(rows, features, absent):
    """Choose the rule of a head that has not seen `absent`, written out."""
    split, truth = rows["split"].to_numpy(), np.array(classes.truth(rows))
    known = [name for name in GENERATORS if name not in absent]
    scores = {rule: [] for rule in openset.RULES}
    for new in known:
        names = ("real", *(name for name in known if name != new))
        if len(names) == 1:
            continue
        number = np.array([names.index(t) if t in names else -1 for t in truth])
        train = (number >= 0) & (split == "train")
        val = (number >= 0) & (split == "val")
        model = head.fit(features[train], number[train], names, QUICK.l2)
        logits, distances = model(features)
        shown = val | ((truth == new) & (split == "val"))
        for rule in openset.RULES:
            point = openset.calibrate(
                logits[val],
                distances[val],
                number[val],
                QUICK.reject,
                rule,
            )
            unknown = point.score(logits[shown], distances[shown])
            scores[rule].append(auc(truth[shown] == new, unknown))
    if not scores["doubt"]:
        return "doubt"
    return max(openset.RULES, key=lambda rule: np.mean(scores[rule]))


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_second_implementation_chooses_the_same(tmp_path, seed):
    rows = make_rows((20, 8, 8))
    features = hard_features(rows, seed)
    content = attributed(tmp_path, rows, features)
    assert content["open_set"]["rule"] == slow_rule(rows, features, ())
    for name, rule in rules_of(content).items():
        assert rule == slow_rule(rows, features, (name,)), name


def test_of_two_generators_each_meets_doubt(tmp_path):
    """A head without both would have nothing to tell real images from."""
    rows = make_rows((20, 8, 8), generators=GENERATORS[:2])
    for seed in range(3):
        content = attributed(tmp_path / str(seed), rows, hard_features(rows, seed))
        assert set(rules_of(content).values()) == {"doubt"}
        assert len(list((tmp_path / str(seed)).glob("heads/*[0-9].npz"))) == 3


def test_images_known_from_a_generator_that_is_left_out_too_are_new():
    rows = pd.DataFrame(
        itertools.product(["fake"], GENERATORS, ["train", "val"]),
        columns=["label", "source", "split"],
    ).assign(identity=["a", "b", "a", "c", "", ""])
    assert classes.without(rows, "autoencoder").tolist() == [
        *(False, True, False, False, False, False)
    ]
    fresh = classes.without(rows, "autoencoder", ("diffusion",))
    assert fresh.tolist() == [True, True, False, False, False, False]
