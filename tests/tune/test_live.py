"""The table of running trials: what it shows, where it draws, and that it goes away."""

import io
import logging
import re
from types import SimpleNamespace

import pytest

from kerasfaces.core.progress import hosted_by, progress
from kerasfaces.tune import live, tuner
from kerasfaces.tune import progress as trial_progress
from kerasfaces.tune.announce import left_s

pytestmark = pytest.mark.tf

SAID = {
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


def screen(text):
    """What a terminal shows after `text`: a list of lines."""
    lines = [""]
    while text:
        if text.startswith("\x1b["):
            number, kind = "", text[2:]
            while kind[0].isdigit():
                number, kind = number + kind[0], kind[1:]
            if kind[0] == "F":
                at = len(lines) - 1 - int(number)
                assert at >= 0, "the cursor left the screen"
                kept = lines[:at]
            else:
                assert kind[0] == "J"
                lines = [*kept, ""]
            text = kind[1:]
        elif text[0] == "\n":
            lines.append("")
            text = text[1:]
        else:
            lines[-1] += text[0]
            text = text[1:]
    return lines


def test_a_row_per_trial_with_the_time_left(make_study):
    rows = [
        live.Running("0003", "worker-1", {"rate": 0.00123456}, SAID),
        live.Running("0004", "worker-2", {"rate": 0.5}, None),
    ]
    head, names, first, second, task = live.table(
        make_study(), rows, ["features: 3 of 9"], "mine: 3 of 9", 100
    )
    assert (head, task) == ("mine: 3 of 9", "features: 3 of 9")
    assert names.split() == ["trial", "by", "epoch", "val_auc", "left"]
    # 30 of 60 epochs in a minute: another minute
    assert re.split(r"\s{2,}", first) == [
        *("0003", "worker-1", "10/20, seed 2/3", "0.9123", "1:00", "rate=0.00123")
    ]
    assert second.split() == ["0004", "worker-2", "rate=0.5"]
    narrow = live.table(make_study(), rows, [], "x" * 90, 30)
    assert max(map(len, narrow)) < 30


def test_many_trials_are_counted(make_study):
    rows = [live.Running(f"{i:04d}", "w", {}, None) for i in range(30)]
    assert live.table(make_study(), rows, [], "h", 80)[-1] == "... and 18 more"


def test_the_search_ends_with_its_budget(
    make_study, make_oracle, fake_result, tmp_path
):
    left = {}
    for budget_h in (None, 1 / 60):
        study = make_study(oracle="random", budget_h=budget_h)
        folder = tmp_path / str(budget_h)
        oracle = make_oracle(study, folder)
        trial = oracle.create_trial("t")
        fake_result(folder, trial, study)
        oracle.end_trial(trial)
        left[budget_h] = [left_s(oracle, new, 100.0) for new in (0, 1)]
    assert left[None] == [None, 1100.0]
    assert left[1 / 60] == pytest.approx([59.8, 59.8])


def test_times():
    assert [live.clock(s) for s in (0, 59.6, 61, 3723)] == [
        *("0:00", "1:00", "1:01", "1:02:03")
    ]


def test_the_table_stays_at_the_foot_and_log_lines_above():
    terminal = Terminal()
    painter = live.Painter(terminal)
    painter.draw(["a", "b"])
    painter.above("first")
    painter.draw(["c"])
    painter.above("second")
    painter.draw(["d", "e", "f"])
    assert screen(terminal.getvalue()) == ["first", "second", "d", "e", "f", ""]
    painter.draw([])
    assert screen(terminal.getvalue()) == ["first", "second", ""]


def test_on_a_terminal(make_study, make_oracle, fake_result, tmp_path):
    study = make_study()
    oracle = make_oracle(study, tmp_path)
    terminal, logger = Terminal(), logging.getLogger("kerasfaces.tune")
    handlers = list(logging.getLogger("kerasfaces").handlers)
    trial = oracle.create_trial("worker-7")
    trial_progress.write(tmp_path, trial.trial_id, SAID)
    with live.showing(study, oracle, tmp_path, terminal) as shown:
        assert shown
        assert "0000   worker-7" in "\n".join(screen(terminal.getvalue()))
        logger.warning("something happened")
        with progress(100, "features") as add:
            add(7)
            live.Live(study, oracle, tmp_path, live.Painter(terminal))
    assert "WARNING: something happened" in screen(terminal.getvalue())
    assert "worker-7" not in "\n".join(screen(terminal.getvalue()))
    assert logging.getLogger("kerasfaces").handlers == handlers
    fake_result(tmp_path, trial, study)
    assert trial_progress.read(tmp_path, trial.trial_id) is None


def test_progress_inside_is_a_line_of_the_table(make_study, make_oracle, tmp_path):
    study = make_study()
    terminal = Terminal()
    view = live.Live(
        study, make_oracle(study, tmp_path), tmp_path, live.Painter(terminal)
    )
    with hosted_by(view.task), progress(100, "features") as add:
        add(25)
        view.refresh()
    assert screen(terminal.getvalue())[1].startswith("features, images: 25 of 100, 0:0")
    view.refresh()
    assert len(screen(terminal.getvalue())) == 2


def test_no_terminal_no_table(make_study, make_oracle, tmp_path):
    study = make_study()
    stream = io.StringIO()
    with live.showing(study, make_oracle(study, tmp_path), tmp_path, stream) as shown:
        assert not shown
    assert stream.getvalue() == ""


def test_a_damaged_word_is_none(tmp_path):
    (tmp_path / "trial_0000").mkdir()
    (tmp_path / "trial_0000" / "progress.json").write_text("{")
    assert trial_progress.read(tmp_path, "0000") is None


def test_epochs_of_another_call_do_not_count_for_the_pace(
    make_study, make_oracle, tmp_path, monkeypatch
):
    """Hyperband goes on at epoch 27 of 81; a killed trial at its checkpoint."""
    study = make_study(oracle="hyperband", max_epochs=81)
    trial = make_oracle(study, tmp_path).create_trial("t")
    trial.hyperparameters.values["tuner/epochs"] = 81
    clock = SimpleNamespace(monotonic=lambda: now)
    monkeypatch.setattr(tuner, "time", clock)
    now = 100.0
    own = SimpleNamespace(_study=study, _folder=tmp_path, _epochs=81)
    say = tuner.StudyTuner._progress(own, trial)
    for epoch in (28, 29, 30):
        now += 2.0
        say(0, {"epoch": epoch, "val_auc": 0.5})
    said = trial_progress.read(tmp_path, trial.trial_id)
    assert said["epoch"] == 30
    assert live.trial_left_s(said) == pytest.approx(2.0 * 51)
