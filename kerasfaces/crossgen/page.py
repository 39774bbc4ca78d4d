"""The matrix as one self-contained HTML page: picture, tables, tests, what was left out."""

from collections.abc import Sequence

from markupsafe import Markup

from kerasfaces.crossgen import heatmap, plan
from kerasfaces.crossgen.cells import CellResult, worst
from kerasfaces.crossgen.comparisons import UNSEEN, Comparison
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
    cells = {
        (each.cell.table, each.cell.name, each.cell.tested): each
        for each in result.cells
    }

    if result.plan.pairings:
        tested = tuple(dict.fromkeys(each.cell.tested for each in result.cells))
        names = dict.fromkeys(each.cell.name for each in result.cells)
        return tested, [
            heatmap.Line(
                name, [cells.get((plan.PAIRING, name, test)) for test in tested]
            )
            for name in names
        ]
    columns = result.plan.generators
    rows = [
        heatmap.Line(name, [cells.get((plan.MATRIX, name, test)) for test in columns])
        for name in columns
    ]
    rows += [
        heatmap.Line(name, [], note=status) for name, status in result.not_run.items()
    ]
    if len(columns) > 1:
        every = [cells.get((plan.COMBINED, "all", test)) for test in columns]
        unseen = [
            cells.get((plan.LEAVE_ONE_OUT, f"all but {test}", test)) for test in columns
        ]
        rows.append(heatmap.Line("all", every, apart=True))
        rows.append(heatmap.Line("all but the tested", unseen))
    return columns, rows


def headline(result: Result) -> str:
    """Return the worst cell in words."""
    lowest = worst(result.cells)
    if lowest is None:
        return "No cell could be measured."
    auc = lowest.metrics["auc"]
    is_beaten = auc["high"] is not None and auc["high"] < 0.5
    return (
        f"Worst cell: trained on {lowest.cell.name}, tested on {lowest.cell.tested}: AUC "
        f"{number(lowest.auc)} ({interval(auc['low'], auc['high'])})"
        f"{' (below .5: it ranks these fakes below the reals)' * is_beaten}."
    )


def _matrix(result: Result) -> Section:
    picture = heatmap.draw(*lines(result), worst(result.cells))
    n_seeds = len(result.seeds)
    caption = (
        f"AUC, {f'mean of {n_seeds} seeds, ' * (n_seeds > 1)}"
        "with its 95 % interval, which covers the luck of the test images; what other "
        "training images would change is the ± in the tables. Thick frame: the detector's "
        "own generator. Dashed: the worst cell. Every column has the same test images in "
        "all its rows. Orange: below .5, which is chance."
    )
    figure = tag("figure", picture, tag("figcaption", caption), class_="scroll")
    title = "Trained on one, tested on another"
    return Section(title, markup.paragraph(headline(result), class_="lead") + figure)


def _left_out(result: Result) -> Section:
    title = "A generator it has never seen"
    left_out = [each for each in result.cells if each.cell.table == plan.LEAVE_ONE_OUT]
    if not left_out:
        return Section(title, markup.paragraph("This needs at least two generators."))
    price = {each.tested: each for each in result.compared if each.on == UNSEEN}
    rows: list[Sequence[object]] = [
        [each.cell.tested, *_values(each), _difference(price.get(each.cell.test))]
        for each in left_out
    ]
    rows += [
        [name, status, *[MISSING] * len(HEADLINES)]
        for name, status in result.not_run.items()
    ]
    header = [
        "Left out",
        *(TITLES[name] for name in HEADLINES),
        "Price of not seeing it",
    ]
    images = "more images" if result.size.train is None else "as many images"
    caption = (
        "Trained on all generators but one, tested on that one. The price is the AUC of the "
        f"detector trained on all, {images}, minus this one's, on the same test images."
    )
    return Section(title, markup.table(caption, header, rows))


def _combined(result: Result) -> Section:
    title = "One generator or many?"
    alone = [each for each in result.compared if each.on != UNSEEN]
    if not alone:
        return Section(title, markup.paragraph("There is nothing to compare."))
    lines = {(each.other, each.on): each for each in alone}
    kinds = list(dict.fromkeys(each.on for each in alone))
    rows = [
        [name, *(_difference(lines.get((name, kind))) for kind in kinds)]
        for name in dict.fromkeys(each.other for each in alone)
    ]
    header = ["Trained on it alone", *(f"Tested on {kind}" for kind in kinds)]
    caption = (
        "AUC of the detector trained on all generators minus that of the one trained on a "
        "single one, on the same test images; above zero, training on many is better. "
        "Over several generators: the mean of their AUCs."
    )
    sizes = (
        "The training sets are of different size (keep_all): many also means more."
        if result.size.train is None
        else "The training sets are of equal size, so that many does not also mean more."
    )
    note = (
        "p: paired bootstrap over images, each drawn alike wherever it is tested; corrected "
        f"for the lines of a column (Holm). {sizes}"
    )
    table = markup.table(caption, header, rows)
    return Section(title, table + markup.paragraph(note, class_="note"))


def _metrics(result: Result) -> Section:
    header = ["Trained on", "Tested on", "Real", "Fake"]
    header += [TITLES[name] for name in HEADLINES]
    rows: list[Sequence[object]] = []
    for each in result.cells:
        counts = [each.n_real or MISSING, each.n_fake or MISSING]
        rows.append([each.cell.name, each.cell.tested, *counts, *_values(each)])
    for name, status in result.not_run.items():
        rows.append([name, status, *[MISSING] * (2 + len(HEADLINES))])
    note = markup.paragraph(
        "Value, ± standard deviation over seeds, and below it the 95 % interval (the "
        "mean of the seeds' own). Calibration and both thresholds come from validation "
        "images of the training set's generators alone, so on others they may be off: "
        "a high AUC with a low balanced accuracy says that the threshold does not carry "
        "over. Average precision falls with the share of fakes among the test images: "
        "compare it within a column only.",
        class_="note",
    )
    caption = "Every cell, at thresholds frozen on validation"
    return Section("Every cell", note + markup.table(caption, header, rows))


def _training_sets(result: Result) -> Section:
    first = result.seeds[0]
    sources = markup.table(
        f"Sources, split of seed {first}",
        ["Source", "Label", "Images", "Train", "Val", "Test", "Status"],
        [
            [each["name"], each["label"], each["n"], *each["splits"], each["status"]]
            for each in result.table_of_sources
        ],
    )
    sets = markup.table(
        f"Training images of each set, seed {first}",
        ["Training set", "Fakes", "Reals", "Taken of each", "Status"],
        [list(each.values()) for each in result.table_of_sets],
        numeric=False,
    )
    balance = markup.paragraph(result.balance)
    return Section(
        "What was trained on, and what was left out", balance + sources + sets
    )


def _settings(result: Result) -> Section:
    return Section("Settings", markup.pairs("Settings", result.settings))


def _values(each: CellResult) -> list[object]:
    if each.status != "run":
        return [each.status, *[MISSING] * (len(HEADLINES) - 1)]
    cells: list[object] = []
    for metric in (each.metrics[name] for name in HEADLINES):
        if metric["value"] is None:
            cell = tag("span", MISSING, title=metric["method"], class_="missing")
        else:
            sd = "" if metric["sd"] is None else f" ± {number(metric['sd'])}"
            limits = tag("small", interval(metric["low"], metric["high"]))
            value = number(metric["value"]) + sd
            cell = tag("span", value, " ", limits, title=metric["method"])
        cells.append(cell)
    return cells


def _difference(line: Comparison | None) -> Markup | str:
    if line is None:
        return MISSING
    limits = tag("small", interval(line.low, line.high))
    verdict = line.verdict
    if not verdict.startswith("no"):
        verdict = f"all is {verdict}"
    p = tag("small", f"p {p_text(line.p_holm)}, {verdict}")
    return tag("span", f"{line.value:+.3f}", " ", limits, " ", p, title=line.method)
