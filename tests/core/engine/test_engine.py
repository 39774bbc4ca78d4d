"""Tasks on processes of this machine: order, errors, deaths, bounds."""

import os
import subprocess
import sys
import time

import engine_tasks as tasks
import pytest

from kerasfaces.core import engine
from kerasfaces.core.engine import Engine, local
from kerasfaces.core.errors import InputError

TWO = Engine(workers=2)


def values(outcomes):
    return [outcome.value for outcome in outcomes]


@pytest.mark.parametrize("chunk", [1, 5, 16])
@pytest.mark.parametrize("n_workers", [1, 2])
def test_results_come_in_order(n_workers, chunk):
    items = list(range(57))
    spread = Engine(workers=n_workers)
    outcomes = list(engine.map(tasks.double, items, spread=spread, chunk=chunk))
    assert values(outcomes) == [2 * item for item in items]
    assert [outcome.key for outcome in outcomes] == items
    assert not any(outcome.error for outcome in outcomes)


def test_no_items():
    assert list(engine.map(tasks.double, [])) == []


def test_one_worker_is_this_process():
    outcomes = engine.map(tasks.pid, [1, 2], spread=Engine(workers=1))
    assert values(outcomes) == [os.getpid()] * 2


def test_few_items_of_chunks_are_done_in_this_process():
    few = engine.map(tasks.pid, range(47), spread=TWO, chunk=16)
    assert set(values(few)) == {os.getpid()}
    many = engine.map(tasks.pid, range(48), spread=TWO, chunk=16)
    assert os.getpid() not in values(many)


@pytest.mark.parametrize("chunk", [1, 8])
def test_a_death_costs_one_item(chunk, caplog):
    items = [*range(30), *range(100, 130)]
    outcomes = list(engine.map(tasks.die_of_7, items, spread=TWO, chunk=chunk))
    assert values(outcomes) == [None if item == 7 else 2 * item for item in items]
    assert outcomes[7].error == "its process crashed with exit code 11"
    assert sum(bool(outcome.error) for outcome in outcomes) == 1
    assert "a worker died" in caplog.text


def test_an_item_is_done_again(tmp_path):
    items = [str(tmp_path / name) for name in "abc"]
    assert values(engine.map(tasks.die_once, items, spread=TWO)) == items


def test_without_retries_a_death_is_final(tmp_path):
    items = [str(tmp_path / "a")]
    (outcome,) = engine.map(tasks.die_once, items, spread=TWO, retries=0)
    assert "crashed" in outcome.error


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.parametrize(
    ("task", "kind", "words"),
    [
        (tasks.mistake, InputError, "^item 3 is wrong"),
        (tasks.add_text, TypeError, "unsupported operand"),
    ],
)
def test_errors_are_raised_in_the_driver(task, kind, words, n_workers):
    with pytest.raises(kind, match=words):
        list(engine.map(task, [3, 4], spread=Engine(workers=n_workers)))


def test_an_error_brings_its_traceback():
    with pytest.raises(TypeError) as caught:
        list(engine.map(tasks.add_text, [3], spread=TWO))
    assert "in add_text" in caught.value.__notes__[0]


def test_what_cannot_travel_is_an_error():
    with pytest.raises(RuntimeError, match="OddError: one and two"):
        list(engine.map(tasks.odd, [3], spread=TWO))
    with pytest.raises((AttributeError, TypeError), match="pickle"):
        list(engine.map(tasks.unpicklable, [3], spread=TWO))


def test_a_task_that_cannot_be_loaded_is_an_error():
    with pytest.raises(InputError, match="the weights are not here"):
        list(engine.map(tasks.Broken(), [3], spread=TWO))


def test_a_task_is_loaded_once_per_worker_and_closed(tmp_path):
    outcomes = values(engine.map(tasks.Counting(tmp_path), range(20), spread=TWO))
    assert max(outcomes) >= 10
    # A worker may be ready when the other one has done everything.
    assert outcomes.count(1) <= len(list(tmp_path.glob("closed-*"))) <= 2


def test_load_runs_in_the_driver_when_an_item_is_sent():
    loaded = []

    def load(item):
        loaded.append(item)
        return 10 * item

    items = list(range(100))
    outcomes = engine.map(tasks.double, items, spread=TWO, load=load)
    assert next(outcomes).value == 0
    assert len(loaded) <= 2 * engine.IN_FLIGHT + 2  # bounded: the rest is not touched
    assert values(outcomes) == [20 * item for item in items[1:]]
    assert sorted(loaded) == items


def test_workers_share_the_cores():
    shares = set(values(engine.map(tasks.threads, [1, 2], spread=TWO)))
    n_cores = len(os.sched_getaffinity(0))
    assert shares == {str(max(1, n_cores // 2))}


def test_a_pool_takes_items_as_they_come():
    with engine.pool(tasks.wait, TWO, label="waiting") as pool:
        assert pool.n_workers == 2
        pool.submit("slow", 0.5)
        pool.submit("quick", 0.0)
        assert pool.pending == 2
        assert pool.next().key == "quick"
        with pytest.raises(TimeoutError):
            pool.next(timeout_s=0.01)
        pool.submit("more", 0.0)
        assert {pool.next().key, pool.next().key} == {"more", "slow"}
        assert pool.pending == 0
        with pytest.raises(LookupError, match="no item is pending"):
            pool.next()


def test_a_pool_in_this_process():
    with engine.pool(tasks.double, Engine(workers=1)) as pool:
        pool.submit("a", 1)
        pool.submit("b", 2)
        assert (pool.n_workers, pool.pending) == (1, 2)
        assert pool.next() == engine.Outcome("a", 2)
        assert pool.next() == engine.Outcome("b", 4)
        with pytest.raises(LookupError):
            pool.next()


def test_a_pool_is_usable_after_an_error():
    with engine.pool(tasks.add_text, TWO) as pool:
        pool.submit("bad", 1)
        with pytest.raises(TypeError):
            pool.next()
        pool.submit("good", "one ")
        assert pool.next().value == "one text"


def test_leaving_a_pool_ends_busy_workers_at_once():
    began = time.monotonic()
    with engine.pool(tasks.wait, TWO) as pool:
        pool.submit(0, 0.0)
        pool.submit(1, 60.0)
        pool.next()
    assert time.monotonic() - began < 30


def test_without_processes_it_goes_on_here(monkeypatch, caplog):
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    outcomes = engine.map(tasks.pid, range(4), spread=TWO)
    assert values(outcomes) == [os.getpid()] * 4
    assert "continuing in this process" in caplog.text


def test_what_a_task_prints_is_no_result(capfd):
    assert values(engine.map(tasks.printing, [1, 2], spread=TWO)) == [1, 2]
    out, err = capfd.readouterr()
    assert "chatter" not in out
    assert "chatter" in err


def test_what_a_worker_logs_is_logged_here(caplog, capfd):
    list(engine.map(tasks.warn, ["30 %", "two"], spread=TWO))
    logged = {(each.name, each.levelname, each.message) for each in caplog.records}
    assert logged == {
        ("kerasfaces.stage", "WARNING", f"{item} of `weights`")
        for item in ("30 %", "two")
    }
    assert "weights" not in capfd.readouterr().err


@pytest.mark.tf
def test_a_worker_s_tensorflow_does_not_chatter(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")  # as commands set it
    two = engine.map(tasks.Computing(), [3, 4], spread=TWO)
    assert values(two) == [3.0, 4.0]
    assert capfd.readouterr().err == ""


def test_a_script_without_a_guard_runs_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "MARK = 'the script'\nprint('begins')\n"
        "from kerasfaces.core import engine\n"
        "import engine_tasks\n"
        "spread = engine.Engine(workers=2)\n"
        "outcomes = engine.map(engine_tasks.main_name, [1, 2], spread=spread)\n"
        "print([outcome.value for outcome in outcomes])\n"
        "kept = engine.map(engine_tasks.wait, [0, 60], spread=spread)\n"
        "next(kept)\n"
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.stdout.splitlines() == ["begins", "['', '']"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"name": "spark"}, "no engine 'spark'; available: local, ray"),
        ({"workers": 0}, "expected at least 1"),
        ({"address": "host:1"}, "belongs to engine ray"),
    ],
)
def test_wrong_engines(arguments, words):
    with pytest.raises(InputError, match=words):
        Engine(**arguments)


def test_workers_ask_for_the_gpus_in_turn(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    processes = local.processes(b"", 3)
    names = [each._environment["CUDA_VISIBLE_DEVICES"] for each in processes]
    assert names == ["2", "5", "2"]
