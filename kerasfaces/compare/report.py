"""A comparison -> the sections of its page."""

from pathlib import Path

from markupsafe import Markup

from kerasfaces.compare.comparison import Comparison
from kerasfaces.compare.content import ComparisonJson, DetectorJson
from kerasfaces.compare.detectors import OWN_VALIDATION
from kerasfaces.compare.table import lacking
from kerasfaces.core import config
from kerasfaces.evaluate import names, plots
from kerasfaces.metrics import roc_curve
from kerasfaces.metrics.difference_tests import DifferenceJson
from kerasfaces.metrics.system_differences import METRICS
from kerasfaces.report import chart, markup
from kerasfaces.report import page as pages
from kerasfaces.report.chart import legend
from kerasfaces.report.markup import Section, p_text, tag
from kerasfaces.run import folder as folders
from kerasfaces.run import predictions

_COLOURS = 8  # lines a reader can tell apart


def write(comparison: Comparison, folder: Path | None = None) -> Path:
    """Write compare.json and, last, report.html; return the folder.

    By default it is `runs/compare-<hash of what was compared>`.

    Raises:
        RunError: It holds something else.
    """
    content = comparison.content
    identity = {
        "split": content["split"],
        "reference": content["reference"],
        "seed": content["seed"],
        "resamples": content["resamples"],
        "detectors": {k: each["files"] for k, each in content["detectors"].items()},
    }
    folder = folder or Path("runs") / f"compare-{config.digest(identity, 10)}"
    run = folders.Comparison(folder)
    with run.writing(identity):
        run.result = dict(content)
        title = f"{len(comparison.detectors)} detectors compared"
        run.write_report(render(comparison, title))
    return folder


def render(comparison: Comparison, name: str) -> str:
    """Return the page under a heading."""
    content = comparison.content
    left_out = content["not_compared"].items()
    warnings = [
        *(f"Not compared: {text}: {why}" for text, why in left_out),
        *content["notes"],
        *(
            f"{name}: {note}"
            for name, detector in content["detectors"].items()
            for note in detector["notes"]
        ),
    ]
    parts = {
        "result": _result(content),
        "differences": _differences(content),
        "sources": _sources(content),
        "curves": _curves(comparison),
        "rows": _rows(content),
        "thresholds": _thresholds(content),
    }
    footer = pages.measured_on(content["split"])
    return pages.page(name, "kerasfaces comparison", warnings, [*parts.items()], footer)


def _result(content: ComparisonJson) -> Section:
    lead = (
        f"{content['n']:,} {content['split']} images that every detector scored, "
        f"{content['n_real']:,} real and {content['n_fake']:,} fake, of "
        f"{content['n_known']:,} that some detector names."
    )
    detectors = content["detectors"]
    aucs = {name: d["metrics"]["all"]["auc"] for name, d in detectors.items()}
    picture = chart.forest(
        [(name, a["value"], a["low"], a["high"]) for name, a in aucs.items()],
        f"AUC of {len(aucs)} detectors with 95 % intervals",
    )
    rows = [
        [name, *(markup.estimate(detector["metrics"]["all"][m]) for m in METRICS)]
        for name, detector in detectors.items()
    ]
    header = ["Detector", *(names.TITLES[m] for m in METRICS)]
    caption = "Under each number its 95 % interval; a dash says why under the pointer"
    body = (
        markup.paragraph(lead, class_="lead")
        + tag("div", markup.figure(picture, "AUC, 95 % intervals"), class_="wide")
        + markup.table(caption, header, rows)
    )
    return Section("Result", body)


def _differences(content: ComparisonJson) -> Section:
    reference = content["reference"]
    rule = content["reference_rule"]
    note = f"Each detector minus {reference} on the same images, by a paired bootstrap."
    if rule != "asked for":
        note += f" {reference} has {rule}."
    others = {k: v for k, v in content["detectors"].items() if k != reference}
    rows = [
        [name, names.TITLES[m], *_difference(detector["differences"]["all"][m])]
        for name, detector in others.items()
        for m in METRICS
    ]
    header = ["Detector", "Metric", "Difference", "95 % interval", "p", "p (Holm)"]
    caption = "Holm: corrected for the number of detectors"
    return Section(
        f"Against {reference}",
        markup.paragraph(note) + markup.table(caption, header, rows),
    )


def _difference(minus: DifferenceJson) -> list[object]:
    if minus["value"] is None:
        reason = tag("span", markup.MISSING, title=minus["method"], class_="missing")
        return [reason, minus["method"], markup.MISSING, markup.MISSING]
    limits = markup.interval(minus["low"], minus["high"])
    return [
        f"{minus['value']:+.3f}",
        tag("span", limits, title=minus["method"]),
        p_text(minus["p"]),
        p_text(minus["p_holm"]),
    ]


def _sources(content: ComparisonJson) -> Section:
    note = (
        "A generator is measured against all real images, a set of real images against all "
        "fakes. Small print: difference from "
        f"{content['reference']}, p corrected for all sources and detectors."
    )
    header = ["Source", "Real", "Fake", *content["detectors"]]
    rows = [
        [
            name.removeprefix("source="),
            f"{counts['n_real']:,}",
            f"{counts['n_fake']:,}",
            *(_source_cell(each, name) for each in content["detectors"].values()),
        ]
        for name, counts in content["slices"].items()
        if name != "all"
    ]
    return Section(
        "By source", markup.paragraph(note) + markup.table("AUC", header, rows)
    )


def _source_cell(detector: DetectorJson, name: str) -> Markup:
    value = markup.estimate(detector["metrics"][name]["auc"])
    minus = detector["differences"].get(name, {}).get("auc")
    if minus is None or minus["value"] is None:
        return value
    p = p_text(minus["p_holm"])
    return value + tag("small", f"{minus['value']:+.3f}, p {p}")


def _curves(comparison: Comparison) -> Section:
    shown = comparison.detectors[:_COLOURS]
    charts = []
    for log in (False, True):
        axes = plots.roc_axes(0.001 if log else 0.0)
        plots.diagonal(axes)
        for index, each in enumerate(shown):
            frame = comparison.rows.frames[each.name]
            curve = roc_curve(comparison.rows.fake, predictions.ranking(frame))
            chart.line(axes, curve.x, curve.y, f"s{index}", steps=True)
        caption = "ROC curves" + (", few false alarms enlarged" if log else "")
        image = chart.svg(axes, f"{caption}, of {len(shown)} detectors")
        charts.append(markup.figure(image, caption))
    keys = legend([(f"s{index}", each.name) for index, each in enumerate(shown)])
    left_out = [each.name for each in comparison.detectors[_COLOURS:]]
    more = f" Not drawn: {', '.join(left_out)}." if left_out else ""
    note = (
        "Read nothing off a curve as a threshold to use: that would be choosing it on "
        f"{comparison.content['split']}.{more}"
    )
    return Section(
        "Every threshold at once",
        markup.row(*charts) + markup.paragraph(keys) + markup.paragraph(note),
    )


def _rows(content: ComparisonJson) -> Section:
    header = ["Detector", "Rows", "No row for", "No score for", "Repeated", "Examples"]
    rows = [
        [
            name,
            f"{detector['n']:,}",
            f"{detector['n_missing']:,}",
            f"{detector['n_unscored']:,}",
            f"{detector['n_repeated']:,}",
            "; ".join(detector["examples"]) or markup.MISSING,
        ]
        for name, detector in content["detectors"].items()
    ]
    note = "Every detector has every row."
    if any(map(lacking, content["detectors"].values())):
        note = "Only images that every detector scored are in the numbers above."
    caption = f"Of {content['n_known']:,} images that some detector names"
    table = markup.table(caption, header, rows, numeric=False)
    return Section("Rows each detector lacks", markup.paragraph(note) + table)


def _thresholds(content: ComparisonJson) -> Section:
    rows = []
    for name, detector in content["detectors"].items():
        point = detector["point"]
        values = [markup.MISSING] * 2
        if point:
            values = [
                tag("span", markup.number(point[key], 4), style="white-space:nowrap")
                for key in ("threshold", "threshold_fpr_1pct")
            ]
        rows.append([name, detector["path"], detector["threshold"], *values])
    header = ["Detector", "Read from", "Threshold", "Value", "At 1 % false alarms"]
    caption = "No threshold was chosen on the compared images"
    if any(OWN_VALIDATION in each["notes"] for each in content["detectors"].values()):
        caption = "Some thresholds were chosen on the compared images: see the notes"
    return Section("Thresholds", markup.table(caption, header, rows, numeric=False))
