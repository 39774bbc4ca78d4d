"""attribution.json -> one self-contained page."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from kerasfaces.attribute import picture
from kerasfaces.attribute.classes import REAL, UNKNOWN
from kerasfaces.attribute.measure import Matrix
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.forest import forest
from kerasfaces.report.markup import Section, tag

TITLES = {
    "macro_f1": "Macro-F1",
    "accuracy": "Accuracy",
    "mean_recall": "Mean recall",
}
_MEANINGS = {
    "macro_f1": "mean F1 of the classes",
    "accuracy": "right calls",
    "mean_recall": "mean of the classes' right calls",
}


def render(content: Mapping[str, Any], name: str) -> str:
    """Return the page.

    Args:
        content: What attribution.json holds.
        name: Its heading.
    """
    parts = [
        ("result", _result(content)),
        ("confusion", _confusion(content)),
        ("classes", _classes(content)),
        ("unknown", _left_out(content)),
        ("reals", _reals(content)),
        ("images", _images(content)),
        ("settings", _settings(content)),
    ]
    return pages.page(
        name,
        "kerasfaces attribution",
        content["notes"],
        parts,
        pages.measured_on("test"),
    )


def matrix_of(found: Mapping[str, Any]) -> Matrix:
    """Return the matrix of a measured part."""
    held = found["matrix"]
    return Matrix(
        tuple(held["true"]), tuple(held["called"]), np.array(held["counts"], np.int64)
    )


def _result(content: Mapping[str, Any]) -> Section:
    found = content["test"]["with_unknown"]
    names = content["classes"]["names"]
    lead = (
        f"{found['n']:,} test images of {len(names)} classes: {', '.join(names)}. Every call "
        "may be “unknown”; under each number its 95 % interval."
    )
    cards = [_card(title, found[key], _MEANINGS[key]) for key, title in TITLES.items()]
    cards.append(
        _card(
            "AUROC of unknown",
            content["mean_auroc_unknown"],
            "chance that a generator never seen looks less known than the known; mean over "
            "generators left out",
        )
    )
    return Section(
        "Result",
        markup.paragraph(lead, class_="lead") + tag("div", *cards, class_="cards"),
    )


def _card(title: str, found: Mapping[str, Any], meaning: str) -> Markup:
    limits = markup.interval(found["low"], found["high"])
    said = found["method"] if found["value"] is None else limits
    return tag(
        "div",
        tag("div", title, class_="name"),
        tag("div", markup.number(found["value"]), class_="value"),
        tag("div", said, class_="limits"),
        tag("div", meaning, class_="meaning"),
        class_="card",
        title=found["method"],
    )


def _confusion(content: Mapping[str, Any]) -> Section:
    test = content["test"]
    point = content["open_set"]
    note = (
        f"Rejection was set on {point['n']:,} validation images so that at most "
        f"{100 * point['rate']:g} % of the known are called unknown, each class weighing alike (there: "
        f"{100 * point['rejected']:.1f} %; of the test images, as they are, {_percent(test['rejected'])})."
    )
    figures = [
        tag(
            "div",
            markup.figure(
                picture.confusion(matrix_of(test[key]), f"Confusion matrix, {title}"),
                title,
            ),
            class_="wide",
        )
        for key, title in (
            (
                "with_unknown",
                "Test images, with rejection: blue is right, orange wrong",
            ),
            ("forced", "The same images, each forced into a class"),
        )
    ]
    forced = test["forced"]["macro_f1"]
    said = (
        f"Forced into a class, macro-F1 is {markup.number(forced['value'])} "
        f"({markup.interval(forced['low'], forced['high'])})."
    )
    return Section(
        "What was called what",
        markup.paragraph(note) + Markup("").join(figures) + markup.paragraph(said),
    )


def _classes(content: Mapping[str, Any]) -> Section:
    counts = content["classes"]["counts"]
    measured = content["test"]["with_unknown"]["classes"]
    rows: list[list[object]] = []
    for name in [REAL, *sorted(set(counts) - {REAL})]:
        own = [f"{counts[name][split]:,}" for split in ("train", "val", "test")]
        found = measured.get(name)
        if name in content["classes"]["few"] or found is None:
            few = tag("span", "too few images", class_="missing")
            rows.append([name, *own, few, markup.MISSING, markup.MISSING])
            continue
        rows.append(
            [
                name,
                *own,
                markup.estimate(found["recall"]),
                markup.estimate(found["precision"]),
                markup.number(found["f1"]),
            ]
        )
    least = content["classes"]["least"]
    wanted = ", ".join(f"{least[split]} {split}" for split in ("train", "val", "test"))
    caption = f"With rejection; a class needs {wanted} images"
    header = ["Class", "Train", "Val", "Test", "Recall", "Precision", "F1"]
    return Section("Class by class", markup.table(caption, header, rows))


def _left_out(content: Mapping[str, Any]) -> Section:
    title = "Generators never seen"
    folds = content["left_out"]
    if not folds:
        return Section(title, markup.paragraph("Not measured: there is one generator."))
    note = (
        "Each generator in turn was left out of training, of the rejection's calibration and of "
        "the choice of a rule, and all its images were then shown. The right call is "
        "“unknown”; “real” means that it passes."
    )
    lines = [
        (f["generator"], f["auroc"]["value"], f["auroc"]["low"], f["auroc"]["high"])
        for f in folds
    ]
    image = forest(lines, "AUROC of unknown for each generator left out", mark=0.5)
    names = [*content["classes"]["names"], UNKNOWN]
    rows = [
        [
            fold["generator"],
            f"{fold['n']:,}",
            markup.estimate(fold["auroc"]),
            markup.estimate(fold["called_unknown"]),
            markup.estimate(fold["called_real"]),
            markup.estimate(fold["known_rejected"]),
            markup.estimate(fold["numbers"]["macro_f1"]),
        ]
        for fold in folds
    ]
    header = [
        "Left out",
        "Images",
        "AUROC of unknown",
        "Called unknown",
        "Called real",
        "Known called unknown",
        "Macro-F1",
    ]
    by_rule = [
        [
            fold["generator"],
            fold["rule"],
            *(markup.estimate(found) for found in fold["auroc_by_rule"].values()),
        ]
        for fold in folds
    ]
    rules = [*folds[0]["auroc_by_rule"]]
    called = [
        [fold["generator"], *(_count(fold["called"].get(name)) for name in names)]
        for fold in folds
    ]
    met = sum(fold["n_met"] for fold in folds)
    more = (
        f" {met:,} of their images share a pair or a person with an image that was trained or "
        "validated on, and are left out."
        if met
        else ""
    )
    return Section(
        title,
        markup.paragraph(note + more)
        + tag("div", markup.figure(image, "AUROC of unknown, 95 %"), class_="wide")
        + markup.table(
            "95 % intervals; macro-F1 counts unknown as a class", header, rows
        )
        + markup.table(
            "AUROC of unknown by rule. The rule in use was chosen by leaving each of the others "
            "out as well: best on their validation images, by heads that never saw this one. "
            "With two generators there are no such heads, and it is doubt",
            ["Left out", "Rule in use", *rules],
            by_rule,
        )
        + markup.table("What they were called, images", ["Left out", *names], called),
    )


def _reals(content: Mapping[str, Any]) -> Section:
    names = [*content["classes"]["names"], UNKNOWN]
    rows = [
        [
            each["source"],
            f"{each['n']:,}",
            *(_count(each["called"].get(n, 0)) for n in names),
        ]
        for each in content["test"]["real_sources"]
    ]
    note = "All sets of real images are one class; this is what each was called."
    table = markup.table("Test images", ["Real images of", "Images", *names], rows)
    return Section("Real images by source", markup.paragraph(note) + table)


def _images(content: Mapping[str, Any]) -> Section:
    n = content["n_unreadable"]
    body = markup.paragraph(f"{n:,} images could not be read and are in no number.")
    if n:
        rows = [[line] for line in content["unreadable"]]
        body += markup.table(
            f"{len(rows)} of {n:,}", ["Path: reason"], rows, numeric=False
        )
    return Section("Unreadable images", body)


def _settings(content: Mapping[str, Any]) -> Section:
    values = {
        "detector": content.get("detector", markup.MISSING),
        "unknown rule": content["open_set"]["rule"],
        "unknown threshold": markup.number(content["open_set"]["threshold"], 4),
        **content["config"],
    }
    rows = [[key, str(value)] for key, value in values.items()]
    note = (
        "Head: multinomial logistic regression on the detector's frozen features, classes "
        "weighing alike. Unknown, whichever was best on validation: the head's doubt (minus the "
        "log odds of the likeliest class), the distance from the nearest class, or both added, "
        "each on the scale of known validation images."
    )
    table = markup.table("Settings", ["Key", "Value"], rows, numeric=False)
    return Section("Settings", markup.paragraph(note) + table)


def _count(count: int | None) -> str:
    return markup.MISSING if count is None else f"{count:,}"


def _percent(found: Mapping[str, Any]) -> str:
    if found["value"] is None:
        return markup.MISSING
    return (
        f"{100 * found['value']:.1f} %, {100 * found['low']:.1f} to "
        f"{100 * found['high']:.1f}"
    )
