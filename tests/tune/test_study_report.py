"""A study's page: finished, running, failed, with and without a document's grid."""

import dataclasses
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import kerasfaces as kf
from kerasfaces import metrics
from kerasfaces.cli.tune import leaderboard_text, main
from kerasfaces.core import registry, rng
from kerasfaces.core.errors import InputError, RunError
from kerasfaces.core.files import read_json, write_json
from kerasfaces.evaluate.report import sections_of
from kerasfaces.metrics import main_effects as effects
from kerasfaces.run import trials as records
from kerasfaces.tune import leaderboard, report
from kerasfaces.tune.report import gather
from kerasfaces.tune.study import Point, Published

pytestmark = pytest.mark.tf

GRID = Published(
    source="somebody, table 1",
    data="other images",
    points=(
        Point(
            values={"kind": "plain", "learning_rate": 0.01}, metrics={"accuracy": 0.7}
        ),
        Point(
            values={"kind": "plain", "learning_rate": 0.5}, metrics={"accuracy": 0.6}
        ),
    ),
)


@pytest.fixture
def folder(make_study, drive, drawn_results, components, tmp_path):
    """Write a study folder with some trials ended; returns its path."""
    from kerasfaces.tune import space

    def make(ends=9, message="", **changes):
        study = make_study(repeats=2, **changes)
        settings = {
            field.name: getattr(study, field.name)
            for field in dataclasses.fields(study)
            if field.name not in ("configure", "published", "bases", "title")
        }
        identity = {
            "study": "mine",
            "space": space.description(space.declare(study, components)),
            "settings": settings,
            "manifest": "abc",
            "channels": None,
            "weights": {"mobilenetv2": {"kind": "file"}},
        }
        write_json(tmp_path / "study.json", json.loads(json.dumps(identity)))
        about = {
            "title": "<b>bold</b>",
            "published": dataclasses.asdict(GRID),
            "notes": ["Only drawn faces."],
        }
        write_json(tmp_path / "about.json", about)
        np.save(tmp_path / "val_labels.npy", (np.arange(40) % 2).astype(np.float32))
        task = drawn_results(
            message=lambda t: message if int(t.trial_id) % 4 == 1 else ""
        )
        drive(study, tmp_path, task, limit=ends)  # one trial stays unfinished
        return tmp_path

    return make


def page(folder):
    report.write(folder)
    text = (folder / "report.html").read_text(encoding="utf-8")
    assert "nan" not in re.sub(r"[a-z]+", lambda m: m[0] if m[0] == "nan" else "", text)
    Balanced().feed(text)
    return text


class Balanced(HTMLParser):
    """Fails on tags that are not closed in order."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "br", "wbr"):
            self.open.append(tag)
        for name, value in attributes:
            assert not (name in ("src", "href") and value.startswith("http"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("oracle", ["grid", "random", "bayesian"])
def test_every_section_is_there_and_says_the_search_is_not_over(folder, oracle):
    text = page(folder(oracle=oracle, ends=7))
    names = registry.names("kerasfaces.tune.sections")
    for name in names:
        assert f'<section id="{name}"' in text
    assert "The search is not over: 7 trials have a score, 1 are unfinished" in text
    assert "Best so far: trial" in text
    assert "Only drawn faces." in text[: text.index("<section")]
    assert "&lt;b&gt;bold" in text
    assert ("the effects look larger than they are" in text) == (oracle == "bayesian")


def test_the_document_s_grid_beside_ours(folder):
    text = page(folder())
    assert "somebody, table 1" in text
    row = text[text.index("plain, 0.01") :]
    assert "<td>0.7</td>" in row[: row.index("</tr>")]
    missing = text[text.index("plain, 0.5") :]
    assert "<td>not run</td>" in missing[: missing.index("</tr>")]


def test_failed_trials_are_named_with_their_reason(folder):
    text = page(folder(ends=8, message="It <diverged>."))
    assert "2 of 8 trials failed" in text
    assert "It &lt;diverged&gt;." in text


def test_only_failures_and_single_trials_still_make_a_page(folder):
    text = page(folder(ends=1))
    assert "All trials have the same hyperparameters" in text
    assert "All choices at once" not in text


def test_without_any_score_the_reasons_are_left(folder):
    made = folder(ends=1)
    data = gather(made)
    failed = [
        dataclasses.replace(trial, status="FAILED", score=None, message="No.")
        for trial in data.completed
    ]
    bare = dataclasses.replace(
        data,
        completed=[],
        failed=failed,
        table=leaderboard.make(made, [], failed, "val_auc", 0),
    )
    text = report.render(bare)
    Balanced().feed(text)
    assert "No trial has a score." in text


def test_the_finished_study_shows_test_score_optimism_and_command(folder):
    made = folder(ends=9)
    best = gather(made).completed[0]
    result = {
        "trial": best.trial_id,
        "search": best.score,
        "validation": 0.7,
        "test": 0.6,
        "optimism": best.score - 0.6,
        "test_auc": {"value": 0.61, "low": 0.5, "high": 0.72, "method": "exact"},
        "n_trials": 9,
        "run": "winner",
        "training": {
            "model": "mobilenetv2",
            "weights": "<base>.h5",
            "store": None,
            "seed": 5,
            "changes": {"epochs": 3, "model.taps": ["a"], "model.head.l2": 0.5},
        },
    }
    write_json(made / "result.json", result)
    text = page(made)
    call = html.unescape(re.search("<code>(kf.*?)</code>", text)[1])
    assert call.startswith(
        "kf.Detector('mobilenetv2', weights='<base>.h5', store=None, "
    )
    assert call.endswith("manifest.csv'))")  # in a folder that is not finished yet
    config = eval(
        call.partition(").fit(")[0] + ")", {"kf": kf}
    ).settings.configuration()
    assert (config.seed, config.epochs) == (5, 3)
    assert (config.model.taps, config.model.head.l2) == (("a",), 0.5)
    assert "0.500 to 0.720" in text
    assert f"{best.score - 0.6:+.3f}" in text
    assert "The search is not over" not in text
    # a continued study whose best is another: that result is not shown as the winner's
    for old in ({"trial": "9999"}, {"n_trials": 8}):
        write_json(made / "result.json", {**result, **old})
        assert "Best so far" in page(made)


def test_a_result_is_no_end_while_a_continued_study_has_a_trial_in_work(folder):
    made = folder(ends=5)
    best = gather(made).completed[0].trial_id
    write_json(made / "result.json", {"trial": best, "n_trials": 5})
    assert "The search is not over: 5 trials have a score, 1 are" in page(made)


def test_as_many_lines_and_dots_as_trials(folder):
    made = folder(oracle="random", ends=9)
    data = gather(made)
    sections = dict(sections_of("kerasfaces.tune.sections", data))
    lines = str(sections["parallel"].html).count("stroke-width: 1.1")
    assert lines == 8  # and the best, which is drawn as such
    assert str(sections["parallel"].html).count("stroke-dasharray") == 1
    assert str(sections["parallel"].html).count("fill: var(--page)") >= 6
    slices = str(sections["effects"].html)
    bins = re.findall(r">([^<]*\N{EN DASH}[^<]*)</text>", slices)
    assert len(bins) == 6  # two rates in thirds, beside one another under their charts
    assert all(len(text) <= 16 and not text.endswith("…") for text in bins)
    found = effects.main_effects(
        [trial.own_values for trial in data.completed],
        [trial.score for trial in data.completed],
    )
    dots = re.findall(r"<use [^>]*>", slices)
    faint = [dot for dot in dots if "opacity" in dot]
    assert len(faint) == 9 * len(found)
    assert len(dots) - len(faint) == sum(len(one.levels) for one in found)


def test_the_front_holds_what_no_cheaper_trial_beats():
    from kerasfaces.tune.sections import cost

    seconds, scores = np.array([3.0, 1.0, 2.0, 4.0]), np.array([0.9, 0.5, 0.4, 0.9])
    assert cost._front(seconds, scores) == [1, 0]
    assert cost._front(seconds, -scores) == [1, 2]


def test_asking_for_a_report(folder, tmp_path, capsys):
    with pytest.raises(RunError, match=r"holds no study \(no study\.json"):
        main(["--report", str(tmp_path)])
    made = folder(ends=0)
    with pytest.raises(RunError, match="has no finished trial yet"):
        main(["--report", str(made)])
    with pytest.raises(InputError, match="leave the study's name out"):
        main(["frozen_random", "--report", str(made)])
    made = folder(ends=3)
    before = {path.name for path in made.iterdir()}
    assert main(["--report", str(made)]) == 0
    assert capsys.readouterr().out.strip() == str(made / "report.html")
    assert {path.name for path in made.iterdir()} - before == {"report.html"}


DAMAGE = {
    "study.json": (b"[]", "holds no object"),
    "about.json": (b"{", "is not valid JSON"),
    "val_labels.npy": (b"\x93NUMPY", "is missing or damaged .* delete it"),
    "trial_0001/history.csv": (b"", r"history\.csv is damaged .* trained again"),
    "trial_0002/history.csv": (b"seed,epoch\n0,", "damaged .*numbers are missing"),
    "trial_0001/trial.json": (b"{}", r"trial\.json is damaged"),
    "trial_0001/logits.npz": (b"PK", r"logits\.npz is damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_named(folder, name):
    made = folder(ends=5)
    content, told = DAMAGE[name]
    (made / name).write_bytes(content)
    with pytest.raises(RunError, match=told):
        report.write(made)


def test_a_trial_without_its_score_is_damaged(folder):
    made = folder(ends=3)
    path = made / "trial_0001" / "trial.json"
    write_json(path, read_json(path) | {"score": None})
    with pytest.raises(RunError, match=r"damaged \(TypeError|damaged \(ValueError"):
        report.write(made)


def rescored(folder, strengths, stopped, objective):
    """Give the trials in a folder logits of these strengths; some were cut short."""
    labels = records.read_labels(folder)
    measure = {
        "val_auc": metrics.auc,
        "val_accuracy": lambda fake, logits: float(((logits > 0) == fake).mean()),
        "val_loss": lambda fake, logits: float(
            np.logaddexp(0, logits * np.where(fake, -1, 1)).mean()
        ),
    }[objective]
    for number, trial in enumerate(records.load_all(folder)):
        if trial.status != records.COMPLETED:
            continue
        random = rng.generator(0, "rescored", number)
        logits = random.normal(0, 1, labels.size)
        logits += strengths[number] * (labels - 0.5)
        np.savez(
            records.folder_of(folder, trial.trial_id) / "logits.npz",
            **{f"seed_{one['seed']}": logits for one in trial.repeats},
        )
        score = measure(labels == 1, logits)
        path = records.folder_of(folder, trial.trial_id) / "trial.json"
        state = read_json(path)
        for one in state["repeats"]:
            one |= {objective: score, "stopped": stopped[number]}
        write_json(path, state | {"score": score})


@pytest.mark.parametrize("objective", ["val_auc", "val_accuracy", "val_loss"])
@pytest.mark.parametrize("number", range(3))
def test_no_trial_is_drawn_as_worse_than_one_it_beats(folder, objective, number):
    """Whatever was cut short: worse is only who chance does not explain, on that side."""
    path = folder(objective=objective)
    random = rng.generator(0, "cut short", number)
    strengths = random.permutation([*np.linspace(0, 0.8, 7), 4.0, 4.5])
    stopped = (random.random(9) < 0.5) | (strengths > 2)
    rescored(path, strengths, stopped.tolist(), objective)
    data = gather(path)
    best = data.completed[0].score
    sign = data.sign
    assert not data.completed[0].partial
    drawn = {trial.trial_id: data.kind(trial).split()[-1] for trial in data.completed}
    better = {t.trial_id for t in data.completed if sign * (t.score - best) > 0}
    assert better
    assert not [trial for trial in better if drawn[trial] == "real"]
    text = page(path)
    ahead = sum(kind == "s2" for kind in drawn.values())
    assert ("better, but cut short" in text) == (ahead > 0)
    assert (f"{ahead} of them were better than the best whole one" in text) == bool(
        ahead
    )
    assert text.count('title="better than the best, but cut short"') == ahead


def test_who_is_ahead_but_cut_short_is_marked_on_a_terminal(folder):
    path = folder()
    rescored(path, [0.3, 8.0] + [0.1] * 7, [False, True] + [False] * 7, "val_auc")
    data = gather(path)
    told = leaderboard_text(data.table, "val_auc", ["kind"])
    assert re.search(r"^\+ +0001 ", told, re.MULTILINE)
    assert "+ : better than the best, but cut short (1 of 9)" in told
    assert list(data.table["against_best"].iloc[[0, -1]]) == ["best", "better"]
