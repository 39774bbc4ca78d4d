"""The leaderboard: who chance may have ranked, and who failed, with the reason."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from kerasfaces.metrics.main_effects import short
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag
from kerasfaces.tune.leaderboard import BETTER, HP, WORSE, n_like_best
from kerasfaces.tune.report import StudyInput

ORDER = 20
_SHOWN = 15
_MARKS = {WORSE: "", BETTER: tag("b", "+", title="better than the best, but cut short")}
_ALIKE = tag("b", "=", title="not distinguishable from the best")


def report(data: StudyInput) -> Section | None:
    """Return the first rows, the rest on demand, and the failed ones."""
    rows = data.table[data.table["rank"].notna()].to_dict("records")
    note = markup.paragraph(
        f"{data.objective} on validation, the mean over training seeds. “=” marks the "
        f"{n_like_best(data.table)} of {len(rows)} trials that are not distinguishable from the best: paired bootstrap over "
        "the validation images, Holm's correction over all comparisons, 5 % level. Do not read "
        "an order into them."
    )
    if data.n_ahead:
        note += markup.paragraph(
            f"“+” marks the {data.n_ahead} that were better than the best when they were cut "
            "short: only a whole training can win."
        )
    parts = [note, _table(data, "Best trials", rows[:_SHOWN])]
    if len(rows) > _SHOWN:
        rest = _table(data, "The other trials", rows[_SHOWN:])
        parts.append(markup.details(f"The other {len(rows) - _SHOWN} trials", rest))
    if data.failed:
        failures = []
        for each in data.failed:
            values = [f"{name} {short(v)}" for name, v in each.own_values.items()]
            failures.append([each.trial_id, each.message, ", ".join(values)])
        header = ["Trial", "Why", "Hyperparameters"]
        failed = markup.table("Trials that failed", header, failures, numeric=False)
        parts.append(markup.details(f"{len(data.failed)} trials failed", failed))
    return Section("Leaderboard", Markup("").join(parts))


def _table(
    data: StudyInput, caption: str, rows: Sequence[Mapping[Hashable, Any]]
) -> Markup:
    several = any(row["n_seeds"] > 1 for row in rows)
    header = ["Trial", "", data.objective, *["sd"] * several]
    header += ["minus the best", *data.names, "epochs", "seconds"]
    cells = [
        [
            row["trial"] + " (cut short)" * row["partial"],
            _MARKS.get(row["against_best"], _ALIKE),
            markup.number(row["score"], 4),
            *[markup.number(row["sd"], 4)] * several,
            _difference(row),
            *(
                markup.MISSING if pd.isna(v := row[HP + n]) else short(v)
                for n in data.names
            ),
            str(int(row["epochs"])),
            f"{row['seconds']:.1f}",
        ]
        for row in rows
    ]
    return markup.table(caption, header, cells)


def _difference(row: Mapping[Hashable, Any]) -> object:
    value = row.get("difference")
    if pd.isna(value):
        return "best"
    limits = markup.interval(row["difference_low"], row["difference_high"], 4)
    p = f"p {markup.p_text(row['p_holm'])} (Holm)"
    return tag("span", f"{value:+.4f}", tag("small", limits), title=p)
