"""Views that training sees, and what sources weigh."""

import dataclasses

import numpy as np
import pytest

from kerasfaces import manifest as manifests
from kerasfaces.core.errors import InputError
from kerasfaces.manifest.table import Manifest
from kerasfaces.models.config import HeadConfig, ModelConfig
from kerasfaces.models.zoo import mobilenetv2
from kerasfaces.train import channels, fit, views
from kerasfaces.train import data as datasets
from kerasfaces.train.config import TrainConfig

pytestmark = pytest.mark.tf

SMALL = TrainConfig(
    model=ModelConfig(
        size_px=32,
        taps=("block_1_expand_relu",),
        pooling="mean_std",
        options=mobilenetv2.Options(alpha=0.35),
        head=HeadConfig(l2=1e-3),
    ),
    epochs=2,
    batch_size=8,
    views=3,
    launder=1.0,
)


@pytest.fixture
def paired(tiny_manifest):
    """The n-th real and the n-th fake are a pair."""
    rows = tiny_manifest.rows
    numbers = [path.rpartition("/")[2] for path in rows["path"]]
    return Manifest(rows.assign(pair_id=numbers), tiny_manifest.folder)


def test_the_first_view_is_the_image_and_a_pair_shares_the_others(paired):
    data = datasets.load(paired, SMALL.input_spec)
    rows = data.readable("train")
    plain, first, second = views.training_views(SMALL, data, rows)
    assert plain.arrays is data.images.store
    assert plain.keys == data.keys(rows)
    assert first.arrays is second.arrays
    assert not set(first.keys) & set(second.keys)
    pictures = views._pictures(data, rows, data.keys(rows))
    keys = {picture.key for picture in pictures}
    assert len(keys) == len(rows) / 2


def test_training_reads_laundered_features_and_finds_them_again(
    paired, tiny_weights, tmp_path, monkeypatch
):
    weights = mobilenetv2.ARCHITECTURE.find_weights(str(tiny_weights))
    data = datasets.load(paired, SMALL.input_spec)
    plain = dataclasses.replace(SMALL, launder=0.0)
    first = fit.train(plain, data, weights, tmp_path / "plain")
    second = fit.train(SMALL, data, weights, tmp_path / "laundered")
    assert second.facts["features_cached"] == len(data.rows)
    assert first.history[-1]["loss"] != second.history[-1]["loss"]
    monkeypatch.setattr(
        "kerasfaces.dataset.laundered.make_views", lambda *_, **__: "again"
    )
    again = fit.train(SMALL, data, weights, tmp_path / "again")
    n_train = len(data.readable("train"))
    assert again.facts["features_cached"] == len(data.rows) + 2 * n_train
    np.testing.assert_array_equal(again.logits["test"], second.logits["test"])


@pytest.mark.slow
def test_end_to_end_training_sees_every_view(paired, tmp_path, monkeypatch):
    seen = []
    whole = dataclasses.replace(SMALL, epochs=4)
    data = datasets.load(paired, whole.input_spec)
    phase = fit.Phase

    def watched(**fields):
        seen.append(fields["source"])
        return phase(**fields)

    monkeypatch.setattr(fit, "Phase", watched)
    fit.train(whole, data, None, tmp_path)
    (source,) = seen
    first, second, third, fourth = (
        source.batch(epoch, np.arange(4))[0] for epoch in range(4)
    )
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)
    np.testing.assert_array_equal(first, fourth)


def test_what_cannot_be_laundered_is_refused_before_any_work(tmp_path):
    one = dataclasses.replace(SMALL, views=1)
    with pytest.raises(InputError, match="launder: the first view is the image itself"):
        channels.check(one, None)
    with pytest.raises(InputError, match="launder: pictures are laundered"):
        channels.check(SMALL, tmp_path)
    with pytest.raises(InputError, match=r"launder: expected 0\.\.1"):
        dataclasses.replace(SMALL, launder=1.5)


def test_sources_weigh_by_the_square_root_of_their_number():
    labels = np.repeat([0, 1, 1], [10, 16, 4]).astype(np.float32)
    names = ["camera"] * 10 + ["large"] * 16 + ["small"] * 4
    config = dataclasses.replace(SMALL, weigh_sources="sqrt")
    weights = views.source(config, labels, [], names).weights
    assert weights.dtype == np.float32
    totals = {name: weights[np.array(names) == name].sum() for name in set(names)}
    assert totals["large"] / totals["small"] == pytest.approx(2.0)
    assert totals["camera"] == pytest.approx(15.0)
    assert sum(totals.values()) == pytest.approx(30.0)
    uneven = dataclasses.replace(config, class_weights=False)
    weights = views.source(uneven, labels, [], names).weights
    assert weights[labels == 1].sum() == pytest.approx(20.0)
    alike = dataclasses.replace(config, weigh_sources="equal")
    weights = views.source(alike, labels, [], names).weights
    assert weights[10:26].sum() == pytest.approx(weights[26:].sum())
    assert weights.sum() == pytest.approx(30.0)
    plain = dataclasses.replace(config, weigh_sources="images")
    assert set(views.source(plain, labels, [], names).weights[labels == 1]) == {0.75}


def test_images_weigh_by_a_column_within_their_class(tmp_path):
    path = tmp_path / "m.csv"
    cells = ["1", "3", "2", "2"]
    labels = ["real", "real", "fake", "fake"]
    lines = [f"{i}.png,{labels[i]},x,train,{cells[i]}" for i in range(4)]
    path.write_text("\n".join(["path,label,source,split,weight", *lines]))
    data = datasets.Data(manifests.read(path), None)
    rows = np.arange(4)
    own = data.weights("weight", rows)
    assert own.tolist() == [0.5, 1.5, 1.0, 1.0]
    config = dataclasses.replace(SMALL, weight_column="weight")
    got = views.source(config, data.labels(rows), [], data.sources(rows), own)
    assert got.weights.tolist() == [0.5, 1.5, 1.0, 1.0]
    assert data.weights("", rows) is None
    with pytest.raises(InputError, match="no column 'shoes'"):
        data.weights("shoes", rows)
    with pytest.raises(InputError, match="weight_column: studies"):
        views.source(config, data.labels(rows), [], data.sources(rows))
    with pytest.raises(InputError, match="weight_column: the protocol `unseen`"):
        dataclasses.replace(config, protocol="unseen")


@pytest.mark.parametrize("cell", ["", "0", "-1", "inf", "much"])
def test_a_weight_is_a_positive_number(tmp_path, cell):
    path = tmp_path / "m.csv"
    path.write_text(f"path,label,source,split,weight\na.png,real,x,train,{cell}\n")
    data = datasets.Data(manifests.read(path), None)
    with pytest.raises(InputError, match="1 training rows have no positive number"):
        data.weights("weight", np.arange(1))


def test_a_family_stands_for_its_sources(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text(
        "path,label,source,family\na.png,fake,stylegan2,stylegan\nb.png,fake,sd,\n"
        "c.png,real,camera,\n"
    )
    manifest = manifests.read(path)
    assert manifests.table.families(manifest.rows) == ["stylegan", "sd", "camera"]
    path.write_text('path,label,source,family\na.png,fake,g," stylegan"\n')
    with pytest.raises(InputError, match=r"bad family in line 2: expected a name"):
        manifests.read(path)
