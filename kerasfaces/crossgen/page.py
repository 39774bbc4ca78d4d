"""The matrix as one self-contained HTML page: picture, tables, tests, what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from kerasfaces.crossgen import heatmap, plan
from kerasfaces.crossgen.collect import Found, worst
from kerasfaces.crossgen.results import Result
from kerasfaces.evaluate.names import HEADLINES, TITLES
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import MISSING, Section, interval, number, p_text, tag


def render(result: Result) -> str:
    """Return the page."""
    parts = [("matrix", _matrix(result))]
    if not result.plan.pairings:
        parts += [("left-out", _left_out(result)), ("combined", _combined(result))]
    parts += [
        ("metrics", _metrics(result)),
        ("training-sets", _training_sets(result)),
        ("settings", _settings(result)),
    ]
    return pages.page(
        result.name,
        "kerasfaces generator matrix",
        result.warnings,
        parts,
        pages.measured_on("test"),
    )


def lines(result: Result) -> tuple[tuple[str, ...], list[heatmap.Line]]:
    """Return the picture's columns and rows: matrix, all, all but the tested one."""
    if result.plan.pairings:
        return _pairing_lines(result)
    columns = result.plan.generators
    cells = {
        (each.cell.table, each.cell.name, each.cell.tested): each
        for each in result.found
    }
    found = [
        heatmap.Line(name, [cells.get((plan.MATRIX, name, test)) for test in columns])
        for name in result.plan.generators
    ]
    found += [
        heatmap.Line(name, [], note=f"not run: {n} images")
        for name, n in result.sources.few.items()
    ]
    if len(result.plan.generators) > 1:
        kinds = (
            ("all", plan.COMBINED, "all"),
            ("all but the tested", plan.LEAVE_ONE_OUT, "all but {}"),
        )
        found += [
            heatmap.Line(
                shown,
                [cells.get((table, name.format(test), test)) for test in columns],
                apart=shown == "all",
            )
            for shown, table, name in kinds
        ]
    return columns, found


def headline(result: Result) -> str:
    """Return the worst cell in words."""
    found = worst(result.found)
    if found is None:
        return "No cell could be measured."
    auc = found.metrics["auc"]
    beaten = (
        " (below .5: it ranks these fakes below the reals)"
        if auc["high"] is not None and auc["high"] < 0.5
        else ""
    )
    return (
        f"Worst cell: trained on {found.cell.name}, tested on {found.cell.tested}: AUC "
        f"{number(found.auc)} ({interval(auc['low'], auc['high'])}){beaten}."
    )


def _pairing_lines(result: Result) -> tuple[tuple[str, ...], list[heatmap.Line]]:
    columns = tuple(dict.fromkeys(each.cell.tested for each in result.found))
    names = dict.fromkeys(each.cell.name for each in result.found)
    cells = {(each.cell.name, each.cell.tested): each for each in result.found}
    return columns, [
        heatmap.Line(name, [cells.get((name, test)) for test in columns])
        for name in names
    ]


def _matrix(result: Result) -> Section:
    columns, rows = lines(result)
    picture = heatmap.draw(columns, rows, worst(result.found))
    seeds = len(result.seeds)
    caption = (
        "AUC, "
        + (f"mean of {seeds} seeds, " if seeds > 1 else "")
        + "with its 95 % interval, which covers the luck of the test images; what other "
        "training images would change is the ± in the tables. Thick frame: the detector's "
        "own generator. Dashed: the worst cell. Every column has the same test images in "
        "all its rows. Orange: below .5, which is chance."
    )
    figure = tag("figure", picture, tag("figcaption", caption), class_="scroll")
    title = "Trained on one, tested on another"
    return Section(title, markup.paragraph(headline(result), class_="lead") + figure)


def _left_out(result: Result) -> Section:
    title = "A generator it has never seen"
    found = [each for each in result.found if each.cell.table == plan.LEAVE_ONE_OUT]
    if not found:
        return Section(title, markup.paragraph("This needs at least two generators."))
    tests = {
        each.tested: each for each in result.compared if each.on.startswith("the gen")
    }
    rows = []
    for each in found:
        difference = tests.get(each.cell.test)
        rows.append(
            [
                each.cell.tested,
                *_values(each),
                _difference(difference.to_dict() if difference else None),
            ]
        )
    rows += [
        [name, f"not run: {n} images", *[MISSING] * len(HEADLINES)]
        for name, n in result.sources.few.items()
    ]
    header = [
        "Left out",
        *(TITLES[name] for name in HEADLINES),
        "Price of not seeing it",
    ]
    caption = (
        "Trained on all generators but one, tested on that one. The price is the AUC of the "
        "detector trained on all"
        + (", as many images" if result.size.train is not None else ", more images")
        + ", minus this one's, on the same test images."
    )
    return Section(title, markup.table(caption, header, rows))


def _combined(result: Result) -> Section:
    title = "One generator or many?"
    found = [each for each in result.compared if not each.on.startswith("the gen")]
    if not found:
        return Section(title, markup.paragraph("There is nothing to compare."))
    by_on: dict[str, dict[str, Mapping[str, Any]]] = {}
    for each in found:
        by_on.setdefault(each.other, {})[each.on] = each.to_dict()
    kinds = list(dict.fromkeys(each.on for each in found))
    rows = [
        [name, *(_difference(parts.get(kind)) for kind in kinds)]
        for name, parts in by_on.items()
    ]
    header = ["Trained on it alone", *(f"Tested on {kind}" for kind in kinds)]
    caption = (
        "AUC of the detector trained on all generators minus that of the one trained on a "
        "single one, on the same test images; above zero, training on many is better. "
        "Over several generators: the mean of their AUCs."
    )
    note = (
        "p: paired bootstrap over images, each drawn alike wherever it is tested; corrected "
        "for the lines of a column (Holm). "
        + (
            "The training sets are of equal size, so that many does not also mean more."
            if result.size.train is not None
            else "The training sets are of different size (keep_all): many also means more."
        )
    )
    return Section(
        title,
        markup.table(caption, header, rows) + markup.paragraph(note, class_="note"),
    )


def _metrics(result: Result) -> Section:
    header = ["Trained on", "Tested on", "Real", "Fake"]
    header += [TITLES[name] for name in HEADLINES]
    rows: list[Sequence[object]] = []
    for each in result.found:
        counts = [each.n_real or MISSING, each.n_fake or MISSING]
        rows.append([each.cell.name, each.cell.tested, *counts, *_values(each)])
    for name, n in result.sources.few.items():
        blank = [MISSING] * (1 + len(HEADLINES))
        rows.append([name, f"not run: {n} images", MISSING, *blank])
    table = markup.table("Every cell, at thresholds frozen on validation", header, rows)
    return Section(
        "Every cell",
        markup.paragraph(
            "Value, ± standard deviation over seeds, and below it the 95 % interval (the "
            "mean of the seeds' own). Calibration and both thresholds come from validation "
            "images of the training set's generators alone, so on others they may be off: "
            "a high AUC with a low balanced accuracy says that the threshold does not carry "
            "over. Average precision falls with the share of fakes among the test images: "
            "compare it within a column only.",
            class_="note",
        )
        + table,
    )


def _training_sets(result: Result) -> Section:
    parts = [markup.paragraph(result.balance)]
    header = ["Source", "Label", "Images", "Train", "Val", "Test", "Status"]
    rows = [
        [each["name"], each["label"], each["n"], *each["splits"], each["status"]]
        for each in result.table_of_sources
    ]
    seeds = result.seeds
    parts.append(markup.table(f"Sources, split of seed {seeds[0]}", header, rows))
    header = ["Training set", "Fakes", "Reals", "Taken of each", "Status"]
    sets = [
        [each["name"], each["n_fake"], each["n_real"], each["parts"], each["status"]]
        for each in result.table_of_sets
    ]
    caption = f"Training images of each set, seed {seeds[0]}"
    parts.append(markup.table(caption, header, sets, numeric=False))
    return Section("What was trained on, and what was left out", Markup("").join(parts))


def _settings(result: Result) -> Section:
    rows = [[key, value] for key, value in result.settings.items()]
    table = markup.table("Settings", ["Setting", "Value"], rows, numeric=False)
    return Section("Settings", table)


def _values(each: Found) -> list[object]:
    if each.status != "run":
        return [each.status, *[MISSING] * (len(HEADLINES) - 1)]
    return [_estimate(each.metrics[name]) for name in HEADLINES]


def _estimate(found: Mapping[str, Any]) -> Markup:
    if found["value"] is None:
        return tag("span", MISSING, title=found["method"], class_="missing")
    sd = "" if found["sd"] is None else f" ± {number(found['sd'])}"
    limits = tag("small", interval(found["low"], found["high"]))
    return tag("span", number(found["value"]) + sd, " ", limits, title=found["method"])


def _difference(found: Mapping[str, Any] | None) -> object:
    if found is None:
        return MISSING
    limits = tag("small", interval(found["low"], found["high"]))
    said = str(found["verdict"])
    said = said if said.startswith("no") else f"all is {said}"
    verdict = tag("small", f"p {p_text(found['p_holm'])}, {said}")
    value = f"{found['value']:+.3f}"
    return tag("span", value, " ", limits, " ", verdict, title=found["method"])
