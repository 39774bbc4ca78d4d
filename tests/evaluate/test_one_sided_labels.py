"""Words for a direction are used where the interval shows that direction, and both ways."""

from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasfaces.crossgen import page
from kerasfaces.crossgen.cells import CellResult
from kerasfaces.crossgen.plan import MATRIX, Cell
from kerasfaces.evaluate.sections import groups
from kerasfaces.explain import checks

limits = st.lists(st.floats(0.01, 0.99), min_size=3, max_size=3, unique=True)


@given(limits)
@settings(derandomize=True, deadline=None)
def test_a_cell_is_called_below_chance_only_where_its_interval_is(drawn):
    low, value, high = sorted(drawn)
    auc = {"value": value, "low": low, "high": high, "sd": None}
    cell = Cell(table=MATRIX, train=("a",), test=("b",), name="a")
    result = CellResult(cell=cell, status="run", metrics={"auc": auc})
    told = page.headline(SimpleNamespace(cells=[result]))
    assert ("ranks these fakes below the reals" in told) == (high < 0.5)


@given(st.lists(st.floats(-1, 1), min_size=5, max_size=9), st.floats(-1.5, 1.5))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_maps_worse_than_chance_are_called_that(gains, shift):
    gains = [gain + shift for gain in gains]
    frame = pd.DataFrame(
        {"reason": "", "deletion_gain": gains, "sanity_correlation": 0.0}
    ).assign(insertion_gain=gains, do_not_trust="", heat_in_face=0.5, face_area=0.4)
    _, low, high = checks.mean_interval(frame["deletion_gain"])
    told = " ".join(checks.warnings(frame))
    assert ("worse than chance" in told) == (high < 0)
    assert ("not shown to be better" in told) == (low <= 0 <= high)
    assert told.count("than chance") in (0, 2)  # deletion and insertion


@pytest.mark.parametrize(("p", "said"), [(1e-9, "p &lt; .001"), (0.0312, "p 0.031")])
def test_a_groups_p_value_is_never_zero(p, said):
    group = {
        "on": "real",
        "difference": 0.1,
        "low": 0.05,
        "high": 0.2,
        "p_holm": p,
        "distinguishable": True,
    }
    assert said in groups._verdict(group)
