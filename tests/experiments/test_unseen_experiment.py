"""The experiment on unseen families: what is chosen, on what, and what its numbers are."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from experiments.framework.runner import Context
from experiments.unseen import experiment, leaving_out, pairs, selection, tuning
from experiments.unseen.configurations import (
    ALL,
    BASELINE,
    CROPPED,
    DISCRIMINANT,
    TUNED,
    variants,
)
from experiments.unseen.heads import Camera, Heads, averaged
from kerasfaces.manifest import Manifest

pytestmark = pytest.mark.tf


def heads(offset=0.0, val_offset=0.0):
    """Two families of four fakes against two real sources of ten and two photos."""
    sources = ["a"] * 10 + ["b"] * 2 + ["gan"] * 4 + ["vae"] * 4
    fake = np.array([False] * 12 + [True] * 8)
    logits = np.concatenate(
        [np.zeros(10), np.ones(2), np.full(4, 0.5), np.full(4, 2.0)]
    )
    fakes = fake.astype(float)
    logits = {"val": logits + val_offset * fakes, "test": logits + offset * fakes}
    families = np.array(sources)
    return Heads(
        {split: {"gan": each, "vae": each} for split, each in logits.items()},
        dict.fromkeys(("val", "test"), fake),
        dict.fromkeys(("val", "test"), families),
        dict.fromkeys(("val", "test"), families),
    )


def test_every_real_source_weighs_alike():
    each = heads()
    assert each.names == ["gan", "vae"]
    assert each.auc("gan") == pytest.approx((1.0 + 0.0) / 2)  # above a, below b
    assert each.auc("vae") == 1.0
    assert each.threshold("gan") == 1.0  # a hundredth of both sources is one of b
    assert each.recall_at_one("vae") == 1.0
    assert each.recall_at_one("gan") == 0.0
    assert each.recall("vae") == 1.0
    assert each.recall("gan") == 0.5  # above a's own threshold, below b's
    assert each.false_alarms("gan") == 0.0


def test_one_variant_is_chosen_by_validation_whatever_test_says():
    results = {
        BASELINE: {0: heads()},
        "better on test": {0: heads(5.0, val_offset=-5.0)},
    }
    notes = []
    rows = list(experiment._tables(results, "", notes))
    assert "Chosen on validation for all families: baseline" in notes[0]
    chosen = {
        (row.row, row.metric): row.ours[0].value
        for row in rows
        if row.table == "chosen"
    }
    assert chosen["gan", "auc"] == 0.5
    assert chosen[experiment.WORST, "auc"] == 0.5
    assert chosen[experiment.MEAN, "auc"] == 0.75
    tables = {(row.row, row.metric): row.ours[0].value for row in rows}
    assert tables["better on test", "worst auc"] == 1.0
    assert tables["better on test, gan", "auc difference"] > 0


def test_stylegans_are_one_family_only_where_there_are_several(tmp_path):
    rows = pd.DataFrame(
        {
            "path": ["1", "2", "3"],
            "label": ["fake", "fake", "fake"],
            "source": ["stylegan", "portrait_gan", "progan"],
            "split": "",
        }
    )
    manifest = Manifest(rows, tmp_path)
    assert leaving_out.merges(manifest)
    family = leaving_out.merged(manifest).rows["family"].tolist()
    assert family == ["stylegans", "stylegans", "progan"]
    alone = Manifest(rows.iloc[1:].reset_index(drop=True), tmp_path)
    assert not leaving_out.merges(alone)


@pytest.fixture
def photos(tmp_path):
    rows = pd.DataFrame(
        {
            "path": ["a.jpg", "b.jpg", "gan.jpg"],
            "label": ["real", "real", "fake"],
            "source": ["camera", "camera", "gan"],
            "split": ["train", "test", "train"],
            "sha256": ["aa", "bb", "cc"],
        }
    )
    return Manifest(rows, tmp_path)


@pytest.fixture
def generated(tmp_path):
    rows = pd.DataFrame(
        {
            "path": ["/x/ra.jpg", "/x/fa.jpg", "/x/rb.jpg", "/x/fb.jpg"],
            "label": ["real", "fake"] * 2,
            "source": ["camera", "codec"] * 2,
            "split": "",
            "pair_id": ["1", "1", "2", "2"],
            "original_sha256": ["aa", "aa", "bb", "bb"],
        }
    )
    return Manifest(rows, tmp_path)


def test_only_pairs_of_training_photos_are_trained_on(photos, generated, tmp_path):
    joined = pairs.joined(photos, generated).rows
    own = [str(tmp_path / name) for name in ("a.jpg", "b.jpg", "gan.jpg")]
    assert joined["path"].tolist() == [*own, "/x/ra.jpg", "/x/fa.jpg"]
    assert joined["split"].tolist() == ["train", "test", "train", "train", "train"]


def test_blocks_are_trained_on_photos_and_their_pairs_alone(photos, generated):
    rows = tuning.photos_and_pairs(photos, generated).rows
    assert set(rows["source"]) == {"camera", "codec"}
    by_split = rows.groupby("split")["path"].apply(list)
    assert by_split["train"][1:] == ["/x/ra.jpg", "/x/fa.jpg"]
    assert by_split["test"][1:] == ["/x/rb.jpg", "/x/fb.jpg"]
    merged = tuning.photos_and_pairs(leaving_out.merged(photos), generated)
    pd.testing.assert_frame_equal(merged.rows, rows)  # one training serves both


def test_what_trains_end_to_end_has_three_splits(tmp_path, write_manifest):
    from kerasfaces import manifest as manifests

    context = Context(
        manifest=manifests.read(write_manifest(n=24)),
        folder=tmp_path,
        weights={"mobilenetv2": "imagenet", "efficientnet_lite0": "imagenet"},
        seeds=(0, 1, 2, 3, 4),
    )
    tuned = variants(context, native=False)[TUNED]
    assert tuned.of(context.seeds) == (0, 1, 2)
    assert tuned.config.patience is None  # no epoch is chosen on a generator's images


def test_one_change_at_a_time(tmp_path, write_manifest):
    from kerasfaces import manifest as manifests

    context = Context(
        manifest=manifests.read(write_manifest(n=24)),
        folder=tmp_path,
        weights={"mobilenetv2": "imagenet", "efficientnet_lite0": "imagenet"},
        seeds=(0,),
    )
    every = variants(context, native=True)
    assert next(iter(every)) == BASELINE
    assert list(every)[-1] == ALL
    assert "native crops" not in variants(context, native=False)
    plain, linear = every[BASELINE], every[DISCRIMINANT]
    for name, field, base in (
        ("square-root weights", "weigh_sources", plain),
        ("laundering", "launder", linear),
    ):
        changed = dataclasses.replace(
            every[name].config,
            **{field: getattr(base.config, field)},
            views=base.config.views,
        )
        assert changed == base.config
    assert every["unseen objective"].config == linear.config
    assert every["aligned fakes"] == dataclasses.replace(every[CROPPED], pairs=True)
    pairs_only = variants(context, native=False)["aligned fakes"]
    assert pairs_only == dataclasses.replace(linear, pairs=True)


def test_heads_are_averaged_in_units_of_their_own_photos():
    small, large = heads(), heads()
    large = dataclasses.replace(
        large,
        logits={
            split: {family: 100 * each[::-1] + 7 for family, each in by_family.items()}
            for split, by_family in large.logits.items()
        },
    )
    both = averaged([small, large])
    for split in ("val", "test"):
        units = []
        for each in (small, large):
            logits = each.logits[split]["gan"]
            photos = each.logits["val"]["gan"][~each.fake["val"]]
            units.append((logits - photos.mean()) / photos.std())
        np.testing.assert_allclose(both.logits[split]["gan"], np.mean(units, 0))
    assert averaged([small]).auc("vae") == small.auc("vae")


def shifted(**offsets):
    """Heads whose fakes of one family lie higher on validation."""
    each = heads()
    fake = each.fake["val"]
    val = {
        family: logits
        + offsets.get(family, 0.0) * (fake & (each.families["val"] == family))
        for family, logits in each.logits["val"].items()
    }
    return dataclasses.replace(each, logits={**each.logits, "val": val})


def test_variants_are_averaged_while_validation_gains():
    variants = {
        "knows neither": {0: shifted(vae=-9.0), 1: shifted(vae=-9.0)},
        "knows vae": {0: shifted(), 1: shifted()},
        "knows gan": {0: shifted(gan=5.0, vae=-1.7), 1: shifted(gan=5.0, vae=-1.7)},
    }
    names = selection.select(variants)
    assert names == ["knows vae", "knows gan"]
    both = selection.mean(variants, names)
    assert sorted(both) == [0, 1]
    assert all(both[0].objective > each[0].objective for each in variants.values())
    alone = selection.select({"one": variants["knows vae"]})
    assert alone == ["one"]
    assert selection.select({}) == []


def test_photos_of_a_camera_left_out_are_held_against_the_others():
    others, sources = np.arange(200.0), np.repeat(["a", "b"], 100)
    camera = Camera(np.r_[np.zeros(100), np.full(50, 198.5)], others, sources)
    assert camera.flagged.sum() == 50
    assert camera.flagged_calibrated().tolist() == [True] * 50
    at_home = Camera(np.full(150, 198.5), others, sources)
    assert not at_home.flagged_calibrated().any()
    both = averaged(
        [
            dataclasses.replace(heads(), cameras={"c": each})
            for each in (camera, at_home)
        ]
    )
    assert both.cameras["c"].flagged.sum() == 50


def test_a_pairs_fake_belongs_to_its_photos_camera():
    rows = pd.DataFrame(
        {
            "label": ["real", "real", "fake", "fake"],
            "source": ["camera", "other", "codec", "gan"],
            "pair_id": ["", "7", "7", ""],
        }
    )
    assert leaving_out._cameras(rows).tolist() == ["camera", "other", "other", ""]


def test_some_training_rows():
    from kerasfaces.features.readers import InMemory
    from kerasfaces.train.examples import Examples

    examples = Examples(
        train=[InMemory(np.arange(3, dtype=np.float32)[:, None])],
        train_labels=np.array([0, 1, 1], np.float32),
        train_sources=["camera", "gan", "codec"],
        train_families=["camera", "g", "codec"],
        val=InMemory(np.zeros((2, 1), np.float32)),
        val_labels=np.array([0, 1], np.float32),
        val_families=["camera", "gan"],
        engine="none",
    )
    left = leaving_out._only(examples, np.array([0, 2]))
    assert left.train_sources == left.train_families == ["camera", "codec"]
    assert left.train[0](np.arange(2))[:, 0].tolist() == [0, 2]
