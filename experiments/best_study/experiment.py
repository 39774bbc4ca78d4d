"""Ours: the winner of an hour's random search per split against the main job's default.

`tuning/frozen_hour.py`, one study per split seed. The winner is
chosen on validation and meets the test rows once; the default is trained on the same
split. `--budget-hours H` gives every split its share of H instead of an hour, but under
`all`, where H is for all experiments together.
"""

from pathlib import Path
from typing import Any

from experiments.framework import measured, tuned
from experiments.framework.paired import difference_rows
from experiments.framework.rows import NO_WEIGHTS, Measured, Row, not_run
from experiments.framework.runner import Context, Outcome
from kerasfaces.run.folder import DetectorRun
from kerasfaces.train import config as configs

MODELS = ("mobilenetv2",)
SEEDS = (0, 1, 2, 3, 4)
RATIO = (5, 1, 1)
STUDY = "frozen_hour"
HOURS = 1.0  # of each split's search
_QUICK_TRIALS = 3
DOCUMENT_DATA = ""
TITLES = {
    "test": "AUC on test, means over the split seeds",
    "splits": "AUC on each split's test rows",
    "differences": "AUC of the winner minus the default's, paired on the same test rows",
    "search": "What each search did",
    "effects": "What moved the validation AUC: all splits' trials together",
}


def run(context: Context) -> Outcome:
    """Search and train the default on every split."""
    reason = context.missing_weights("mobilenetv2")
    if reason:
        rows = not_run("test", ("winner", "default"), ("auc",), NO_WEIGHTS)
        return Outcome(rows=rows, weights={"mobilenetv2": NO_WEIGHTS}, notes=[reason])
    config = configs.default("mobilenetv2", context.weights["mobilenetv2"])
    default = context.train_seeds("default", config, RATIO)
    studies = {seed: _search(context, seed) for seed in context.seeds}
    winner = {
        seed: folder / tuned.result(folder)["run"] for seed, folder in studies.items()
    }
    first = next(iter(default.values()))
    effects, notes = _effects(studies)
    return Outcome(
        rows=[
            *_auc_rows({"winner": winner, "default": default}),
            *difference_rows(winner, default),
            *_search_rows(studies),
            *effects,
        ],
        weights={"mobilenetv2": DetectorRun(first).base_weights},
        notes=[_budget_note(context), *notes],
    )


def hours_per_split(context: Context) -> float:
    """Return how long each search may take."""
    if context.budget_h is None or context.hours_of is not None:
        return HOURS
    return context.budget_h / len(context.seeds)


def _search(context: Context, seed: int) -> Path:
    changes: dict[str, Any] = {"budget_h": hours_per_split(context)}
    if context.quick:
        changes["max_trials"] = _QUICK_TRIALS
    study = tuned.load(STUDY, bases=MODELS, **changes)
    return tuned.run(context, STUDY, study, RATIO, seed)


def _budget_note(context: Context) -> str:
    minutes = 60 * hours_per_split(context)
    return (
        f"Each split's search stopped after {minutes:.0f} minutes of its own trials, frozen "
        "features included, or at its last trial; training the winner and the default comes "
        "on top."
    )


def _auc_rows(folders: dict[str, dict[int, Path]]) -> list[Row]:
    rows = [
        Row(table="test", row=name, metric="auc", ours=measured.entries(runs, "auc"))
        for name, runs in folders.items()
    ]
    for name, runs in folders.items():
        rows += measured.split_rows(name, runs)
    return rows


def _search_rows(studies: dict[int, Path]) -> list[Row]:
    """Return trials, minutes and optimism of every search."""
    rows: dict[str, dict[int, Measured]] = {}
    for seed, folder in studies.items():
        result = tuned.result(folder)
        seconds = sum(trial.seconds for trial in tuned.completed(folder))
        numbers = {
            "trials": result["n_trials"],
            "trials like the best": result["n_like_best"],
            "minutes of trials": seconds / 60,
            "winner's AUC in the search": result["search"],
            "winner's AUC on validation, refitted": result["validation"],
            "optimism (search - test)": result["optimism"],
        }
        for name, value in numbers.items():
            rows.setdefault(name, {})[seed] = Measured(value=float(value), n=0)
    return [
        Row(table="search", row=name, metric="", split="val", ours=ours)
        for name, ours in rows.items()
    ]


def _effects(studies: dict[int, Path]) -> tuple[list[Row], list[str]]:
    """Return every level's mean and every hyperparameter's share, and a sentence."""
    from kerasfaces.metrics.main_effects import main_effects

    trials = [
        (seed, trial)
        for seed, folder in studies.items()
        for trial in tuned.completed(folder)
    ]
    effects = main_effects(
        [trial.values for _, trial in trials],
        [trial.score for _, trial in trials],
        [seed for seed, _ in trials],
    )

    def row(name: str, metric: str, number: Measured) -> Row:
        return Row(
            table="effects",
            row=name,
            metric=metric,
            split="val",
            ours={0: number},
            over=tuple(studies),
        )

    rows = []
    for effect in effects:
        share = Measured(value=effect.share, n=len(trials), p_value=effect.p_value)
        rows.append(row(effect.name, "share of variance", share))
        for level in effect.levels:
            mean = level.mean
            number = Measured(value=mean.value, low=mean.low, high=mean.high, n=level.n)
            rows.append(row(f"{effect.name} = {level.label}", "mean val_auc", number))
    mattered = ", ".join(
        f"{effect.name} ({100 * effect.share:.0f} % of the variance)"
        for effect in effects
        if effect.p_value < 0.05
    )
    return rows, [
        "What mattered (permutation test within splits, Holm, p < .05): "
        f"{mattered or 'nothing'}."
    ]
