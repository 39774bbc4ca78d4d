"""What a reader must know before the numbers, found in the numbers themselves."""

from collections.abc import Mapping
from typing import Any

from kerasfaces.evaluate import names
from kerasfaces.evaluate.measure import FEW
from kerasfaces.report.markup import interval, number
from kerasfaces.run.operating_point import OperatingPoint


def sentences(
    metrics: Mapping[str, Any],
    point: OperatingPoint,
    headline: str,
    audit: Mapping[str, Any] | None,
) -> list[str]:
    """Return warnings: a failed audit, unreadable images, few images, no test split."""
    found = metrics["metrics"][headline]["all"]
    said = []
    if headline == "val" and "seen" not in metrics:  # the run's own validation
        said.append(
            "There is no test split: the numbers are validation's, which also chose threshold "
            "and calibration, so they are too good."
        )
    if audit and audit.get("flagged"):
        said.append(audit_sentence(audit))
    for split, parts in metrics["metrics"].items():
        unreadable, n = parts["all"]["n_unreadable"], parts["all"]["n"]
        if unreadable:
            said.append(
                f"{unreadable:,} of {unreadable + n:,} images in {split} "
                f"{names.could_not_be_read(metrics)} and are in no number; they are listed below."
            )
    for name in ("real", "fake"):
        n = found[f"n_{name}"]
        if n == 0:
            said.append(f"{headline} has no readable {name} image: there is no AUC.")
        elif n < FEW:
            said.append(
                f"{headline} has only {n} {name} images: the intervals are wide."
            )
    if point.n_real < FEW:
        said.append(
            f"Validation has only {point.n_real} real images, so the threshold for 1 % false "
            "alarms is coarse: one image more or less moves it."
        )
    return said


def audit_sentence(audit: Mapping[str, Any]) -> str:
    """Return what a flagged audit means for the numbers."""
    fact = audit.get("most_telling_fact")
    return (
        "The files give the classes away: format, size and compression alone reach an AUC of "
        f"{number(audit.get('auc'))} ({interval(audit.get('low'), audit.get('high'))})"
        + (f", most of all {fact}" if fact else "")
        + ". The detector may have learnt that instead of faces; `data.neutralise(DIR)` "
        "makes a set without it."
    )
