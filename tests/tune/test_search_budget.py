"""A budget in hours: spent over calls, whatever ends them."""

import signal
import time
from pathlib import Path

import pytest

from kerasfaces.core.errors import RunError
from kerasfaces.core.files import write_text

pytestmark = pytest.mark.tf


def test_a_budget_in_hours_ends_a_study(make_study, drive, drawn_results, tmp_path):
    def slow(training):
        time.sleep(0.4)
        return ""

    study = make_study(oracle="random", budget_h=3 / 3600)
    n_first = len(drive(study, tmp_path, drawn_results(message=slow)).ended())
    assert 1 < n_first < 12
    task = drawn_results(message=slow)
    search = drive(study, tmp_path, task)
    assert task.trained == []  # it is spent
    assert search.budget_left_s() == 0
    more = make_study(oracle="random", budget_h=1)
    assert len(drive(more, tmp_path).ended()) == 12


_KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import configure
from kerasfaces.core import engine
from kerasfaces.tune import space
from kerasfaces.tune.components import Components
from kerasfaces.tune.search import Search
from kerasfaces.tune.study import Study

study = Study(title="test", configure=configure, bases=("mobilenetv2",), oracle="grid")
components = Components(weights={{"mobilenetv2": "none"}}, loaded={{"mobilenetv2": None}})
search = Search(study, components, space.declare(study, components), Path({folder!r}))

def train(training):
    print("running", flush=True)
    time.sleep(600)

with engine.pool(train, engine.Engine(workers=1)) as pool:
    search.run(pool)
"""


def test_seconds_before_a_kill_count(make_study, open_search, tmp_path, warm_python):
    """Call after call is killed in the same trial; nothing is ever finished."""
    beside = tmp_path / "process"
    beside.mkdir()
    folder = tmp_path / "study"
    script, out = beside / "script.py", beside / "out"
    script.write_text(
        _KILLED.format(tests=str(Path(__file__).parent), folder=str(folder))
    )
    passed_s = 0.0
    for seconds in (5.0, 0.1, 4.0):
        process = warm_python.start([script], beside)
        while out.read_text() != "running\n":
            assert process.poll() is None, (beside / "err").read_text()
            time.sleep(0.01)
        started = time.monotonic()
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        passed_s += time.monotonic() - started
        search = open_search(make_study(budget_h=1.0), folder)
        spent_s = 3600 - search.budget_left_s()
        assert passed_s - 9 <= spent_s <= passed_s + 1, (spent_s, passed_s)
    assert spent_s > 5
    assert not search.ended()


@pytest.mark.parametrize("text", ["{}", "[]", '{"seconds": "many"}', "{"])
def test_a_damaged_clock_is_named(make_study, open_search, tmp_path, text):
    write_text(tmp_path / "clock.json", text)
    with pytest.raises(RunError, match=r"clock\.json"):
        open_search(make_study(budget_h=1.0), tmp_path).budget_left_s()
