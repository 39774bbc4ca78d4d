"""Which training sets there are, and what a user can get wrong."""

import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.crossgen import plan
from kerasfaces.crossgen.plan import Plan, Sources


def test_a_matrix_has_singles_all_and_all_but_one(make_manifest):
    made = Plan.of(Sources.of(make_manifest().rows))
    names = [made.folder_name(one) for one in made.training_sets]
    assert names == [
        *("dream", "gan", "gan2", "all"),
        *("all-but-dream", "all-but-gan", "all-but-gan2"),
    ]
    assert len(made.cells) == 9 + 3 + 3


def test_with_two_generators_all_but_one_is_the_other(make_manifest):
    made = Plan.of(Sources.of(make_manifest({"a": 60, "b": 60}).rows))
    assert made.training_sets == [("a",), ("b",), ("a", "b")]


def test_one_generator_has_only_its_own_cell(make_manifest):
    made = Plan.of(Sources.of(make_manifest({"a": 60}).rows))
    assert [cell.table for cell in made.cells] == [plan.MATRIX]


def test_a_source_that_is_real_and_fake_is_an_error(make_manifest):
    rows = make_manifest({"gan": 60, "phone": 60}).rows
    with pytest.raises(
        InputError, match=r"source 'phone' is real in 120 rows and fake in 60"
    ):
        Sources.of(rows)


def test_few_images_are_named_not_used(make_manifest):
    found = Sources.of(make_manifest({"gan": 60, "tiny": 3}).rows)
    assert found.few == {"tiny": 3}
    assert list(found.fake) == ["gan"]
    with pytest.raises(InputError, match=r"No generator has 50 .*tiny 3"):
        Sources.of(make_manifest({"tiny": 3}).rows)


def test_pairings(make_manifest):
    found = Sources.of(make_manifest().rows)
    made = Plan.of(found, plan.parse(["gan,gan2"], ["dream"]))
    assert made.training_sets == [("gan", "gan2")]
    tested = [cell.tested for cell in made.cells]
    assert tested == ["gan+gan2", "dream", "gan", "gan2"]


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (["gan"], [], "`train` was given 1 times and `test` 0 times"),
        (["gan,,"], ["dream"], "expected names"),
        (["gann"], ["dream"], "no generator 'gann'.*Did you mean 'gan2?'"),
        (["gan"], ["camera"], r"no generator 'camera' \(it is a real source\)"),
    ],
)
def test_mistakes_in_pairings(make_manifest, train, test, message):
    found = Sources.of(make_manifest().rows)
    with pytest.raises(InputError, match=message):
        Plan.of(found, plan.parse(train, test))


@pytest.mark.parametrize("name", ["a/b", "..", "ü 🙂", "x" * 200, "all"])
def test_folder_names_are_safe_and_distinct(name):
    others = ("one", "two", "three")
    whole = Plan((name, *others), ())
    folder = whole.folder_name((name,))
    assert "/" not in folder
    assert folder.strip(".")
    assert len(folder) < 90
    every = {whole.folder_name((each,)) for each in (name, *others)}
    assert len(every) == 4


def test_the_order_of_names_makes_no_other_training_set():
    found = Sources(fake=dict.fromkeys("abc", 90), few={}, real={"camera": 9})
    made = Plan.of(found, plan.parse(["a,b", "b,a"], ["c", "c"]))
    assert made.training_sets == [("a", "b")]
