"""The table of running trials: what it says, and that it goes away."""

import io
import json
import logging
import re
import time
from contextlib import suppress

import pytest

from kerasfaces.core.files import write_json
from kerasfaces.core.progress import progress
from kerasfaces.run import trials as records
from kerasfaces.tune import progress_table

pytestmark = pytest.mark.tf

PROGRESS = {
    "repeat": 2,
    "repeats": 3,
    "epoch": 10,
    "epochs": 20,
    "value": 0.91234,
    "trained": 30,
    "seconds": 60.0,
}


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Waiting:
    """Workers of which none is ever ready; the table is shown meanwhile."""

    n_workers = 2

    def __init__(self, folder, look):
        self._folder, self._look = folder, look

    def submit(self, key, item):
        if key == "0000":
            write_json(item.folder / "progress.json", PROGRESS)

    def next(self):
        self._look()
        raise KeyboardInterrupt


def lines(terminal):
    """Return what was last drawn."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", terminal.getvalue())
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    return Terminal()


@pytest.fixture
def shown(make_study, open_search, terminal, tmp_path):
    """Show a search with two running trials; returns what the terminal got."""

    def run(look=lambda: None, **changes):
        search = open_search(make_study(**changes), tmp_path)
        with (
            suppress(KeyboardInterrupt),
            progress_table.showing(search, terminal) as is_shown,
        ):
            assert is_shown
            search.run(Waiting(tmp_path, look))
        return lines(terminal)

    return run


def test_a_row_per_trial_with_the_time_left(shown):
    text = shown()
    header = next(line for line in text if line.startswith("trial"))
    assert header.split() == ["trial", "epoch", "val_auc", "left"]
    first = next(line for line in text if line.startswith("0000"))
    # 30 of 60 epochs in a minute: another minute
    assert re.split(r"\s{2,}", first) == [
        *("0000", "10/20, seed 2/3", "0.9123", "1:00", "kind=plain learning_rate=0.003")
    ]
    second = next(line for line in text if line.startswith("0001"))
    assert second.split() == ["0001", "kind=plain", "learning_rate=0.01"]
    assert any(line.startswith("test: 0 of 9 trials, 0:0") for line in text)


def test_log_lines_and_progress_inside_are_shown(shown):
    handlers = list(logging.getLogger("kerasfaces").handlers)

    def look():
        logging.getLogger("kerasfaces.tune").warning("something [b]happened")
        with progress(100, "features") as add:
            add(25)
            time.sleep(1.5)  # until it is drawn anew

    text = shown(look)
    assert any(line.endswith("something [b]happened") for line in text)
    assert any(line.startswith("features, images: 25 of 100") for line in text)
    assert logging.getLogger("kerasfaces").handlers == handlers


def test_a_terminal_too_narrow_cuts_lines(shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    assert all(len(line) <= 30 for line in shown())


def test_many_trials_are_counted(shown, monkeypatch):
    monkeypatch.setattr(Waiting, "n_workers", 30)
    assert "... and 18 more" in shown(oracle="random", max_trials=60)


def test_the_search_ends_with_its_budget(make_study, drive, open_search, tmp_path):
    left_s = {}
    for budget_h in (None, 1 / 60):
        study = make_study(oracle="random", budget_h=budget_h)
        folder = tmp_path / str(budget_h)
        left_s[budget_h] = drive(study, folder, limit=1).left_s()
        assert open_search(study, folder).left_s() == (
            None if budget_h is None else pytest.approx(60, abs=9)
        )
    assert left_s[None] > 0
    assert left_s[1 / 60] <= 60


def test_times():
    assert [progress_table.clock(s) for s in (0, 59.6, 61, 3723)] == [
        *("0:00", "1:00", "1:01", "1:02:03")
    ]


def test_no_terminal_no_table(make_study, open_search, tmp_path):
    stream = io.StringIO()
    with progress_table.showing(
        open_search(make_study(), tmp_path), stream
    ) as is_shown:
        assert not is_shown
    assert stream.getvalue() == ""


def test_damaged_progress_is_none(tmp_path):
    (tmp_path / "progress.json").write_text("{")
    assert records.read_progress(tmp_path) is None


def test_progress_is_gone_when_the_trial_is_over(make_study, drive, tmp_path):
    drive(make_study(), tmp_path, limit=3)
    write_json(tmp_path / "trial_0003" / "progress.json", PROGRESS)
    drive(make_study(), tmp_path)
    assert not list(tmp_path.glob("trial_*/progress.json"))
    assert json.loads((tmp_path / "trial_0003" / "trial.json").read_text())["score"]
