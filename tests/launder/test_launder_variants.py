import pytest

from kerasfaces.core.errors import InputError
from kerasfaces.images.launderings import LAUNDERINGS
from kerasfaces.launder import variants


def test_everything_is_every_laundering_at_every_strength():
    names = [each.name for each in variants.of()]
    assert names[0] == "untouched"
    expected = [
        f"{name} {strength:g}"
        for name, each in LAUNDERINGS.items()
        for strength in each.strengths
    ]
    assert names[1:] == expected


def test_some_of_them_and_a_strength_between():
    names = [each.name for each in variants.of(["blur", "jpeg:77", "jpeg:77"])]
    assert names == [
        "untouched",
        "blur 0.5",
        "blur 1",
        "blur 1.5",
        "blur 2.5",
        "jpeg 77",
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("jpg", r"laundering.*'jpg'.*jpeg"),
        ("jpeg:20", r"'jpeg:20' is out of range; expected jpeg:30 to jpeg:90"),
        ("jpeg:much", r"strength in 'jpeg:much' is no number"),
        ("jpeg:nan", "out of range"),
    ],
)
def test_mistakes(name, message):
    with pytest.raises(InputError, match=message):
        variants.of([name])
