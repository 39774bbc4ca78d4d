"""Cells, curves and counts -> the content of launder.json, launder.csv and laundered.csv."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kerasfaces.core.files import Json
from kerasfaces.launder import selective
from kerasfaces.launder.cells import Answers, Cell, worst
from kerasfaces.launder.variants import Variant
from kerasfaces.metrics.inputs import Floats

_FEW = 100  # images of a class below which the page says so
_SIZE = re.compile(r": \d+x\d+ px,")  # of a picture that is too small to judge
EVERY = "every laundering"


def content(
    answers: Answers,
    cells: Sequence[Cell],
    cameras: Sequence[Json],
    settings: Mapping[str, Any],
    reasons: tuple[Sequence[str], Sequence[Mapping[str, str]]],
    resamples: int,
    seed: int,
) -> Json:
    """Return the content of launder.json.

    Args:
        answers: Of the detector.
        cells: Of `cells.measure`.
        cameras: Likewise.
        settings: What a reader needs to do it again.
        reasons: Per image, why no version has a logit, and version -> why it has none.
        resamples: Of the curves.
        seed: Keys them.
    """
    lowest = worst(cells)
    unread = [why for why in reasons[0] if why]
    lost = Counter(
        (variant, _SIZE.sub(":", why))
        for whole, each in zip(*reasons, strict=True)
        if not whole
        for variant, why in each.items()
    )
    n_read = len(answers.fake) - len(unread)
    return {
        "images": {
            "n": len(answers.fake),
            "n_real": int((~answers.fake).sum()),
            "n_fake": int(answers.fake.sum()),
            "n_unreadable": len(unread),
        },
        "unreadable": dict(Counter(unread)),
        "lost": [
            {"version": variant, "reason": why, "n": n, "of": n_read}
            for (variant, why), n in lost.items()
        ],
        "warnings": _warnings(answers, len(unread), lost),
        "worst": None if lowest is None else lowest.to_dict(),
        "cells": [each.to_dict() for each in cells],
        "cameras": list(cameras),
        "curves": _curves(answers, lowest, resamples, seed),
        "abstain": list(answers.point.abstain),
        "settings": dict(settings),
    }


def _curves(answers: Answers, lowest: Cell | None, resamples: int, seed: int) -> Json:
    """Return risk over coverage untouched, after every laundering, and after the worst."""
    point = answers.point
    known = np.isfinite(answers.logits)
    threshold = np.clip(point.threshold, 1e-300, 1 - 1e-16)
    cut = float(np.log(threshold) - np.log1p(-threshold))
    margins = np.full(answers.logits.shape, np.nan)
    margins[known] = np.abs(point.calibrator.log_odds(answers.logits[known]) - cut)
    scores = point.apply(answers.logits)
    wrong = known & ((scores >= point.threshold) != answers.fake[:, None])
    parts: dict[str, list[int]] = {"untouched": [0]}
    if len(answers.variants) > 1:
        parts[EVERY] = list(range(1, len(answers.variants)))
    if lowest is not None and lowest.variant.laundering:
        parts[lowest.variant.name] = [answers.variants.index(lowest.variant)]
    curves = {}
    for name, numbers in parts.items():
        drawn = selective.curve(
            answers.fake, margins[:, numbers], wrong[:, numbers], resamples, seed
        )
        curves[name] = {
            "coverage": list(selective.COVERAGES),
            "risk": _numbers(drawn.risk),
            "low": _numbers(drawn.low),
            "high": _numbers(drawn.high),
        }
    return curves


def _warnings(
    answers: Answers, n_unread: int, lost: Mapping[tuple[str, str], int]
) -> list[str]:
    sentences = []
    n_fake = int(answers.fake.sum())
    n_real = len(answers.fake) - n_fake
    if min(n_real, n_fake) < _FEW:
        sentences.append(
            f"Only {n_real:,} real and {n_fake:,} fake images: read the intervals, not the "
            "values, and expect the worst of many cells to be partly chance."
        )
    if n_unread:
        sentences.append(f"{n_unread:,} images could not be read and are in no number.")
    if lost:
        versions = {variant for variant, _ in lost}
        sentences.append(
            f"{sum(lost.values()):,} laundered versions have no logit, in {len(versions):,} of "
            f"{len(answers.variants) - 1:,} launderings; reasons are below."
        )
    if answers.point.abstain[0] >= answers.point.abstain[1]:
        sentences.append(
            "This detector is never unsure (its abstain band is empty), so that coverage is 1."
        )
    return sentences


def table(cells: Sequence[Cell]) -> str:
    """Return launder.csv: one line per cell and metric."""
    head = "generator laundering strength n_real n_fake n_lost status metric value low high"
    lines: list[list[object]] = [[*head.split(), "method"]]
    for cell in cells:
        name, variant = cell.generator, cell.variant
        line = [name, variant.laundering or "untouched"]
        line.append(f"{variant.strength:g}" if variant.laundering else "")
        line += [str(n) for n in (cell.n_real, cell.n_fake, cell.n_lost)]
        if not cell.metrics:
            lines.append([*line, cell.status, *[""] * 5])
        for metric, each in cell.metrics.items():
            numbers = [_text(number) for number in (each.value, each.low, each.high)]
            lines.append([*line, cell.status, metric, *numbers, each.method])
    return _csv(lines)


def images(
    rows: pd.DataFrame,
    variants: Sequence[Variant],
    logits: Floats,
    reasons: tuple[Sequence[str], Sequence[Mapping[str, str]]],
) -> str:
    """Return laundered.csv: one line per image, its logit after each laundering."""
    own = [
        name for name in ("path", "label", "source", "split", "pair_id") if name in rows
    ]
    table: list[list[object]] = [[*own, *(each.name for each in variants), "reason"]]
    cells: Iterator[Any] = rows[own].itertuples(index=False, name=None)
    for line, values, whole, each in zip(cells, logits, *reasons, strict=True):
        why = whole or "; ".join(f"{name}: {text}" for name, text in each.items())
        table.append([*line, *map(_text, values), why])
    return _csv(table)


def _csv(lines: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(lines)
    return file.getvalue().encode("utf-8", "backslashreplace").decode()


def _text(value: float) -> str:
    return repr(float(value)) if np.isfinite(value) else ""


def _numbers(values: Floats) -> list[float | None]:
    return [float(value) if np.isfinite(value) else None for value in values]
