"""What the families that the detector knew before lost or gained by what was added."""

from kerasfaces.evaluate.report import ReportInput
from kerasfaces.report import markup
from kerasfaces.report.markup import Section

ORDER = 16


def report(data: ReportInput) -> Section | None:
    """Return a row per old family: both AUCs, their difference and its interval."""
    added = data.added
    if not added:
        return None
    lead = (
        f"This detector is {added['parent']} trained again with more images. Both judge the "
        f"{added['n_shared']:,} test images of {added['parent']}; differences are paired, "
        "new minus old, and Holm's correction is over the families."
    )
    if added["n_missing"]:
        lead += f" {added['n_missing']:,} of its test images have no score here."
    rows = []
    for name, each in added["families"].items():
        auc, balanced = (
            each["difference"][key] for key in ("auc", "balanced_accuracy")
        )
        rows.append(
            [
                name,
                f"{each['n_fake']:,}",
                markup.number(each["auc"]["old"]),
                markup.number(each["auc"]["new"]),
                markup.estimate(auc),
                markup.p_text(auc.get("p_holm")),
                markup.estimate(balanced),
            ]
        )
    header = [
        *("Family", "Fakes", "AUC before", "AUC now", "Difference", "p (Holm)"),
        "Balanced accuracy, difference",
    ]
    table = markup.table("Each old family against the old reals", header, rows)
    title = "What the old generators lost or gained"
    return Section(title, markup.paragraph(lead, class_="lead") + table)
