"""Worker processes: results in order, a death costs one item."""

import os

import pytest

from kerasfaces.core import workers


def double(item):
    if item == 7:
        os._exit(11)
    return 2 * item


def plain(item):
    return 2 * item


@pytest.mark.parametrize("n_workers", [1, 2])
def test_results_come_in_order(n_workers):
    items = list(range(200))
    assert list(workers.stream(plain, items, n_workers)) == [2 * item for item in items]


@pytest.mark.slow
def test_a_death_costs_one_item():
    items = [*range(60), 7, *range(100, 400)]
    got = list(workers.stream(double, items, 2))
    assert got == [None if item == 7 else 2 * item for item in items]


def test_without_workers_it_goes_on_here(monkeypatch, caplog):
    def broken(*_):
        raise workers.BrokenProcessPool("no process")

    monkeypatch.setattr(workers, "_spread", broken)
    monkeypatch.setattr(workers, "_workers_start", lambda: False)
    assert list(workers.stream(plain, list(range(60)), 2)) == list(range(0, 120, 2))
    assert "continuing in this process" in caplog.text


def test_errors_of_the_function_pass_through():
    with pytest.raises(TypeError, match="unsupported operand"):
        list(workers.stream(fail, list(range(100)), 2))


def fail(item):
    return item + "text"
