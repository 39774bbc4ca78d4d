"""The headline numbers, and all metrics beside validation's."""

from markupsafe import Markup

from kerasfaces.evaluate import names
from kerasfaces.evaluate.report_input import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag

ORDER = 10


def report(data: ReportInput) -> Section:
    """Return the cards and the table of all metrics."""
    whole = data.slices["all"]
    counted = (
        f"{whole['n']:,} {data.headline} images, {whole['n_real']:,} real and "
        f"{whole['n_fake']:,} fake; {whole['n_unreadable']:,} more "
        f"{names.could_not_be_read(data.metrics)}. "
        "Under each number its 95 % interval."
    )
    cards = [
        markup.card(names.TITLES[name], whole[name], names.MEANINGS[name])
        for name in names.HEADLINES
    ]
    return Section(
        "Result",
        Markup("").join(
            [
                markup.paragraph(counted, class_="lead"),
                tag("div", *cards, class_="cards"),
                _table(data),
            ]
        ),
    )


def _table(data: ReportInput) -> Markup:
    parts = data.metrics["metrics"]
    others = [
        split for split in ("val", "train") if split in parts and split != data.headline
    ]
    header = ["Metric", data.headline, "95 % interval"]
    header += [_other(split) for split in others]
    rows = [
        [
            tag("span", names.TITLES[name], " ", tag("small", names.MEANINGS[name])),
            markup.number(data.slices["all"][name]["value"]),
            markup.interval(
                data.slices["all"][name]["low"], data.slices["all"][name]["high"]
            ),
            *(markup.estimate(parts[split]["all"][name]) for split in others),
        ]
        for name in names.TITLES
    ]
    note = "All metrics at the threshold frozen on validation."
    if "val" in others:
        note += " Validation chose the threshold and the calibration: its column is no result."
    methods = {
        names.TITLES[name]: data.slices["all"][name]["method"] for name in names.TITLES
    }
    how = markup.table(
        "How each interval was made",
        ["Metric", "Method"],
        methods.items(),
        numeric=False,
    )
    return markup.table(note, header, rows) + markup.details(
        "How the intervals were made", how
    )


def _other(split: str) -> str:
    return {"val": "validation (not a result)", "train": "training (not a result)"}[
        split
    ]
