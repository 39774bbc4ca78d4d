"""The leaderboard: who chance may have ranked, and who failed, with the reason."""

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune import leaderboard
from kerasfaces.tune.effects import short
from kerasfaces.tune.report_input import StudyInput

ORDER = 20
_SHOWN = 15


def report(data: StudyInput) -> Section | None:
    """Return the first rows, the rest on demand, and the failed ones."""
    rows = data.table[data.table["rank"].notna()].to_dict("records")
    alike = data.n_like_best
    note = markup.paragraph(
        f"{data.objective} on validation, the mean over training seeds. “=” marks the {alike} of "
        f"{len(rows)} trials that are not distinguishable from the best: paired bootstrap over "
        "the validation images, Holm's correction over all comparisons, 5 % level. Do not read "
        "an order into them."
    )
    if data.n_ahead:
        note += markup.paragraph(
            f"“+” marks the {data.n_ahead} that were better than the best when they were cut "
            "short: only a whole training can win."
        )
    names = [name for name in data.names if leaderboard.HP + name in data.table.columns]
    parts = [note, _table(data, "Best trials", rows[:_SHOWN], names)]
    if len(rows) > _SHOWN:
        rest = _table(data, "The other trials", rows[_SHOWN:], names)
        parts.append(markup.details(f"The other {len(rows) - _SHOWN} trials", rest))
    if data.failed:
        failed = markup.table(
            "Trials that failed",
            ["Trial", "Why", "Hyperparameters"],
            [
                [each.trial_id, each.message or "", _told(each.own_values)]
                for each in data.failed
            ],
            numeric=False,
        )
        parts.append(markup.details(f"{len(data.failed)} trials failed", failed))
    return Section("Leaderboard", Markup("").join(parts))


def _table(
    data: StudyInput, caption: str, rows: Sequence[dict[Any, Any]], names: list[str]
) -> Markup:
    several = any(row["n_seeds"] > 1 for row in rows)
    header = ["Trial", "", data.objective, *(["sd"] if several else [])]
    header += ["minus the best", *names, "epochs", "seconds"]
    return markup.table(caption, header, [_row(row, names, several) for row in rows])


def _row(row: dict[Any, Any], names: list[str], several: bool) -> list[object]:
    cells: list[object] = [
        f"{row['trial']}{' (cut short)' if row['partial'] else ''}",
        _mark(row["against_best"]),
        markup.number(row["score"], 4),
    ]
    if several:
        cells.append(markup.number(row["sd"], 4))
    cells.append(_difference(row))
    for name in names:
        value = row.get(leaderboard.HP + name)
        missing = value is None or (isinstance(value, float) and math.isnan(value))
        cells.append(markup.MISSING if missing else short(value))
    return [*cells, str(int(row["epochs"])), f"{row['seconds']:.1f}"]


def _mark(verdict: str) -> object:
    if verdict == leaderboard.WORSE:
        return ""
    if verdict == leaderboard.BETTER:
        return tag("b", "+", title="better than the best, but cut short")
    return tag("b", "=", title="not distinguishable from the best")


def _difference(row: dict[Any, Any]) -> object:
    value = row.get("difference")
    if value is None or math.isnan(value):
        return "best"
    limits = markup.interval(row["difference_low"], row["difference_high"], 4)
    p = f"p {markup.p_text(row['p_holm'])} (Holm)"
    return tag("span", f"{value:+.4f}", tag("small", limits), title=p)


def _told(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {short(value)}" for name, value in values.items())
