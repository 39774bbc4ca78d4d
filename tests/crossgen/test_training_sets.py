"""Training sets of one size, the same reals, nothing on two sides."""

import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.crossgen import training_sets
from kerasfaces.crossgen.plan import Plan, Sources

GENERATORS = ("dream", "gan", "gan2")


@pytest.fixture
def split(make_manifest, tmp_path):
    return training_sets.splits(make_manifest(), [0, 1], tmp_path / "matrix")


def sets():
    found = Sources(
        fake=dict.fromkeys(GENERATORS, 90), few={}, real={"camera": 1, "phone": 1}
    )
    return Plan.of(found).training_sets


def part(manifest, split, label):
    rows = manifest.rows
    return rows[(rows["split"] == split) & (rows["label"] == label)]


def test_every_training_set_holds_as_many_images(split):
    size = training_sets.equal_size(
        [each.rows for each in split.values()], GENERATORS, None
    )
    smallest = min(
        (part(each, "train", "fake")["source"] == "dream").sum()
        for each in split.values()
    )
    assert size.train == smallest
    for seed, manifest in split.items():
        reals = set()
        for one in sets():
            drawn = training_sets.draw(manifest, one, GENERATORS, size, seed).manifest
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
    size = training_sets.Size(30, 5)
    manifest = split[0]
    every, alone = (
        part(
            training_sets.draw(manifest, one, GENERATORS, size, 0).manifest,
            "train",
            "fake",
        )
        for one in (GENERATORS, ("gan",))
    )
    assert set(every[every["source"] == "gan"]["path"]) < set(alone["path"])
    other = training_sets.draw(manifest, ("gan",), GENERATORS, size, 1).manifest
    assert set(part(other, "train", "fake")["path"]) != set(alone["path"])


def test_the_order_of_rows_does_not_matter(split):
    manifest = split[0]
    turned = type(manifest)(
        manifest.rows.iloc[::-1].reset_index(drop=True), manifest.folder
    )
    first, second = (
        training_sets.draw(
            each, ("gan",), GENERATORS, training_sets.Size(30, 5), 0
        ).manifest.rows
        for each in (manifest, turned)
    )
    assert set(first["path"]) == set(second["path"])


def test_nothing_is_on_two_sides(split):
    for manifest in split.values():
        training_sets.check_apart(manifest)
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
        training_sets.splits(torn, [0], tmp_path / "other")


def test_shares_are_as_equal_as_can_be():
    assert training_sets.shares({"a": 100, "b": 100, "c": 5}, 60) == {
        "a": 28,
        "b": 27,
        "c": 5,
    }
    assert training_sets.shares({"a": 3, "b": 4}, 100) == {"a": 3, "b": 4}
    assert training_sets.shares({"a": 3, "b": 4}, None) == {"a": 3, "b": 4}


def test_what_cannot_be_filled_is_said(split):
    rows = [each.rows for each in split.values()]
    assert training_sets.problem(rows, ("gan",), training_sets.Size(30, 5)) is None
    said = training_sets.problem(rows, ("dream",), training_sets.Size(200, 5))
    assert said.startswith("not run: 6")


def test_a_size_that_no_training_set_reaches_is_refused(split):
    rows = [each.rows for each in split.values()]
    most = min((part(each, "train", "fake")).shape[0] for each in split.values())
    training_sets.check_size(rows, sets(), most)
    with pytest.raises(InputError, match=f"`size`: expected at most {most}, got"):
        training_sets.check_size(rows, sets(), most + 1)
