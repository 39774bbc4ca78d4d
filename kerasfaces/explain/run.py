"""Explain images one by one into a folder; what is there already is not done again."""

import dataclasses
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from kerasfaces.core import arrays, registry
from kerasfaces.core import config as configs
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import (
    atomic_path,
    read_json,
    sha256,
    write_json,
    write_text,
)
from kerasfaces.core.progress import progress
from kerasfaces.explain import checks
from kerasfaces.explain.contract import Pixels, Subject
from kerasfaces.explain.request import Explained, Request
from kerasfaces.run.folder import DetectorRun, Explanation
from kerasfaces.run.operating_point import OperatingPoint

logger = logging.getLogger(__name__)
PACKAGE = "kerasfaces.explain.methods"
_KEYS = {"name", "logit", "toward", "facts", "parts"}  # of every record


def explain(request: Request) -> pd.DataFrame:
    """Write maps, overlays, explanations.csv and, last, explain.html.

    Returns:
        explanations.csv's rows: one per file, in order.

    Raises:
        InputError: The method cannot explain this run, it is an ensemble, an attribution
            or a study, or no image can be read.
        RunError: The run is not finished, or the folder holds something else.
    """
    from kerasfaces.explain.page import Page

    plugin = registry.load(PACKAGE, request.method)
    point = DetectorRun.open(request.run).operating_point
    explanation = Explanation(request.folder)
    with explanation.writing(_identity(request, point)):
        subject = _open(request, plugin)
        plugin.check(subject)
        page = Page(request, subject, plugin.UNITS)
        rows = []
        with progress(len(request.files), "explaining") as add:
            for each in _all(request, subject, plugin, point):
                page.add(each)
                rows.append(each.row)
                add(1)
        frame = pd.DataFrame(rows)
        table = frame.to_csv(index=False, lineterminator="\n")
        write_text(explanation.table_file, table)
        if (frame["reason"] != "").all():
            raise InputError(
                f"None of {len(frame)} images could be explained, e.g. "
                f"{frame['path'][0]}: {frame['reason'][0]}."
            )
        explanation.write_report(page.render(frame))
    return frame


def verdict_of(logit: float, point: OperatingPoint) -> tuple[float, str]:
    """Return score and verdict (`real`, `fake`, `unsure`) at the frozen point."""
    score = float(point.apply([logit])[0])
    return score, point.verdicts([score])[0]


def _open(request: Request, plugin: ModuleType) -> Subject:
    from kerasfaces.explain.subjects import open_subject

    redraws = plugin.REDRAWS if request.checks else 0
    return open_subject(request.run, redraws, request.seed)


def _all(
    request: Request, subject: Subject, plugin: ModuleType, point: OperatingPoint
) -> Iterator[Explained]:
    from kerasfaces.dataset.cache import decode_all
    from kerasfaces.dataset.sizes import with_limits

    decoded = decode_all(request.files, subject.spec)
    too_little = with_limits(request.files, [""] * len(request.files), subject.limits)
    for number, item in enumerate(decoded):
        row: dict[str, Any] = {"path": _text(item.path)}
        if request.labels:
            row["label"] = request.labels[number]
            row["source"] = request.sources[number]
        reason = item.reason or too_little[number]
        if item.array is None or reason:
            yield Explained(row=_filled(row, {}, point, request, reason))
            continue
        name = f"{_safe(item.path.stem)}-{item.sha256[:10]}"
        try:
            record, found = _one(request, subject, plugin, point, name, item.array)
        except ImageError as error:
            yield Explained(row=_filled(row, {}, point, request, str(error)))
            continue
        row = _filled(row, record, point, request, "")
        yield Explained(row=row, image=item.array, map=found, record=record)


def _one(
    request: Request,
    subject: Subject,
    plugin: ModuleType,
    point: OperatingPoint,
    name: str,
    image: Pixels,
) -> tuple[dict[str, Any], Any]:
    """Return an image's record and map, from the folder if they are there."""
    from kerasfaces.explain import picture

    folder = request.folder / "images"
    kept = _kept(folder, name, image)
    if kept is not None:
        return kept
    logit = float(subject.logits(image[None])[0, 0])
    if not np.isfinite(logit):
        raise ImageError("the detector gives no finite logit")
    score, _ = verdict_of(logit, point)
    toward = 1 if score >= point.threshold else -1
    options = dataclasses.replace(request.options, toward=toward)
    every = plugin.explain(subject, image, options)
    own, others = every[0], [each.map for each in every[1:]]
    record: dict[str, Any] = {"name": name, "logit": logit, "toward": toward}
    record["facts"] = own.facts
    record["parts"] = {key: float(part.sum()) for key, part in own.parts.items()}
    if request.checks:
        curve = checks.deletion(subject.logits, image, own.map, toward, request.seed)
        record["deletion"] = dataclasses.asdict(curve)
        record["sanity"] = checks.sanity(own.map, others)
    with atomic_path(folder / f"{name}.npy") as path, path.open("wb") as file:
        np.save(file, own.map, allow_pickle=False)
    if own.parts:
        target = folder / f"{name}-layers.npz"
        arrays.write(target, own.parts)
    values, unit = picture.shown(own.map, plugin.UNITS)
    drawn = picture.overlay(image, values, picture.limit_of(values), unit)
    with atomic_path(folder / f"{name}.png") as path:
        drawn.save(path)
    write_json(folder / f"{name}.json", record)  # last: the others are whole
    return record, own.map


def _kept(folder: Path, name: str, image: Pixels) -> tuple[dict[str, Any], Any] | None:
    """Return an image's record and map; None where they are not there, or damaged."""
    path = folder / f"{name}.json"
    if not path.is_file():
        return None
    try:
        record = read_json(path)
        found = np.load(folder / f"{name}.npy", allow_pickle=False)
        whole = _KEYS <= set(record) and found.shape == image.shape[:2]
    except (OSError, ValueError, EOFError, TypeError):
        whole = False
    if not whole:
        logger.warning("%s or its .npy is damaged: explained again", path)
    return (record, found) if whole else None


def _filled(
    row: dict[str, Any],
    record: dict[str, Any],
    point: OperatingPoint,
    request: Request,
    reason: str,
) -> dict[str, Any]:
    """Return a row of explanations.csv; what was not measured is empty."""
    logit = record.get("logit", np.nan)
    score, verdict = (np.nan, "") if reason else verdict_of(logit, point)
    deletion = record.get("deletion", {})
    row |= {"logit": logit, "score": score, "verdict": verdict}
    row |= {"method": request.method}
    if request.checks:
        row |= {
            "deletion_gain": deletion.get("gain", np.nan),
            "deletion_spread": deletion.get("spread", np.nan),
            "random_orders_beaten": deletion.get("beaten", ""),
            "random_orders": checks.ORDERS if deletion else "",
            "sanity_correlation": record.get("sanity"),
        }
    if request.method == "integrated_gradients":
        facts = record.get("facts", {})
        for key in ("baseline_logit", "completeness_error"):
            row[key] = facts.get(key, np.nan)
    return row | {"file": record.get("name", ""), "reason": reason}


def _identity(request: Request, point: OperatingPoint) -> dict[str, Any]:
    """Return what decides a map, images apart: more of them may join a folder."""
    run = DetectorRun(request.run)
    return {
        "run": configs.digest(run.config),
        "learnt": [sha256(path) for path in run.learnt_files],
        "point": configs.digest(point.to_json()),
        "method": request.method,
        "signed": request.options.signed,
        "baseline": request.options.baseline,
        "checks": request.checks,
        "seed": request.seed,
    }


def _safe(stem: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", stem)[:40].lstrip(".") or "image"


def _text(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")
