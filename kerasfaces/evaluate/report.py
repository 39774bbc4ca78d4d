"""A measured run -> its page."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from kerasfaces.core import registry
from kerasfaces.core.files import Json
from kerasfaces.evaluate import names
from kerasfaces.evaluate.metrics_json import FEW
from kerasfaces.report.markup import Section, interval, number
from kerasfaces.report.page import measured_on, page
from kerasfaces.run.operating_point import OperatingPoint

_PACKAGE = "kerasfaces.evaluate.sections"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReportInput:
    """A measured run: the input of every section of the report."""

    name: str  # the run's name, as in its folder
    # Split -> predictions with scores (see `predictions`)
    predictions: Mapping[str, pd.DataFrame]
    point: OperatingPoint  # frozen on validation
    metrics: Json  # the content of metrics.json
    headline: str = "test"  # the split whose numbers are the result
    # The run's configuration, or empty.
    config: Json = dataclasses.field(default_factory=dict)
    # Versions and machine, or empty.
    environment: Json = dataclasses.field(default_factory=dict)
    # The manifest's audit as `config.to_dict` gives it, or None.
    audit: Json | None = None
    history: pd.DataFrame | None = None  # one row per epoch, or None
    # What the detector does on families it has not seen (unseen.json), or empty.
    unseen: Json = dataclasses.field(default_factory=dict)
    # What old families lost or gained (added.json), or empty.
    added: Json = dataclasses.field(default_factory=dict)
    warnings: tuple[str, ...] = ()  # sentences a reader must see first
    # What relative paths in the predictions are relative to, or None.
    image_root: Path | None = None
    # Finished explanations of decisions by this operating point, by method.
    decisions: Mapping[str, Path] = dataclasses.field(default_factory=dict)

    @property
    def frame(self) -> pd.DataFrame:
        """Predictions of the headline split."""
        return self.predictions[self.headline]

    @property
    def slices(self) -> Json:
        """Metrics of the headline split, by slice."""
        slices: Json = self.metrics["metrics"][self.headline]
        return slices


def render(data: ReportInput) -> str:
    """Return the page of a run."""
    sections = sections_of(_PACKAGE, data)
    footer = measured_on(data.headline)
    return page(data.name, "kerasfaces report", data.warnings, sections, footer)


def sections_of(package: str, data: object) -> list[tuple[str, Section]]:
    """Return what a package's sections say of data, by the order of their `ORDER`.

    Sections that have nothing to say are left out.
    """
    modules = {name: registry.load(package, name) for name in registry.names(package)}
    ordered = sorted(modules, key=lambda name: (modules[name].ORDER, name))
    sections = [(name, modules[name].report(data)) for name in ordered]
    return [(name, section) for name, section in sections if section is not None]


def cautions(data: ReportInput) -> list[str]:
    """Return what a reader must know before the numbers.

    No test split, a failed audit, unreadable images, few images, a coarse threshold.
    """
    sentences = []
    headline, metrics = data.headline, data.metrics
    if headline == "val" and "seen" not in metrics:  # the run's own validation
        sentences.append(
            "There is no test split: the numbers are validation's, which also chose threshold "
            "and calibration, so they are too good."
        )
    if data.audit and data.audit.get("flagged"):
        sentences.append(audit_sentence(data.audit))
    for split, parts in metrics["metrics"].items():
        unreadable, n = parts["all"]["n_unreadable"], parts["all"]["n"]
        if unreadable:
            sentences.append(
                f"{unreadable:,} of {unreadable + n:,} images in {split} "
                f"{names.could_not_be_read(metrics)} and are in no number; they are listed below."
            )
    for label in ("real", "fake"):
        n = data.slices["all"][f"n_{label}"]
        if n == 0:
            sentences.append(
                f"{headline} has no readable {label} image: there is no AUC."
            )
        elif n < FEW:
            sentences.append(
                f"{headline} has only {n} {label} images: the intervals are wide."
            )
    if data.point.n_real < FEW:
        sentences.append(
            f"Validation has only {data.point.n_real} real images, so the threshold for 1 % "
            "false alarms is coarse: one image more or less moves it."
        )
    return sentences


def audit_sentence(audit: Json) -> str:
    """Return what a flagged audit means for the numbers."""
    fact = audit.get("most_telling_fact")
    return (
        "The files give the classes away: format, size and compression alone reach an AUC of "
        f"{number(audit.get('auc'))} ({interval(audit.get('low'), audit.get('high'))})"
        + (f", most of all {fact}" if fact else "")
        + ". The detector may have learnt that instead of faces; `data.neutralise(DIR)` "
        "makes a set without it."
    )
