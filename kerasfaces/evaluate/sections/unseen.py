"""What the detector would have done on each family of fakes, had it not seen it."""

from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

ORDER = 15
_TITLE = "Generators it has not seen"


def report(data: ReportInput) -> Section | None:
    """Return the families' numbers on test and validation, and how the head was chosen."""
    if not data.unseen:
        return None
    split = "test" if data.unseen["summary"]["test"]["n_families"] else "val"
    summary = data.unseen["summary"][split]
    lead = (
        f"For each family of fakes a head was trained without it. On {split} its AUC against "
        f"all reals is {markup.number(summary['mean_auc'])} in the mean over "
        f"{summary['n_families']} families and {markup.number(summary['worst_auc'])} for the "
        "worst; thresholds, calibration and the band of unsure scores come from such heads, "
        "on validation. Of a new generator expect this, not the numbers above."
    )
    left_in = [
        f"{family} was never left out: {why}."
        for family, why in data.unseen["left_in"].items()
    ]
    return Section(
        _TITLE,
        markup.paragraph(lead, class_="lead")
        + _families(data.unseen["families"], split)
        + (markup.paragraph(" ".join(left_in)) if left_in else "")
        + markup.details("How the head was chosen", _grid(data.unseen)),
    )


def _families(families: Json, split: str) -> Markup:
    header = [
        *("Family left out", "Fakes", "AUC", "AUC, had it been seen"),
        *("Found at the threshold", "Found at 1 % false alarms", "Unsure"),
    ]
    rows = []
    for name, parts in families.items():
        unseen, seen = parts[split]["unseen"], parts[split]["seen"]
        rows.append(
            [
                name,
                f"{parts[split]['n_fake']:,}",
                markup.estimate(unseen["auc"]),
                markup.estimate(seen["auc"]),
                markup.estimate(unseen["recall"]),
                markup.estimate(unseen["tpr_at_fpr_1pct"]),
                markup.number(unseen["unsure_fake"]),
            ]
        )
    caption = f"Each family's {split} fakes against all reals of {split}"
    return markup.table(caption, header, rows)


def _grid(unseen: Json) -> Markup:
    """Return every candidate; validation chose the largest mean."""
    names = list(unseen["families"])
    header = ["Layers", "Head", "val_auc_unseen", "worst", *names]
    rows = [
        [
            ", ".join(each["taps"]) or "last",
            str(each["head"]) + (" (chosen)" if each == unseen["chosen"] else ""),
            *(markup.number(each[key]) for key in ("val_auc_unseen", "worst")),
            *(markup.number(each["families"][name]) for name in names),
        ]
        for each in unseen["grid"]
    ]
    caption = (
        "AUC on validation of heads without each family: the largest mean was taken"
    )
    return markup.table(caption, header, rows)
