"""explain.html: the pictures, what they show, and whether they can be believed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from kerasfaces.core import registry
from kerasfaces.core.files import Json
from kerasfaces.core.texts import plain
from kerasfaces.explain import checks, picture
from kerasfaces.explain.contract import Map, Pixels, Settings
from kerasfaces.report import chart, markup
from kerasfaces.report import page as pages
from kerasfaces.report.markup import Section, number, tag

_SHOWN = 60  # images on the page; all of them are in the folder
_LISTED = 50
_SMALL_PX = 150
_LIMITS = (
    "A map says which places moved this detector's logit. It does not say where an image "
    "was altered, and it does not make the verdict right. What a detector takes from the "
    "whole image at once has no place on a map."
)


class Page:
    """Collects explained images, in order, and renders them."""

    def __init__(self, run: str, settings: Settings, units: str, note: str) -> None:
        """Start empty, with the run's name, the maps' units, how images were chosen."""
        self._run, self._settings = run, settings
        self._units, self._note = units, note
        self._records: list[Json] = []
        self._figures: list[Markup] = []
        self._n_of: Counter[str] = Counter()  # images of each source
        self._sum_of: dict[str, NDArray[np.float64]] = {}  # of maps and images

    def add(self, row: Json, record: Json, image: Pixels, map_: Map) -> None:
        """Take one image, of whose pixels only sums and a thumbnail stay."""
        self._records.append(record)
        if row.get("source"):
            name = f"{row['label']}: {row['source']}"
            both = np.dstack([map_, image]).astype(np.float64)
            self._sum_of[name] = self._sum_of.get(name, 0.0) + both
            self._n_of[name] += 1
        if len(self._figures) < _SHOWN:
            self._figures.append(self._figure(row, image, map_))

    def render(self, frame: pd.DataFrame) -> str:
        """Return the page about the rows of explanations.csv."""
        sections = [("what", self._what(frame))]
        if self._settings.checks:
            sections.append(("believed", self._believed(frame)))
        if self._n_of:
            sections.append(("sources", self._sources()))
        sections.append(("images", self._images()))
        if any(record["parts"] for record in self._records):
            sections.append(("layers", self._layers()))
        sections.append(("unreadable", _unreadable(frame)))
        return pages.page(
            f"{self._run}: {self._settings.method}",
            "kerasfaces explain",
            checks.warnings(frame),
            sections,
            footer=_LIMITS,
        )

    def _what(self, frame: pd.DataFrame) -> Section:
        settings, n = self._settings, len(self._records)
        summary = registry.summary("kerasfaces.explain.methods", settings.method)
        sentences = [
            f"{n:,} of {len(frame):,} images, by {settings.method}: {summary}",
            self._note,
            "Orange places raise the logit, towards fake; blue ones lower it, towards real. "
            "Each picture has its own colour bar, in logits: compare the bars before the "
            "colours.",
        ]
        if settings.method == "gradcam" and not settings.signed:
            sentences.append(
                "Only what speaks for the verdict is shown (the paper's ReLU): orange where "
                "the image was called fake, blue where real. The option signed shows both."
            )
        if settings.method == "integrated_gradients":
            blurred = settings.baseline == "blurred"
            start = "the image's own blurred self" if blurred else "mid-grey"
            sentences.append(
                f"The map explains the difference from a baseline: {start}."
            )
        if self._units == "logit per pixel":
            sentences.append(
                "Pictures are smoothed over a 64th of the side; the .npy files are not."
            )
        sentences.append(_LIMITS)
        body = Markup("").join(markup.paragraph(text) for text in sentences if text)
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
        good = frame[frame["reason"] == ""]
        rows = [_means("all", good)]
        rows += [_means(f"called {name}", of) for name, of in good.groupby("verdict")]
        header = ["Images", "n", "Deletion gain", "Spread", "Beat every random order"]
        header += ["Re-drawn head", "Flagged"]
        caption = "Means over images, 95 % bootstrap intervals"
        body = notes + markup.table(caption, header, rows) + self._curves()
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
        deletions = [record["deletion"] for record in self._records]
        own = np.mean([each["curve"] for each in deletions], axis=0)
        random = np.mean([each["random"] for each in deletions], axis=0)
        both = np.concatenate([own, random])
        share = np.linspace(0, 100, len(own))
        axes = chart.axes(
            (0.0, 100.0),
            (float(both.min()), float(both.max())),
            x_label="patches blurred, %",
            y_label="logit towards the verdict",
        )
        chart.line(axes, share, random, "chance")
        chart.line(axes, share, own, "fake")
        image = chart.svg(axes, "Mean deletion curves of the maps and of random orders")
        caption = chart.legend([("fake", "map's order"), ("chance", "random orders")])
        return markup.figure(image, caption)

    def _sources(self) -> Section:
        means = {name: both / self._n_of[name] for name, both in self._sum_of.items()}
        maps = {
            name: picture.shown(mean[..., 0], self._units)
            for name, mean in means.items()
        }
        limit = max(picture.limit_of(values) for values, _ in maps.values())
        figures = []
        for name, (values, unit) in maps.items():
            face = means[name][..., 1:].round().astype(np.uint8)
            overlay = picture.overlay(face, values, limit, unit)
            image = picture.inline(overlay, f"mean map of {name}")
            caption = (tag("b", name), f", mean of {self._n_of[name]:,} images")
            figures.append(tag("figure", image, tag("figcaption", *caption)))
        note = markup.paragraph(
            "The mean of each source's maps over the mean of its images; one colour bar for "
            "all. Where faces are not aligned it says little."
        )
        body = note + tag("div", *figures, class_="explained")
        return Section("Mean map by source", body)

    def _figure(self, row: Json, image: Pixels, map_: Map) -> Markup:
        name = Path(row["path"]).name
        values, unit = picture.shown(map_, self._units)
        overlay = picture.overlay(image, values, picture.limit_of(values), unit)
        facts = f"score {row['score']:.3f}, logit {row['logit']:+.2f}"
        if row.get("label"):
            facts = f"{row['label']}, {row['source']}; {facts}"
        lines = [tag("b", f"called {row['verdict']}"), " ", facts]
        if self._settings.checks:
            correlation = row["sanity_correlation"]
            text = (
                f"deletion gain {row['deletion_gain']:+.2f}, spread "
                f"{row['deletion_spread']:.2f}, beats {row['random_orders_beaten']} of "
                f"{checks.ORDERS}; re-drawn head {number(correlation, 2)}"
            )
            if checks.is_flagged(correlation):
                text += " (flagged)"
            lines.append(tag("small", text))
        lines.append(tag("small", plain(name), title=row["path"]))
        pair = tag(
            "div",
            picture.inline(Image.fromarray(image), f"thumbnail of {name}", _SMALL_PX),
            picture.inline(overlay, f"map of {name}"),
            class_="pair",
        )
        return tag("figure", pair, tag("figcaption", *lines))

    def _images(self) -> Section:
        n = len(self._records)
        note = f"All {n:,}." if n <= _SHOWN else f"The first {_SHOWN} of {n:,}."
        where = " Maps (.npy) and pictures of all are in the folder images."
        body = markup.paragraph(note + where)
        return Section("Images", body + tag("div", *self._figures, class_="explained"))

    def _layers(self) -> Section:
        parts = pd.DataFrame([record["parts"] for record in self._records])
        parts = parts.assign(sum=parts.sum(axis=1))
        verdicts = np.array([record["toward"] for record in self._records])
        means = parts.groupby(verdicts).mean()
        header = ["Layer@scale"] + [
            f"Called {'fake' if toward > 0 else 'real'} (n {(verdicts == toward).sum()})"
            for toward in means.index
        ]
        rows = [
            [name, *(number(mean, 2) for mean in column)]
            for name, column in means.items()
        ]
        note = markup.paragraph(
            "Each layer's mean share of the logit, against the average training image; "
            "without ReLU. Layers often contradict each other: a single share means little."
        )
        return Section("By layer", note + markup.table("Logits", header, rows))


def _means(name: str, good: pd.DataFrame) -> list[object]:
    """Return a table's line about explained images: n, means, and numbers of flags."""
    n, correlation = len(good), good["sanity_correlation"]
    beaten = int((good["random_orders_beaten"] == checks.ORDERS).sum())
    return [
        name,
        f"{n:,}",
        _estimate(good["deletion_gain"]),
        number(float(good["deletion_spread"].mean()), 2),
        f"{beaten:,} of {n:,}",
        _estimate(correlation),
        f"{sum(map(checks.is_flagged, correlation)):,}",
    ]


def _estimate(values: pd.Series) -> Markup:
    mean, low, high = checks.mean_interval(values)
    limits = tag("small", markup.interval(low, high, 2))
    return tag("span", number(mean, 2), " ", limits)


def _unreadable(frame: pd.DataFrame) -> Section:
    bad = frame[frame["reason"] != ""]
    body = markup.paragraph(f"{len(bad):,} of {len(frame):,}.")
    if len(bad):
        rows = [[row.path, row.reason] for row in bad.head(_LISTED).itertuples()]
        caption = f"{len(rows)} of {len(bad):,}"
        body += markup.table(caption, ["Path", "Reason"], rows, numeric=False)
    return Section("Images without a map", body)
