"""Pieces of the experiments' pages, from made-up results."""

from experiments.framework import blocks, everything
from experiments.framework.rows import NO_WEIGHTS, Measured, Row

EVIL = "<script>alert(1)</script>"


def results(rows, **changes):
    return {
        "experiment": "made_up",
        "commit": "0" * 40,
        "uncommitted_changes": False,
        "command": "python -m experiments made_up --manifest M -o DIR",
        "hours": 0.25,
        "machine": {"text": "2 cores, x86_64, no GPU", "budget_hours": 3.0},
        "seeds": [0, 1],
        "weights": {"mobilenetv2": NO_WEIGHTS},
        "notes": [f"a note with {EVIL}"],
        "rows": [row.to_dict("10 a (real) + 10 b (fake)") for row in rows],
        **changes,
    }


def row(name, metric="auc", value=0.75, **changes):
    ours = {0: Measured(value=value, low=value - 0.1, high=value + 0.1, n=20)}
    return Row(table="table 1", row=name, metric=metric, ours=ours, **changes)


def shown(rows, **changes):
    found = blocks.tables(results(rows, **changes), {"table 1": "Accuracy"})
    return "".join(map(str, found))


def test_metrics_of_one_line_stand_side_by_side():
    text = shown([row("a"), row("a", "ap", 0.5), row("b", "ap", 0.25, published=0.9)])
    assert text.count("<tr>") == 3
    assert "0.650 to 0.850" in text
    assert "document: 0.9" in text
    assert "Table 1. Accuracy" in text


def test_what_was_not_run_says_so():
    missing = Row(table="table 1", row="a", metric="auc", status=NO_WEIGHTS)
    assert NO_WEIGHTS in shown([missing, row("a", "ap")])


def test_differences_are_signed_and_have_their_p():
    ours = {0: Measured(value=0.1, low=0.05, high=0.15, n=20, p_value=0.002)}
    text = shown([Row(table="table 1", row="a", metric="auc difference", ours=ours)])
    assert "+0.100" in text
    assert "p 0.002" in text


def test_undefined_is_a_dash():
    ours = {0: Measured(value=float("nan"), n=20)}
    text = shown([Row(table="table 1", row="a", metric="auc", ours=ours)])
    assert "–" in text
    assert "nan" not in text


def test_a_long_table_opens_on_demand():
    assert "<details>" not in shown([row(f"{i}") for i in range(40)])
    assert "<details>" in shown([row(f"{i}") for i in range(41)])


def test_hostile_texts_are_escaped(tmp_path):
    report = tmp_path / "made_up" / "a b&c" / "split-0" / "report.html"
    report.parent.mkdir(parents=True)
    report.write_text("")
    made = results([row(EVIL)])
    done = everything.Ending(
        "made_up", {"table 1": EVIL}, made, "", "", {EVIL: f"failed: {EVIL}"}
    )
    waiting = everything.Ending("other", {}, None, "", EVIL)
    text = everything.render(tmp_path, [done, waiting])
    assert "<script" not in text
    assert 'href="made_up/a%20b%26c/split-0/report.html"' in text
    assert "2 cores, x86_64, no GPU" in text
    assert "of 3 that were given" in text
