"""The headline numbers, and all metrics beside validation's."""

from markupsafe import Markup

from kerasfaces.evaluate import names
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section, tag

ORDER = 10


_OTHERS = {"val": "validation (not a result)", "train": "training (not a result)"}


def report(data: ReportInput) -> Section:
    """Return the cards and the table of all metrics."""
    whole = data.slices["all"]
    counts = (
        f"{whole['n']:,} {data.headline} images, {whole['n_real']:,} real and "
        f"{whole['n_fake']:,} fake; {whole['n_unreadable']:,} more "
        f"{names.could_not_be_read(data.metrics)}. "
        "Under each number its 95 % interval."
    )
    cards = [
        markup.card(names.TITLES[name], whole[name], names.MEANINGS[name])
        for name in names.HEADLINES
    ]
    body = markup.paragraph(counts, class_="lead") + tag("div", *cards, class_="cards")
    return Section("Result", body + _table(data))


def _table(data: ReportInput) -> Markup:
    parts, whole = data.metrics["metrics"], data.slices["all"]
    others = [split for split in _OTHERS if split in parts and split != data.headline]
    header = ["Metric", data.headline, "95 % interval", *(_OTHERS[s] for s in others)]
    rows = [
        [
            tag("span", title, " ", tag("small", names.MEANINGS[name])),
            markup.number(whole[name]["value"]),
            markup.interval(whole[name]["low"], whole[name]["high"]),
            *(markup.estimate(parts[split]["all"][name]) for split in others),
        ]
        for name, title in names.TITLES.items()
    ]
    note = "All metrics at the threshold frozen on validation."
    if "val" in others:
        note += " Validation chose the threshold and the calibration: its column is no result."
    methods = [[title, whole[name]["method"]] for name, title in names.TITLES.items()]
    caption = "How each interval was made"
    how = markup.table(caption, ["Metric", "Method"], methods, numeric=False)
    return markup.table(note, header, rows) + markup.details(
        "How the intervals were made", how
    )
