"""Numbers in an attribute column become ranges that sort by number."""

import pandas as pd

from kerasfaces.evaluate import slices


def frame(ages):
    return pd.DataFrame({"label": "real", "source": "a", "attr_age": ages})


def test_many_numbers_become_ranges_alike_in_every_split():
    frames = slices.binned(
        {"val": frame([*map(str, range(60)), ""]), "test": frame(["9", "71.5"])}
    )
    assert slices.values(frames["val"], "attr_age")[:3] == [
        "0 to <10",
        "10 to <20",
        "20 to <30",
    ]
    assert list(frames["test"]["attr_age"]) == ["0 to <10", "70 to <80"]
    assert frames["val"]["attr_age"].iloc[-1] == ""


def test_few_numbers_and_words_stay():
    few = {"test": frame(["1", "2", "3"])}
    words = {"test": frame([f"word {i}" for i in range(40)])}
    for frames in (few, words):
        pd.testing.assert_frame_equal(slices.binned(frames)["test"], frames["test"])


def test_a_number_on_an_edge_begins_its_range():
    values = [i / 10 for i in range(17)]
    found = slices.binned({"test": frame([f"{value:g}" for value in values])})
    for value, label in zip(values, found["test"]["attr_age"], strict=True):
        low, high = (float(part) for part in label.split(" to <"))
        assert low <= value < high


def test_ranges_of_large_numbers_stay_apart():
    found = slices.binned({"test": frame([str(10**9 + i) for i in range(80)])})
    assert found["test"]["attr_age"].nunique() == 8
