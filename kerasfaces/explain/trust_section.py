"""The part of explain.html that says whether the maps can be believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from kerasfaces.core.files import Json
from kerasfaces.explain import changed_images, checks
from kerasfaces.explain.curves import ORDERS
from kerasfaces.report import chart, markup
from kerasfaces.report.markup import Section, number, tag

_NOTES = (
    "Deletion: patches are blurred, those that count most first, and the logit towards the "
    f"verdict is watched, against {ORDERS} random orders. Insertion: the same from the other "
    "end, patches of the blurred image become sharp. The gain is the mean distance between the "
    "curves, in logits: 0 is chance. Spread is the standard deviation of single random orders. "
    "No camera makes blurred patches, and a method that blurs or hides patches itself is at an "
    "advantage here.",
    "Re-drawn head: mean absolute rank correlation with the map of the same network whose head "
    "has random weights. 0: the map depends on what was learnt; 1: it shows the image alone.",
    f"JPEG {changed_images.QUALITY_PCT} and shift: rank correlation of the map with that of the "
    "image saved once more, and moved by a 28th of its side. A reason that a viewer could not "
    "see change should not move.",
    "A map is not to be trusted where it does not beat every random order, where its re-drawn "
    f"heads reach {checks.ALIKE:g} or more, or where JPEG or shift leave less than "
    f"{checks.ALIKE:g}, each by itself. The limits were set beforehand.",
    "Heat on the face: share of the map's absolute sum inside the box of the main face, beside "
    "the box's share of the image; of images in which a face is found. It says where the detector "
    "looks, and is no test of the map.",
)


def section(frame: pd.DataFrame, records: Sequence[Json]) -> Section:
    """Return the section of the rows of explanations.csv, and what was measured of each image."""
    notes = Markup("").join(markup.paragraph(text) for text in _NOTES)
    good = frame[frame["reason"] == ""]
    groups = [("all", good)]
    groups += [(f"called {name}", of) for name, of in good.groupby("verdict")]
    caption = "Means over images, 95 % bootstrap intervals"
    tables = markup.table(
        caption,
        [
            "Images",
            "n",
            "Deletion gain",
            "Spread",
            "Insertion gain",
            "Spread",
            "Beat every random order",
            "Do not trust",
        ],
        [_by_patches(*each) for each in groups],
    ) + markup.table(
        caption,
        ["Images", "Re-drawn head", "JPEG", "Shift", "Heat on the face", "Its area"],
        [_by_maps(*each) for each in groups],
    )
    curves = markup.row(
        _curves(records, "deletion", "patches blurred, %"),
        _curves(records, "insertion", "patches made sharp, %"),
    )
    body = notes + tables + curves + _completeness(frame)
    return Section("Can the maps be believed?", body)


def line(row: Mapping[Any, Any]) -> str:
    """Return what was measured of one image's map, in a line."""
    return (
        f"{checks.verdict(row)} Deletion gain {row['deletion_gain']:+.2f} (spread "
        f"{row['deletion_spread']:.2f}), insertion {row['insertion_gain']:+.2f} "
        f"({row['insertion_spread']:.2f}); beats {row['random_orders_beaten']} and "
        f"{row['insertion_orders_beaten']} of {ORDERS}; re-drawn head "
        f"{number(row['sanity_correlation'], 2)}, JPEG {number(row['jpeg_agreement'], 2)}, "
        f"shift {number(row['shift_agreement'], 2)}; heat on the face "
        f"{number(row['heat_in_face'], 2)} of {number(row['face_area'], 2)} of the area."
    )


def _by_patches(name: str, good: pd.DataFrame) -> list[object]:
    n = len(good)
    beaten = (good["random_orders_beaten"] == ORDERS) & (
        good["insertion_orders_beaten"] == ORDERS
    )
    return [
        name,
        f"{n:,}",
        _estimate(good["deletion_gain"]),
        number(_mean(good["deletion_spread"]), 2),
        _estimate(good["insertion_gain"]),
        number(_mean(good["insertion_spread"]), 2),
        f"{int(beaten.sum()):,} of {n:,}",
        f"{int((good['do_not_trust'] != '').sum()):,} of {n:,}",
    ]


def _by_maps(name: str, good: pd.DataFrame) -> list[object]:
    columns = ("sanity_correlation", "jpeg_agreement", "shift_agreement")
    return [
        name,
        *(_estimate(good[column]) for column in columns),
        _estimate(good["heat_in_face"]),
        number(_mean(good["face_area"]), 2),
    ]


def _mean(values: pd.Series) -> float:
    return float(pd.to_numeric(values).mean())


def _estimate(values: pd.Series) -> Markup:
    mean, low, high = checks.mean_interval(values)
    limits = tag("small", markup.interval(low, high, 2))
    return tag("span", number(mean, 2), " ", limits)


def _curves(records: Sequence[Json], name: str, x_label: str) -> Markup:
    curves = [record["checks"][name] for record in records]
    own = np.mean([each["curve"] for each in curves], axis=0)
    random = np.mean([each["random"] for each in curves], axis=0)
    both = np.concatenate([own, random])
    share = np.linspace(0, 100, len(own))
    axes = chart.axes(
        (0.0, 100.0),
        (float(both.min()), float(both.max())),
        x_label=x_label,
        y_label="logit towards the verdict",
    )
    chart.line(axes, share, random, "chance")
    chart.line(axes, share, own, "fake")
    image = chart.svg(axes, f"Mean {name} curves of the maps and of random orders")
    caption = chart.legend([("fake", "map's order"), ("chance", "random orders")])
    return markup.figure(image, caption)


def _completeness(frame: pd.DataFrame) -> Markup:
    if "completeness_error" not in frame:
        return Markup("")
    error = frame["completeness_error"].abs()
    gap = (frame["logit"] - frame["baseline_logit"]).abs()
    return markup.paragraph(
        "Completeness: the map should sum to the logit minus the baseline's. The "
        f"difference is {number(error.median())} logits in the median image, "
        f"{number(error.max())} at most; the sums themselves are {number(gap.median())} "
        "in the median."
    )
