"""One table per column: every source and every attribute group with its interval."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.evaluate import names
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section, tag

ORDER = 50
_METRICS = {
    "accuracy": "accuracy",
    "auc": "AUC",
    "false_alarm_rate": "false alarms",
    "recall": "fakes found",
}
_NOTE = (
    "A fake source is set against all reals of the split, a real source against all fakes; an "
    "attribute's line is the images that have it. The last column compares accuracy, real "
    "and fake weighted alike, with the other groups of the same column: Newcombe's interval, "
    "and a p-value corrected for the number of groups (Holm). “Not distinguishable at this n” "
    "does not mean equal."
)


def report(data: ReportInput) -> Section:
    """Return the tables; a sentence where there is nothing to group by."""
    columns = data.metrics["groups"][data.headline]
    drawn = data.metrics.get("samples_per_group", {}).get(data.headline, {})
    parts = [
        _table(data, name, compared) for name, compared in columns.items() if compared
    ]
    if parts:
        parts.append(markup.paragraph(_NOTE, class_="note"))
    else:
        parts = [markup.paragraph("The predictions name no source and no attribute.")]
    if drawn:
        parts.append(
            markup.row(*(_sampled(*item) for item in drawn.items() if item[1]))
        )
    return Section("Groups", Markup("").join(parts))


def _table(data: ReportInput, column: str, compared: Sequence[Json]) -> Markup:
    name = names.group_name(column)
    rows = [
        _row(group, data.slices[f"{column}={group['value']}"])
        for group in compared
        if f"{column}={group['value']}" in data.slices
    ]
    caption = f"By {name}, on {data.headline}, at the frozen threshold"
    last = tag("span", "against the others", class_="verdict")
    header = [name, "real", "fake", "unread", "", *_METRICS.values(), last]
    return markup.table(caption, header, rows)


def _row(group: Json, part: Json) -> list[object]:
    accuracy = part["accuracy"]
    bar: object = markup.MISSING
    if accuracy["value"] is not None:
        bar = chart.strip(accuracy["value"], accuracy["low"], accuracy["high"], 0.5)
    return [
        group["value"],
        f"{part['n_real']:,}",
        f"{part['n_fake']:,}",
        f"{part['n_unreadable']:,}",
        bar,
        *(markup.estimate(part[metric]) for metric in _METRICS),
        _verdict(group),
    ]


def _verdict(group: Json) -> Markup:
    if not group["on"]:
        return tag("span", "nothing to compare", class_="verdict missing")
    difference, low, high = (100 * group[key] for key in ("difference", "low", "high"))
    text = f"{difference:+.1f} points ({low:+.1f} to {high:+.1f})"
    text += "" if group["on"] == "real and fake" else f", {group['on']} only"
    if group["distinguishable"]:
        verdict = tag("b", "better" if difference > 0 else "worse")
    else:
        verdict = tag("span", "not distinguishable at this n", class_="missing")
    text += f", p {markup.p_text(group['p_holm'])}"
    return tag("span", verdict, " ", tag("small", text), class_="verdict")


def _sampled(column: str, drawn: Mapping[str, Json]) -> Markup:
    name = names.group_name(column)
    rows = [
        [
            value,
            f"{part['n']:,}",
            f"{part['n_real']:,}",
            markup.estimate(part["accuracy"]),
        ]
        for value, part in drawn.items()
    ]
    caption = f"Accuracy over images drawn at random per {name} (kabber2023's protocol)"
    return markup.table(caption, [name, "drawn", "real", "accuracy"], rows)
