"""Training sets of one size, the same reals, nothing on two sides."""

import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.crossgen import draw, plan, sources, splits

GENERATORS = ("dream", "gan", "gan2")


@pytest.fixture
def split(make_manifest, tmp_path):
    return splits.make(make_manifest(), [0, 1], tmp_path / "matrix")


def sets():
    found = sources.Sources(
        fake=dict.fromkeys(GENERATORS, 90), few={}, real={"camera": 1, "phone": 1}
    )
    return plan.make(found).training_sets


def part(manifest, split, label):
    rows = manifest.rows
    return rows[(rows["split"] == split) & (rows["label"] == label)]


def test_every_training_set_holds_as_many_images(split):
    size = draw.equal_size([each.rows for each in split.values()], GENERATORS, None)
    smallest = min(
        (part(each, "train", "fake")["source"] == "dream").sum()
        for each in split.values()
    )
    assert size.train == smallest
    for seed, manifest in split.items():
        reals = set()
        for one in sets():
            drawn = draw.draw(manifest, one, GENERATORS, size, seed).manifest
            fakes = part(drawn, "train", "fake")["source"].value_counts()
            assert set(fakes.index) == set(one)
            assert fakes.sum() == size.train
            assert fakes.max() - fakes.min() <= 1
            assert len(part(drawn, "train", "real")) == size.train
            assert len(part(drawn, "val", "fake")) == size.val
            assert set(part(drawn, "val", "fake")["source"]) <= set(one)
            assert set(part(drawn, "test", "fake")["source"]) == set(GENERATORS)
            reals.add(tuple(part(drawn, "train", "real")["path"]))
            tested = part(manifest, "test", "real")["path"]
            assert list(part(drawn, "test", "real")["path"]) == list(tested)
        assert len(reals) == 1


def test_a_smaller_share_is_part_of_a_larger_one(split):
    size = draw.Size(30, 5)
    manifest = split[0]
    every, alone = (
        part(draw.draw(manifest, one, GENERATORS, size, 0).manifest, "train", "fake")
        for one in (GENERATORS, ("gan",))
    )
    assert set(every[every["source"] == "gan"]["path"]) < set(alone["path"])
    other = draw.draw(manifest, ("gan",), GENERATORS, size, 1).manifest
    assert set(part(other, "train", "fake")["path"]) != set(alone["path"])


def test_the_order_of_rows_does_not_matter(split):
    manifest = split[0]
    turned = type(manifest)(
        manifest.rows.iloc[::-1].reset_index(drop=True), manifest.folder
    )
    first, second = (
        draw.draw(each, ("gan",), GENERATORS, draw.Size(30, 5), 0).manifest.rows
        for each in (manifest, turned)
    )
    assert set(first["path"]) == set(second["path"])


def test_nothing_is_on_two_sides(split):
    for manifest in split.values():
        splits.check_apart(manifest)
        sides = manifest.rows[manifest.rows["pair_id"] != ""].groupby("pair_id")
        assert (sides["split"].nunique() == 1).all()


def test_a_split_that_tears_a_pair_is_refused(split, tmp_path):
    rows = split[0].rows.copy()
    members = rows.index[rows["pair_id"] == "3"]
    rows.loc[members[0], "split"] = "train"
    rows.loc[members[1:], "split"] = "test"
    torn = type(split[0])(rows, split[0].folder)
    with pytest.raises(
        InputError, match=r"splits share images: \d times pair id joins"
    ):
        splits.make(torn, [0], tmp_path / "other")


def test_shares_are_as_equal_as_can_be():
    assert draw.shares({"a": 100, "b": 100, "c": 5}, 60) == {"a": 28, "b": 27, "c": 5}
    assert draw.shares({"a": 3, "b": 4}, 100) == {"a": 3, "b": 4}
    assert draw.shares({"a": 3, "b": 4}, None) == {"a": 3, "b": 4}


def test_what_cannot_be_filled_is_said(split):
    rows = [each.rows for each in split.values()]
    assert draw.problem(rows, ("gan",), draw.Size(30, 5)) is None
    said = draw.problem(rows, ("dream",), draw.Size(200, 5))
    assert said.startswith("not run: 6")
    with pytest.raises(InputError, match="`size`: expected at least 2, got 1"):
        draw.equal_size(rows, GENERATORS, 1)
