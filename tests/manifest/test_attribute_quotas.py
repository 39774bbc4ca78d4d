"""How many images of each combination of attributes to take, and how each weighs."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.manifest.attribute_quotas import quotas, weights

available = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")),
    st.integers(1, 30),
    min_size=2,
)


@given(
    available, st.integers(1, 120), st.lists(st.floats(0.1, 1), min_size=5, max_size=5)
)
@settings(derandomize=True, deadline=None, max_examples=80)
def test_no_exchange_of_two_images_would_come_nearer(counts, want, parts):
    first, second = sum(parts[:2]), sum(parts[2:])
    wanted = {
        "p": {"a": parts[0] / first, "b": parts[1] / first},
        "q": dict(zip("xyz", (part / second for part in parts[2:]), strict=True)),
    }
    taken = quotas(counts, wanted, want)
    total = sum(taken.values())
    assert total == min(want, sum(counts.values()))
    assert all(0 <= taken[cell] <= n for cell, n in counts.items())

    def distance(take):
        return sum(
            (sum(n for cell, n in take.items() if cell[at] == value) - share * total)
            ** 2
            for at, values in enumerate(wanted.values())
            for value, share in values.items()
        )

    for a, b in itertools.permutations(counts, 2):
        if taken[a] > 0 and taken[b] < counts[b]:
            moved = taken | {a: taken[a] - 1, b: taken[b] + 1}
            assert distance(moved) >= distance(taken) - 1e-6


def test_weights_of_cells_agree_with_a_solution_by_hand():
    fitted = weights({("a",): 30, ("b",): 10}, {"p": {"a": 0.5, "b": 0.5}})
    assert fitted == pytest.approx({("a",): 2 / 3, ("b",): 2.0})
