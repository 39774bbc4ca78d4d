"""explain.html: the pictures, what they show, and whether they can be believed."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from kerasfaces.core import registry
from kerasfaces.core.texts import plain
from kerasfaces.explain import checks, picture, summary
from kerasfaces.explain.contract import Map, Pixels, Subject
from kerasfaces.explain.request import Explained, Request
from kerasfaces.report import chart, markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import Section, number, tag

_SHOWN = 60  # images on the page; all of them are in the folder
_LISTED = 50
_SMALL_PX = 150
_NOT = (
    "A map says which places moved this detector's logit. It does not say where an image "
    "was altered, and it does not make the verdict right. What a detector takes from the "
    "whole image at once has no place on a map."
)


@dataclasses.dataclass
class _Mean:
    """Sums over the images of one source."""

    n: int = 0
    map: Any = 0.0
    image: Any = 0.0


class Page:
    """Collects explained images, in order, and renders them."""

    def __init__(self, request: Request, subject: Subject, units: str) -> None:
        self._request, self._subject, self._units = request, subject, units
        self._figures: list[Markup] = []
        self._means: dict[str, _Mean] = {}
        self._records: list[dict[str, Any]] = []

    def add(self, each: Explained) -> None:
        """Take one image; its pixels are not kept."""
        if each.image is None or each.map is None:
            return
        self._records.append(each.record)
        if each.row.get("source"):
            name = f"{each.row['label']}: {each.row['source']}"
            mean = self._means.setdefault(name, _Mean())
            mean.n += 1
            mean.map = mean.map + each.map.astype(np.float64)
            mean.image = mean.image + each.image.astype(np.float64)
        if len(self._figures) < _SHOWN:
            self._figures.append(self._figure(each, each.image, each.map))

    def render(self, frame: pd.DataFrame) -> str:
        """Return the page.

        Args:
            frame: The rows of explanations.csv.
        """
        sections = [("what", self._what(frame))]
        if self._request.checks:
            sections.append(("believed", self._believed(frame)))
        if self._means:
            sections.append(("sources", self._sources()))
        sections.append(("images", self._images(frame)))
        if any(record["parts"] for record in self._records):
            sections.append(("layers", self._layers()))
        sections.append(("unreadable", _unreadable(frame)))
        name = f"{self._subject.name}: {self._request.method}"
        return pages.page(
            name, "kerasfaces explain", summary.warnings(frame), sections, footer=_NOT
        )

    def _what(self, frame: pd.DataFrame) -> Section:
        n = int((frame["reason"] == "").sum())
        method = registry.summary("kerasfaces.explain.methods", self._request.method)
        first = f"{n:,} of {len(frame):,} images, by {self._request.method}: {method}"
        told = [first, self._request.chosen]
        told.append(
            "Orange places raise the logit, towards fake; blue ones lower it, towards real. "
            "Each picture has its own colour bar, in logits: compare the bars before the "
            "colours."
        )
        if self._request.method == "gradcam" and not self._request.options.signed:
            told.append(
                "Only what speaks for the verdict is shown (the paper's ReLU): orange where "
                "the image was called fake, blue where real. The option signed shows both."
            )
        if self._request.method == "integrated_gradients":
            told.append(
                "The map explains the difference from a baseline: "
                + (
                    "the image's own blurred self."
                    if self._request.options.baseline == "blurred"
                    else "mid-grey."
                )
            )
        if self._units == "logit per pixel":
            told.append(
                "Pictures are smoothed over a 64th of the side; the .npy files are not."
            )
        told.append(_NOT)
        body = Markup("").join(markup.paragraph(text) for text in told if text)
        return Section("What this shows", body)

    def _believed(self, frame: pd.DataFrame) -> Section:
        notes = markup.paragraph(
            "Deletion: patches are blurred, those that count most first, and the logit "
            f"towards the verdict is watched, against {checks.ORDERS} random orders. The gain "
            "is the mean distance between the curves, in logits: 0 is chance. Spread is the "
            "standard deviation of single random orders. No camera makes blurred patches, and "
            "a method that blurs or hides patches itself is at an advantage here."
        ) + markup.paragraph(
            "Re-drawn head: mean absolute rank correlation with the map of the same network "
            "whose head has random weights. 0: the map depends on what was learnt; 1: it "
            f"shows the image alone. From {checks.ALIKE:g} on it is flagged."
        )
        rows = [
            [name, *summary.cells(part)]
            for name, part in (
                ("all", frame),
                *((f"called {v!s}", g) for v, g in frame.groupby("verdict") if v),
            )
        ]
        header = ["Images", "n", "Deletion gain", "Spread", "Beat every random order"]
        header += ["Re-drawn head", "Flagged"]
        table = markup.table(
            "Means over images, 95 % bootstrap intervals", header, rows
        )
        body = notes + table + self._curves()
        if "completeness_error" in frame:
            error = frame["completeness_error"].abs()
            gap = (frame["logit"] - frame["baseline_logit"]).abs()
            body += markup.paragraph(
                "Completeness: the map should sum to the logit minus the baseline's. The "
                f"difference is {number(error.median())} logits in the median image, "
                f"{number(error.max())} at most; the sums themselves are {number(gap.median())} "
                "in the median."
            )
        return Section("Can the maps be believed?", body)

    def _curves(self) -> Markup:
        deletions = [each["deletion"] for each in self._records if each.get("deletion")]
        own = np.mean([each["curve"] for each in deletions], axis=0)
        random = np.mean([each["random"] for each in deletions], axis=0)
        every = np.concatenate([own, random])
        share = np.linspace(0, 100, len(own))
        axes = chart.axes(
            (0.0, 100.0),
            (float(every.min()), float(every.max())),
            x_label="patches blurred, %",
            y_label="logit towards the verdict",
        )
        chart.line(axes, share, random, "chance")
        chart.line(axes, share, own, "fake")
        image = chart.svg(axes, "Mean deletion curves of the maps and of random orders")
        caption = chart.legend([("fake", "map's order"), ("chance", "random orders")])
        return markup.figure(image, caption)

    def _sources(self) -> Section:
        shown = {
            name: picture.shown(mean.map / mean.n, self._units)
            for name, mean in self._means.items()
        }
        limit = max(picture.limit_of(values) for values, _ in shown.values())
        figures = []
        for name, (values, unit) in shown.items():
            mean = self._means[name]
            face = (mean.image / mean.n).round().astype(np.uint8)
            drawn = picture.overlay(face, values, limit, unit)
            figures.append(
                tag(
                    "figure",
                    picture.inline(drawn, f"mean map of {name}"),
                    tag("figcaption", tag("b", name), f", mean of {mean.n:,} images"),
                )
            )
        note = markup.paragraph(
            "The mean of each source's maps over the mean of its images; one colour bar for "
            "all. Where faces are not aligned it says little."
        )
        body = note + tag("div", *figures, class_="explained")
        return Section("Mean map by source", body)

    def _figure(self, each: Explained, image: Pixels, map_: Map) -> Markup:
        from PIL import Image

        row, name = each.row, Path(each.row["path"]).name
        values, unit = picture.shown(map_, self._units)
        drawn = picture.overlay(image, values, picture.limit_of(values), unit)
        photo = Image.fromarray(image)
        told = f"score {row['score']:.3f}, logit {row['logit']:+.2f}"
        if row.get("label"):
            told = f"{row['label']}, {row['source']}; {told}"
        lines = [tag("b", f"called {row['verdict']}"), " ", told]
        if each.record.get("deletion"):
            lines.append(
                tag(
                    "small",
                    f"deletion gain {row['deletion_gain']:+.2f}, spread "
                    f"{row['deletion_spread']:.2f}, beats {row['random_orders_beaten']} of "
                    f"{checks.ORDERS}; re-drawn head {number(row['sanity_correlation'], 2)}"
                    + (
                        " (flagged)"
                        if summary.is_flagged(row["sanity_correlation"])
                        else ""
                    ),
                )
            )
        lines.append(tag("small", plain(name), title=row["path"]))
        pair = tag(
            "div",
            picture.inline(photo, f"thumbnail of {name}", _SMALL_PX),
            picture.inline(drawn, f"map of {name}"),
            class_="pair",
        )
        return tag("figure", pair, tag("figcaption", *lines))

    def _images(self, frame: pd.DataFrame) -> Section:
        n = len(self._records)
        note = f"All {n:,}." if n <= _SHOWN else f"The first {_SHOWN} of {n:,}."
        where = " Maps (.npy) and pictures of all are in the folder images."
        body = markup.paragraph(note + where)
        return Section("Images", body + tag("div", *self._figures, class_="explained"))

    def _layers(self) -> Section:
        parts = [record["parts"] for record in self._records]
        called = np.array([record["toward"] for record in self._records])
        rows = []
        for name in [*parts[0], "sum"]:
            values = np.array([p.get(name, sum(p.values())) for p in parts])
            means = [values[called == toward].mean() for toward in sorted(set(called))]
            rows.append([name, *(number(float(mean), 2) for mean in means)])
        header = ["Layer@scale"] + [
            f"Called {'fake' if toward > 0 else 'real'} (n {int((called == toward).sum())})"
            for toward in sorted(set(called))
        ]
        note = markup.paragraph(
            "Each layer's mean share of the logit, against the average training image; "
            "without ReLU. Layers often contradict each other: a single share means little."
        )
        return Section("By layer", note + markup.table("Logits", header, rows))


def _unreadable(frame: pd.DataFrame) -> Section:
    bad = frame[frame["reason"] != ""]
    body = markup.paragraph(f"{len(bad):,} of {len(frame):,}.")
    if len(bad):
        rows = [[row.path, row.reason] for row in bad.head(_LISTED).itertuples()]
        caption = f"{len(rows)} of {len(bad):,}"
        body += markup.table(caption, ["Path", "Reason"], rows, numeric=False)
    return Section("Images without a map", body)
