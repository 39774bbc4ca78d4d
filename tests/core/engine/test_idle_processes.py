"""Processes of one stage serve the next one, as if they were started for it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import engine_tasks as tasks
import pytest

from kerasfaces.core import engine
from kerasfaces.core.engine import Engine, idle

TWO = Engine(workers=2)


@pytest.fixture(autouse=True)
def none_from_before():
    idle.end_all()
    yield
    idle.end_all()


def run(task, items=range(48)):
    outcomes = list(engine.map(task, items, spread=TWO, chunk=8))
    assert not any(outcome.error for outcome in outcomes)
    return [outcome.value for outcome in outcomes]


def kept():
    """Return the numbers of both processes, once both are idle."""
    end = time.monotonic() + 30
    while len(idle._idle) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    return {process.pid for _, process in idle._idle}


def wait_for_end(number):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_the_next_stage_has_the_same_processes():
    first = set(run(tasks.pid))
    processes = kept()
    assert first <= processes
    assert set(run(tasks.pid)) <= processes


def test_single_items_have_processes_of_their_own():
    run(tasks.pid)
    first = kept()
    heavy = engine.map(tasks.pid, range(4), spread=TWO)
    assert first.isdisjoint(outcome.value for outcome in heavy)


def test_they_are_where_the_driver_is(tmp_path, monkeypatch):
    run(tasks.surroundings)
    before = kept()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARK", "new")
    monkeypatch.setattr(sys, "argv", ["program", "word"])
    after = run(tasks.surroundings)
    assert {each[0] for each in after} <= before
    assert {each[1:] for each in after} == {(str(tmp_path), "new", "word")}
    monkeypatch.delenv("MARK")
    assert {each[2] for each in run(tasks.surroundings)} == {None}


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_idle_they_hold_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(tasks.pid)
    assert {os.readlink(f"/proc/{number}/cwd") for number in kept()} == {"/"}


def test_a_task_is_closed_before_its_process_is_kept(tmp_path):
    run(tasks.Counting(tmp_path))
    n_closed = len(list(tmp_path.glob("closed-*")))
    assert n_closed >= 1
    # Each task is loaded anew: it counts from the beginning.
    assert 1 in run(tasks.Counting(tmp_path))


def test_one_that_died_meanwhile_is_replaced():
    run(tasks.pid)
    first = kept()
    for number in first:
        os.kill(number, 9)
    second = set(run(tasks.pid))
    assert first.isdisjoint(second)


def test_one_that_crashed_is_not_kept():
    items = [*range(40), *range(100, 140)]
    outcomes = list(engine.map(tasks.die_of_7, items, spread=TWO, chunk=8))
    assert sum(bool(outcome.error) for outcome in outcomes) == 1
    assert run(tasks.double) == [2 * item for item in range(48)]


def test_they_end_when_nobody_wants_them(monkeypatch):
    monkeypatch.setattr(idle, "_KEPT_S", 1.0)
    numbers = set(run(tasks.pid))
    assert all(wait_for_end(number) for number in numbers)


def test_their_messages_go_where_the_driver_s_do(capfd):
    """A process writes to the stderr it was started with, so another one is needed."""
    run(tasks.pid)
    first = kept()
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            second = set(run(tasks.pid))
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert first.isdisjoint(second)


def test_they_end_with_the_script_that_used_them(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import engine_tasks as tasks\n"
        "from kerasfaces.core import engine\n"
        "two = engine.Engine(workers=2)\n"
        "done = engine.map(tasks.pid, range(48), spread=two, chunk=8)\n"
        "print(*{each.value for each in done})\n",
        encoding="utf-8",
    )
    path = os.pathsep.join(entry for entry in sys.path if entry)
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert time.monotonic() - started < idle._KEPT_S
    assert done.stderr == ""
    assert all(wait_for_end(int(number)) for number in done.stdout.split())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_leaves_them_alone():
    run(tasks.pid)
    first = kept()
    child = os.fork()
    if child == 0:
        idle.end_all()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert set(run(tasks.pid)) <= first
