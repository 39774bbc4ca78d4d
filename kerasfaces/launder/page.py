"""launder.json -> one self-contained HTML page."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.evaluate.names import TITLES
from kerasfaces.launder import heatmap
from kerasfaces.launder.cells import ALL, NO_VERDICT
from kerasfaces.report import chart, markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import MISSING, Section, interval, number, tag

_NAMES = TITLES | {
    "auc_change": "Change of AUC",
    "recall": "TPR",
    "false_alarm_rate": "False alarms",
    "tpr_at_fpr_1pct": "TPR at 1 %",
    "false_alarms_at_fpr_1pct": "False alarms there",
    "coverage": "Coverage",
    "risk": "Risk",
    "shift_real": "Shift of reals",
    "shift_fake": "Shift of fakes",
    "bias_index": "Bias index",
}
_VERDICTS = (
    "auc",
    "balanced_accuracy",
    "recall",
    "false_alarm_rate",
    "tpr_at_fpr_1pct",
    "false_alarms_at_fpr_1pct",
)
_BIAS = ("bias_index", "shift_real", "shift_fake", "auc_change")


def render(content: Json) -> str:
    """Return the page of a matrix's content."""
    parts = [
        ("matrix", _matrix(content)),
        ("verdicts", _verdicts(content)),
        ("bias", _bias(content)),
        ("risk", _risk(content)),
        ("cameras", _cameras(content)),
        ("cells", _cells(content)),
        ("left-out", _left_out(content)),
        ("settings", _settings(content)),
    ]
    split = content["settings"]["split"]
    return pages.page(
        content["name"],
        "kerasfaces laundering matrix",
        content["warnings"],
        parts,
        pages.measured_on(split),
    )


def headline(content: Json) -> str:
    """Return the worst cell in words."""
    cell = content["worst"]
    if cell is None:
        return "No cell could be measured."
    auc = cell["metrics"]["auc"]
    return (
        f"Worst cell: {cell['generator']}, {heatmap.name_of(cell)}: AUC "
        f"{number(auc['value'])} ({interval(auc['low'], auc['high'])}; {cell['n_real']:,} real, "
        f"{cell['n_fake']:,} fake)."
    )


def strongest(content: Json) -> list[Json]:
    """Return the cells over all generators, untouched and at each laundering's last strength."""
    names = list(dict.fromkeys(each["generator"] for each in content["cells"]))
    whole = ALL if ALL in names else names[0]
    last: dict[str, Json] = {}
    for cell in content["cells"]:
        if cell["generator"] == whole and cell["status"] == "run":
            last[cell["laundering"]] = cell
    return list(last.values())


def _matrix(content: Json) -> Section:
    cells = [each for each in content["cells"] if not _too_few(each)]
    picture = heatmap.draw(cells, content["worst"])
    caption = (
        "AUC of each generator's fakes against all real photos, both laundered alike. The number "
        "beside a row is the strength, mild ones first. Dashed: the worst cell. Of so many "
        "cells the lowest is low partly by chance: its interval is that of one cell."
    )
    figure = tag("figure", picture, tag("figcaption", caption), class_="scroll")
    lead = markup.paragraph(headline(content), class_="lead")
    return Section("What is left after laundering", lead + figure)


def _verdicts(content: Json) -> Section:
    note = markup.paragraph(
        "All generators together, each laundering at its strongest. Thresholds are those that "
        "validation froze on images as they were: where false alarms leave the 1 % they were set "
        "for, the TPR beside them is no longer one at 1 %.",
        class_="note",
    )
    table = _table("At the frozen thresholds", strongest(content), _VERDICTS)
    return Section("What it does to the verdicts", note + table)


def _bias(content: Json) -> Section:
    note = markup.paragraph(
        "Does laundering move reals and fakes alike? A shift is the mean change of the logit, in "
        "standard deviations of the untouched logits within a class; above zero is towards fake. "
        "The bias index is the shift of the reals minus that of the fakes. At 0 both move alike: "
        "the ranking stays, and the frozen threshold is what fails. Above 0 the classes approach "
        "each other: photos rise (the laundering itself looks fake), fakes sink (their traces are "
        "gone), or both. Below 0 it drives them apart, which a detector does that reads the "
        "laundering. Robustness, the change of the AUC, is another matter: it can fall without "
        "any mean shift, and stay while all images move far. It is paired, on images that have a "
        "logit before and after.",
        class_="note",
    )
    rows = [each for each in strongest(content) if each["laundering"]]
    return Section("Bias, apart from robustness", note + _table("Shifts", rows, _BIAS))


def _risk(content: Json) -> Section:
    axes = chart.axes(
        (0.3, 1), (0, _highest(content)), x_label="coverage", y_label="risk"
    )
    kinds = ["real", "fake", "s2"]
    entries = []
    for kind, (name, curve) in zip(kinds, content["curves"].items(), strict=False):
        rows = [
            [value if value is not None else float("nan") for value in curve[key]]
            for key in ("coverage", "risk", "low", "high")
        ]
        chart.line(axes, rows[0], rows[1], kind)
        for limit in rows[2:]:
            chart.line(axes, rows[0], limit, f"{kind} thin faint")
        where = " (of the worst cell)" if kind == kinds[2] else ""
        entries.append((kind, name + where))
    low, high = content["abstain"]
    caption = (
        "Share of wrong answers among the surest images, both classes weighing the same; thin: "
        "95 % (bootstrap of images, all versions of one together)."
    )
    figure = markup.figure(
        chart.svg(axes, "Risk over coverage"),
        chart.legend(entries) + tag("div", caption),
    )
    table = _table("With the frozen band", strongest(content), ("coverage", "risk"))
    note = markup.paragraph(
        f"Unsure is a score of {low:.3f} to {high:.3f}, as validation froze it on images as they "
        "were. Coverage is the share that still gets an answer, risk the share of wrong ones among "
        "those, each the mean of reals and fakes. A band that knew of the laundering would keep the "
        "risk and pay in coverage.",
        class_="note",
    )
    return Section("Risk against coverage", note + markup.row(figure, table))


def _cameras(content: Json) -> Section:
    untouched = [each for each in content["cameras"] if not each["laundering"]]
    cameras = {
        each["camera"]: f"{each['camera']} ({each['n']:,})" for each in untouched
    }
    shown = {(each["laundering"], each["strength"]) for each in strongest(content)}
    lines: dict[str, Json] = {}
    for each in content["cameras"]:
        if (each["laundering"], each["strength"]) in shown:
            line = lines.setdefault(heatmap.name_of(each), {})
            line[each["camera"]] = each["at_fpr_1pct"]
    rows = [
        [name, *(markup.estimate(line[camera]) for camera in cameras)]
        for name, line in lines.items()
    ]
    caption = (
        "Photos called fake at the threshold that validation set for 1 % false alarms"
    )
    return Section(
        "Camera by camera",
        markup.table(caption, ["Laundering", *cameras.values()], rows),
    )


def _cells(content: Json) -> Section:
    cells = [each for each in content["cells"] if each["status"] == "run"]
    table = _table(
        "Every cell", cells, (*_VERDICTS, "auc_change", "bias_index"), every=True
    )
    note = markup.paragraph(
        "launder.csv has these numbers and the rest, laundered.csv every image's logits.",
        class_="note",
    )
    return Section("Every cell", markup.details(f"{len(cells):,} cells", note, table))


def _left_out(content: Json) -> Section:
    rows: list[Sequence[object]] = [
        ["every version", why, f"{n:,} of {content['images']['n']:,}"]
        for why, n in content["unreadable"].items()
    ]
    rows += [
        [each["version"], each["reason"], f"{each['n']:,} of {each['of']:,}"]
        for each in content["lost"]
    ]
    rows += [
        [f"{each['generator']}, {heatmap.name_of(each)}", each["status"], MISSING]
        for each in content["cells"]
        if each["status"] != "run" and not each["status"].startswith(NO_VERDICT)
    ]
    if not rows:
        text = "Nothing: every version of every image has a logit."
        return Section("What was left out", markup.paragraph(text))
    header = ["Version", "Why", "Images"]
    table = markup.table("Without a logit", header, rows, numeric=False)
    return Section("What was left out", table)


def _settings(content: Json) -> Section:
    rows = list(content["settings"].items())
    table = markup.table("Settings", ["Setting", "Value"], rows, numeric=False)
    return Section("Settings", table)


def _table(
    caption: str, cells: Sequence[Json], metrics: Sequence[str], every: bool = False
) -> Markup:
    """Return a table of cells; `every` names the generator, too."""
    header = ["Laundering", *(["Generator"] if every else []), "Real", "Fake"]
    rows = [
        [
            heatmap.name_of(cell),
            *([cell["generator"]] if every else []),
            f"{cell['n_real']:,}",
            f"{cell['n_fake']:,}",
            *_values(cell, metrics),
        ]
        for cell in cells
    ]
    return markup.table(caption, [*header, *(_NAMES[name] for name in metrics)], rows)


def _values(cell: Json, metrics: Sequence[str]) -> Iterator[object]:
    for name in metrics:
        metric = cell["metrics"].get(name)
        yield MISSING if metric is None else markup.estimate(metric)


def _highest(content: Json) -> float:
    """Return the end of the risk axis."""
    every = [
        value
        for curve in content["curves"].values()
        for value in curve["high"]
        if value is not None
    ]
    return min(1.0, 1.05 * float(max([0.1, *every])))


def _too_few(cell: Json) -> bool:
    return "fewer than" in str(cell["status"])
