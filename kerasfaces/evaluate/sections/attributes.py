"""Whom it fails on: errors by attribute, with what these images can and cannot tell."""

from collections.abc import Sequence

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.evaluate import attribute_words as words
from kerasfaces.evaluate import plots
from kerasfaces.evaluate.group_errors import RATES, is_known
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section, tag

ORDER = 52
_NOTE = (
    "In the charts the dashed line is all groups together, and open dots allow for wrong "
    "labels. Rates are as labelled, with exact intervals. A gap is a group's rate minus that "
    "of the other groups together; p-values are corrected for all comparisons of the report's "
    "attributes (Holm), those of a pair of attributes by themselves."
)
_TITLES = {"false_alarm_rate": "False alarms", "miss_rate": "Misses"}


def report(data: ReportInput) -> Section | None:
    """Return tables, charts and sentences of every attribute; nothing where there is none."""
    measured = data.metrics.get("attributes", {}).get(data.headline, {})
    if not measured:
        return None
    parts = [_attribute(data, *item) for item in measured.items()]
    return Section("Whom it fails on", Markup("").join(parts))


def _attribute(data: ReportInput, column: str, content: Json) -> Markup:
    name = words.title(column)
    parts = [tag("h3", name.capitalize())]
    parts += [markup.paragraph(each) for each in words.quotes(column, content)]
    if len(content["groups"]) > 1:
        parts += [_chart(content, name), _table(data, name, content)]
        parts.append(markup.paragraph(_NOTE, class_="note"))
        parts.append(_fairness(content, name))
    parts += [markup.paragraph(" ".join(words.notes(column, content)), class_="note")]
    if what_if := content.get("thresholds"):
        parts.append(_thresholds(what_if, name))
    return Markup("").join(parts)


def _chart(content: Json, name: str) -> Markup:
    drawn = [
        chart.svg(plots.group_axes(content, key), f"{title} by {name}, 95 % intervals")
        for key, title in _TITLES.items()
        if any(is_known(group[key]) for group in content["groups"].values())
    ]
    return markup.row(*drawn)


def _table(data: ReportInput, name: str, content: Json) -> Markup:
    header = [name, "real", "fake", "accuracy"]
    for title in _TITLES.values():
        header += [title.lower(), "gap to the others"]
    rows = [
        [
            value,
            f"{group['n_real']:,}",
            f"{group['n_fake']:,}",
            markup.estimate(group["accuracy"]),
            *(cell for key in RATES for cell in _cells(group, key)),
        ]
        for value, group in content["groups"].items()
    ]
    caption = f"Errors by {name}, on {data.headline}, at the frozen threshold"
    return markup.table(caption, header, rows)


def _cells(group: Json, key: str) -> tuple[Markup, Markup]:
    gap = words.gap_of(group, key)
    shown = _rate(group, key)
    if gap is None:
        return shown, tag("span", "not compared", class_="verdict missing")
    value, low, high = (100 * gap[part] for part in ("value", "low", "high"))
    text = f"{value:+.1f} points ({low:+.1f} to {high:+.1f}), p {markup.p_text(gap['p_holm'])}"
    if words.is_gap(gap):
        verdict = tag("b", "more" if gap["value"] > 0 else "fewer")
    else:
        verdict = tag("span", "not told apart", class_="missing")
    return shown, tag("span", verdict, " ", tag("small", text), class_="verdict")


def _rate(group: Json, key: str) -> Markup:
    """Return a rate as labelled and, where it is known, with wrong labels allowed for."""
    corrected = group.get("corrected", {}).get(key)
    if corrected is None:
        return markup.estimate(group[key])
    as_labelled = tag("small", markup.interval(group[key]["low"], group[key]["high"]))
    limits = markup.interval(corrected["low"], corrected["high"])
    allowed = f"allowing for wrong labels {markup.number(corrected['value'])}, {limits}"
    value = markup.number(group[key]["value"])
    return tag(
        "span", value, " ", as_labelled, " ", tag("small", allowed), class_="estimate"
    )


def _fairness(content: Json, name: str) -> Markup:
    """Return equalised odds and calibration, the largest gap of two groups in either."""
    offsets = [
        f"{value} {markup.number(group['calibration']['value'])} "
        f"({markup.interval(group['calibration']['low'], group['calibration']['high'])})"
        for value, group in content["groups"].items()
        if "calibration" in group
    ]
    rows = [
        [
            "equalised odds: largest gap of two groups in false alarms or misses",
            markup.estimate(content["equalised_odds"]),
        ],
        [
            "calibration: largest gap of two groups in mean score minus share of fakes",
            markup.estimate(content["calibration_gap"]),
        ],
    ]
    table = markup.table(f"Two summaries of {name}", ["", "gap"], rows)
    note = (
        "Their intervals hold for all pairs of groups at once, labels taken as exact; one that "
        "starts at 0 shows no gap."
    )
    if offsets:
        note += f" Scores are too high (above 0) or too low by: {'; '.join(offsets)}."
    return table + markup.paragraph(note, class_="note")


def _thresholds(what_if: Json, name: str) -> Markup:
    summary = f"What if every group of {name} had its own threshold?"
    if "why_not" in what_if:
        text = f"Not counted: {what_if['why_not']}."
        return markup.details(summary, markup.paragraph(text))
    rows = [_threshold_row(value, each) for value, each in what_if["groups"].items()]
    header = [name, "own threshold", *_paired("false alarms"), *_paired("misses")]
    everybody = what_if["groups"]["all"]
    changes = [
        100 * (everybody["own"][key]["value"] - everybody["frozen"][key]["value"])
        for key in RATES
        if is_known(everybody["frozen"][key])
    ]
    cost = " and ".join(
        f"{title.lower()} by {change:+.1f} points"
        for title, change in zip(_TITLES.values(), changes, strict=False)
    )
    text = (
        "Nothing here is applied. Each threshold was set on validation, for no more than the "
        f"{100 * what_if['allowed']:.1f} % false alarms that everybody has there. Over all "
        f"groups it would change {cost}. It would need the group of every face before every "
        "answer, from people or an annotator who are sometimes wrong, and would judge two "
        "equal pictures differently."
    )
    caption = f"Thresholds by {name}: a what-if"
    table = markup.table(caption, header, rows)
    return markup.details(summary, markup.paragraph(text), table)


def _paired(title: str) -> tuple[str, str]:
    return f"{title}, frozen", f"{title}, own"


def _threshold_row(value: str, each: Json) -> Sequence[object]:
    return [
        value,
        markup.number(each["threshold"]),
        *(
            markup.estimate(each[which][key])
            for key in RATES
            for which in ("frozen", "own")
        ),
    ]
