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
from kerasfaces.explain import checks, picture, trust_section
from kerasfaces.explain.contract import Map, Pixels, Settings, has_sign
from kerasfaces.report import markup
from kerasfaces.report import page as pages
from kerasfaces.report.inline import inline
from kerasfaces.report.markup import Section, number, tag

_SHOWN = 60  # images on the page; all of them are in the folder
_LISTED = 50
_SMALL_PX = 150
_SIGNED = (
    "Orange places raise the logit, towards fake; blue ones lower it, towards real."
)
_UNSIGNED = (
    "Violet places count most. The map has no sign: it does not say for which verdict."
)
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
        self._decisions: list[str] = []  # of the figures; empty where not known
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
            self._decisions.append(row.get("decision", ""))

    def render(self, frame: pd.DataFrame) -> str:
        """Return the page about the rows of explanations.csv."""
        sections = [("what", self._what(frame))]
        if self._settings.checks:
            sections.append(("believed", trust_section.section(frame, self._records)))
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
            _SIGNED if has_sign(self._units) else _UNSIGNED,
            "Each picture has its own colour bar: compare the bars before the colours.",
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
        if self._units != "logit per patch":
            sentences.append(
                "Pictures are smoothed over a 64th of the side; the .npy files are not."
            )
        sentences.append(_LIMITS)
        body = Markup("").join(markup.paragraph(text) for text in sentences if text)
        return Section("What this shows", body)

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
            image = inline(overlay, f"mean map of {name}", picture.SIDE_PX)
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
        overlay = picture.drawn(image, map_, self._units)
        facts = f"score {row['score']:.3f}, logit {row['logit']:+.2f}"
        if row.get("label"):
            facts = f"{row['label']}, {row['source']}; {facts}"
        lines = [tag("b", f"called {row['verdict']}"), " ", facts]
        if self._settings.checks:
            lines.append(tag("small", trust_section.line(row)))
        lines.append(tag("small", plain(name), title=row["path"]))
        pair = tag(
            "div",
            inline(Image.fromarray(image), f"thumbnail of {name}", _SMALL_PX),
            inline(overlay, f"map of {name}", picture.SIDE_PX),
            class_="pair",
        )
        return tag("figure", pair, tag("figcaption", *lines))

    def _images(self) -> Section:
        n = len(self._records)
        note = f"All {n:,}." if n <= _SHOWN else f"The first {_SHOWN} of {n:,}."
        where = " Maps (.npy) and pictures of all are in the folder images."
        body = markup.paragraph(note + where)
        for decision in dict.fromkeys(self._decisions):
            if decision:
                body += tag("h3", f"{decision.capitalize()} decisions")
            figures = [
                figure
                for figure, of in zip(self._figures, self._decisions, strict=True)
                if of == decision
            ]
            body += tag("div", *figures, class_="explained")
        return Section("Images", body)

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


def _unreadable(frame: pd.DataFrame) -> Section:
    bad = frame[frame["reason"] != ""]
    body = markup.paragraph(f"{len(bad):,} of {len(frame):,}.")
    if len(bad):
        rows = [[row.path, row.reason] for row in bad.head(_LISTED).itertuples()]
        caption = f"{len(rows)} of {len(bad):,}"
        body += markup.table(caption, ["Path", "Reason"], rows, numeric=False)
    return Section("Images without a map", body)
