"""The leaderboard marks what chance may have ranked; folders of later winners."""

import numpy as np
import pandas as pd
import pytest

from kerasfaces.cli.tune import leaderboard_text
from kerasfaces.core import rng
from kerasfaces.core.errors import RunError
from kerasfaces.core.files import read_json
from kerasfaces.run import trials as records
from kerasfaces.run.folder import StudyRun
from kerasfaces.tune import leaderboard, run

pytestmark = pytest.mark.tf

N = 200


@pytest.fixture
def board(make_study, drive, tmp_path):
    """A study whose trials' logits separate the classes as asked, with two seeds."""

    def make(strengths, **changes):
        study = make_study(repeats=2, **changes)
        labels = (np.arange(N) % 2).astype(np.float32)
        np.save(tmp_path / "val_labels.npy", labels)
        base = rng.generator(0, "board").normal(0, 1, N)

        def train(training):
            number = int(training.trial_id)
            if not strengths[number]:
                return records.Result(message="No.")
            repeats = []
            for seed in training.seeds:
                noise = rng.generator(seed, "noise", number).normal(0, 0.05, N)
                logits = base + noise + strengths[number] * labels
                auc = float(np.mean(logits[labels == 1][:, None] > logits[labels == 0]))
                row = dict.fromkeys(("loss", "val_loss", "val_accuracy"), 0.5)
                row |= {"epoch": 1, "val_auc": auc}
                summary = {"seed": seed, "epochs": 1, "kept_epoch": 1, "stopped": False}
                repeats.append(
                    records.Repeat(
                        summary=summary | row | {"seconds": 0.0, "engine": ""},
                        rows=[row],
                        logits=logits.astype(np.float32),
                        weights=[],
                    )
                )
            return records.Result(repeats=repeats)

        search = drive(study, tmp_path, train)
        table = leaderboard.make(
            tmp_path, search.completed(), search.failed(), study.objective, study.seed
        )
        table.to_csv(tmp_path / "leaderboard.csv", index=False)
        return study, table

    return make


def test_what_is_like_the_best_is_marked(board, tmp_path):
    study, table = board([2.0, 2.0, 1.98, 2.0, 0.5, 0.4, 0.1, 0.05, 0.0])
    alike = table[table["like_best"] == True]  # noqa: E712 - NaN where failed
    assert set(alike["trial"]) == {"0000", "0001", "0002", "0003"}
    assert table["score"].dropna().is_monotonic_decreasing
    assert table["sd"].iloc[0] > 0
    assert (table["difference_high"].iloc[4:8] < 0).all()
    again = pd.read_csv(tmp_path / "leaderboard.csv", dtype={"trial": str})
    assert list(again["trial"]) == list(table["trial"])
    told = leaderboard_text(table, study.objective, ["kind", "learning_rate", "units"])
    assert "4 of 8; paired bootstrap" in told
    assert told.count("\n=  ") == 4
    assert "1 failed, e.g. trial 0008: No." in told


def test_in_a_long_study_the_worse_are_told_from_the_best_too(board):
    """As many comparisons as a correction by Holm multiplies the p-values with."""
    _, table = board([2.0] * 3 + [0.3] * 57, oracle="random", max_trials=60)
    assert set(table.loc[table["like_best"], "trial"]) == {"0000", "0001", "0002"}


def test_missing_logits_are_named(board, tmp_path):
    board([2.0] * 9)
    (tmp_path / "trial_0003" / "logits.npz").write_bytes(b"PK")
    trials = [t for t in records.load_all(tmp_path) if t.score is not None]
    with pytest.raises(RunError, match=r"trial_0003/logits\.npz is damaged"):
        leaderboard.make(tmp_path, trials, [], "val_auc", 0)


def test_a_later_winner_gets_a_folder_of_its_own(tmp_path):
    study = StudyRun(tmp_path)
    assert run.winner_folder(study, "0003").name == "winner"
    assert run.winner_folder(study, "0003").name == "winner"
    assert run.winner_folder(study, "0011").name == "winner-0011"
    assert read_json(tmp_path / "winner.json") == {"trial": "0003"}
