"""attribution.json -> one self-contained page."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from kerasfaces.attribute.classes import REAL, SPLITS, UNKNOWN
from kerasfaces.core.files import Json
from kerasfaces.metrics.intervals import EstimateJson
from kerasfaces.report import chart, markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import Section, tag

TITLES = {"macro_f1": "Macro-F1", "accuracy": "Accuracy", "mean_recall": "Mean recall"}
_MEANINGS = {
    "macro_f1": "mean F1 of the classes",
    "accuracy": "right calls",
    "mean_recall": "mean of the classes' right calls",
}
_FOLD_NUMBERS = {
    "auroc": "AUROC of unknown",
    "called_unknown": "Called unknown",
    "called_real": "Called real",
    "known_rejected": "Known called unknown",
}


def render(content: Json, name: str) -> str:
    """Return the page of an attribution.json."""
    parts = {
        "result": _result(content),
        "confusion": _confusion(content),
        "classes": _classes(content),
        "unknown": _left_out(content),
        "reals": _reals(content),
        "images": _images(content),
        "settings": _settings(content),
    }
    footer = pages.measured_on("test")
    return pages.page(
        name, "kerasfaces attribution", content["notes"], [*parts.items()], footer
    )


def _result(content: Json) -> Section:
    calls = content["test"]["with_unknown"]
    names = content["classes"]["names"]
    lead = (
        f"{calls['n']:,} test images of {len(names)} classes: {', '.join(names)}. Every call "
        "may be “unknown”; under each number its 95 % interval."
    )
    cards = [
        markup.card(title, calls[key], _MEANINGS[key]) for key, title in TITLES.items()
    ]
    meaning = (
        "chance that a generator never seen looks less known than the known; mean over "
        "generators left out"
    )
    auroc = markup.card("AUROC of unknown", content["mean_auroc_unknown"], meaning)
    body = tag("div", *cards, auroc, class_="cards")
    return Section("Result", markup.paragraph(lead, class_="lead") + body)


def _confusion(content: Json) -> Section:
    test, point = content["test"], content["open_set"]
    note = (
        f"Rejection was set on {point['n']:,} validation images so that at most "
        f"{100 * point['rate']:g} % of the known are called unknown, each class weighing alike (there: "
        f"{100 * point['rejected']:.1f} %; of the test images, as they are, {_percent(test['rejected'])})."
    )
    titles = {
        "with_unknown": "Test images, with rejection: blue is right, orange wrong",
        "forced": "The same images, each forced into a class",
    }
    figures = [
        _wide(_matrix(test[key]["matrix"], f"Confusion matrix, {title}"), title)
        for key, title in titles.items()
    ]
    forced = test["forced"]["macro_f1"]
    forced_note = (
        f"Forced into a class, macro-F1 is {markup.number(forced['value'])} "
        f"({markup.interval(forced['low'], forced['high'])})."
    )
    parts = [markup.paragraph(note), *figures, markup.paragraph(forced_note)]
    return Section("What was called what", Markup("").join(parts))


def _wide(image: Markup, caption: str) -> Markup:
    return tag("div", markup.figure(image, caption), class_="wide")


def _matrix(matrix: Json, description: str) -> Markup:
    """Return the picture: rows are true, columns what was called, darker is more."""
    n_rows, n_columns = len(matrix["true"]), len(matrix["called"])
    margins = (176.0, 64.0, 128.0, 12.0)
    axes = chart.axes(
        (-0.5, n_columns - 0.5),
        (n_rows - 0.5, -0.5),
        size_px=(240 + 78.0 * n_columns, 140 + 46.0 * n_rows),
        margins_px=margins,
    )
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks(
        range(n_rows), [chart.shortened(name, 22) for name in matrix["true"]]
    )
    ink = chart.COLOURS["ink"]
    chart.text(axes, -0.5, -0.5, "called", shift_px=(0, 108), colour=ink)
    chart.text(axes, n_columns - 0.5, -0.5, "images", shift_px=(8, 14))
    for column, name in enumerate(matrix["called"]):
        words = chart.shortened(name, 22)
        chart.text(axes, column, -0.5, words, shift_px=(0, 12), turned=32)
    lines = zip(matrix["true"], matrix["counts"], strict=True)
    for row, (name, counts) in enumerate(lines):
        n = sum(counts)
        chart.text(axes, n_columns - 0.5, row, f"{n:,}", shift_px=(8, 0))
        for column, count in enumerate(counts):
            share = count / n if n else 0.0
            right = matrix["called"][column] == name
            colour = chart.COLOURS["real" if right else "fake"]
            chart.cell(axes, column, row, colour, alpha=0.04 + 0.76 * share)
            if count:
                words = f"{count:,} ({100 * share:.0f} %)"
                chart.text(axes, column, row, words, align="center", colour=ink)
    return chart.svg(axes, description)


def _classes(content: Json) -> Section:
    counts = content["classes"]["counts"]
    measured = content["test"]["with_unknown"]["classes"]
    few = tag("span", "too few images", class_="missing")
    rows: list[list[object]] = []
    for name in [REAL, *sorted(set(counts) - {REAL})]:
        numbers: list[object] = [few, markup.MISSING, markup.MISSING]
        if name not in content["classes"]["few"] and name in measured:
            rates = (measured[name][key] for key in ("recall", "precision"))
            numbers = [
                *map(markup.estimate, rates),
                markup.number(measured[name]["f1"]),
            ]
        own = [f"{counts[name][split]:,}" for split in SPLITS]
        rows.append([name, *own, *numbers])
    least = content["classes"]["least"]
    wanted = ", ".join(f"{least[split]} {split}" for split in SPLITS)
    caption = f"With rejection; a class needs {wanted} images"
    header = ["Class", "Train", "Val", "Test", "Recall", "Precision", "F1"]
    return Section("Class by class", markup.table(caption, header, rows))


def _left_out(content: Json) -> Section:
    title = "Generators never seen"
    folds = content["left_out"]
    if not folds:
        return Section(title, markup.paragraph("Not measured: there is one generator."))
    note = (
        "Each generator in turn was left out of training, of the rejection's calibration and of "
        "the choice of a rule, and all its images were then shown. The right call is "
        "“unknown”; “real” means that it passes."
    )
    met = sum(fold["n_met"] for fold in folds)
    if met:
        note += (
            f" {met:,} of their images share a pair or a person with an image that was trained "
            "or validated on, and are left out."
        )
    lines = [
        (f["generator"], *(f["auroc"][key] for key in ("value", "low", "high")))
        for f in folds
    ]
    image = chart.forest(
        lines, "AUROC of unknown for each generator left out", mark=0.5
    )
    names = [*content["classes"]["names"], UNKNOWN]
    called = [[f["generator"], *_counts(f["called"], names)] for f in folds]
    parts = [
        markup.paragraph(note),
        _wide(image, "AUROC of unknown, 95 %"),
        _fold_numbers(folds),
        _fold_rules(folds),
        markup.table("What they were called, images", ["Left out", *names], called),
    ]
    return Section(title, Markup("").join(parts))


def _fold_numbers(folds: Sequence[Json]) -> Markup:
    rows = [
        [
            fold["generator"],
            f"{fold['n']:,}",
            *(markup.estimate(fold[key]) for key in _FOLD_NUMBERS),
            markup.estimate(fold["numbers"]["macro_f1"]),
        ]
        for fold in folds
    ]
    header = ["Left out", "Images", *_FOLD_NUMBERS.values(), "Macro-F1"]
    caption = "95 % intervals; macro-F1 counts unknown as a class"
    return markup.table(caption, header, rows)


def _fold_rules(folds: Sequence[Json]) -> Markup:
    rows = [
        [f["generator"], f["rule"], *map(markup.estimate, f["auroc_by_rule"].values())]
        for f in folds
    ]
    return markup.table(
        "AUROC of unknown by rule. The rule in use was chosen by leaving each of the others "
        "out as well: best on their validation images, by heads that never saw this one. "
        "With two generators there are no such heads, and it is doubt",
        ["Left out", "Rule in use", *folds[0]["auroc_by_rule"]],
        rows,
    )


def _reals(content: Json) -> Section:
    names = [*content["classes"]["names"], UNKNOWN]
    rows = [
        [
            each["source"],
            f"{each['n']:,}",
            *_counts(dict.fromkeys(names, 0) | each["called"], names),
        ]
        for each in content["test"]["real_sources"]
    ]
    note = "All sets of real images are one class; this is what each was called."
    table = markup.table("Test images", ["Real images of", "Images", *names], rows)
    return Section("Real images by source", markup.paragraph(note) + table)


def _images(content: Json) -> Section:
    n = content["n_unreadable"]
    body = markup.paragraph(f"{n:,} images could not be read and are in no number.")
    if n:
        rows = [[line] for line in content["unreadable"]]
        body += markup.table(
            f"{len(rows)} of {n:,}", ["Path: reason"], rows, numeric=False
        )
    return Section("Unreadable images", body)


def _settings(content: Json) -> Section:
    values = {
        "detector": content.get("detector", markup.MISSING),
        "unknown rule": content["open_set"]["rule"],
        "unknown threshold": markup.number(content["open_set"]["threshold"], 4),
        **content["config"],
    }
    note = (
        "Head: multinomial logistic regression on the detector's frozen features, classes "
        "weighing alike. Unknown, whichever was best on validation: the head's doubt (minus the "
        "log odds of the likeliest class), the distance from the nearest class, or both added, "
        "each on the scale of known validation images."
    )
    table = markup.pairs("Settings", values)
    return Section("Settings", markup.paragraph(note) + table)


def _counts(called: Mapping[str, int], names: Sequence[str]) -> list[str]:
    return [f"{called[n]:,}" if n in called else markup.MISSING for n in names]


def _percent(share: EstimateJson) -> str:
    low, high = share["low"], share["high"]
    if share["value"] is None or low is None or high is None:
        return markup.MISSING
    return f"{100 * share['value']:.1f} %, {100 * low:.1f} to {100 * high:.1f}"
