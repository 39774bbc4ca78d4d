"""Explain images one by one into a folder; what is there already is not done again."""

import dataclasses
import logging
import os
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kerasfaces.core import arrays, registry
from kerasfaces.core import config as configs
from kerasfaces.core.errors import ImageError, InputError
from kerasfaces.core.files import (
    Json,
    atomic_path,
    read_json,
    sha256,
    write_json,
    write_text,
)
from kerasfaces.core.imports import import_keras
from kerasfaces.core.progress import progress
from kerasfaces.dataset.cache import decode_all
from kerasfaces.dataset.file_facts import with_limits
from kerasfaces.explain import checks, contract, picture, study_page
from kerasfaces.explain.contract import Map, Options, Pixels, Settings
from kerasfaces.explain.page import Page
from kerasfaces.explain.selection import Selection
from kerasfaces.explain.study import Request, safe_name
from kerasfaces.run.folder import DetectorRun, Explanation
from kerasfaces.run.operating_point import OperatingPoint

if TYPE_CHECKING:
    from kerasfaces.explain.subjects import Subject

logger = logging.getLogger(__name__)
PACKAGE = "kerasfaces.explain.methods"
_KEYS = {"name", "logit", "toward", "facts", "parts"}  # of every record


def explain(
    folder: Path, selection: Selection, output: Path, settings: Settings
) -> pd.DataFrame:
    """Write maps, overlays, explanations.csv and, last, explain.html.

    More images may join a folder later, by the same run and settings.

    Returns:
        explanations.csv's rows: one per file, in order.

    Raises:
        InputError: The method cannot explain this run, or no image can be read.
        RunError: The run is not finished, or the folder holds something else.
    """
    run = DetectorRun.open(folder)
    _require_weights(run)
    point, explanation = run.operating_point, Explanation(output)
    identity = {
        "run": configs.digest(run.config),
        "learnt": [sha256(path) for path in run.learnt_files],
        "point": configs.digest(point.to_json()),
        **dataclasses.asdict(settings),
    }
    with explanation.writing(identity):
        import_keras()
        method = registry.load(PACKAGE, settings.method)
        if hasattr(method, "study"):
            findings = method.study(Request(run, selection, settings))
            return study_page.write(
                explanation, run.name, settings.method, selection.note, findings
            )
        frame, page = _explained(folder, selection, output, settings, method, point)
        table = frame.to_csv(index=False, lineterminator="\n")
        write_text(explanation.table_file, table)
        if (frame["reason"] != "").all():
            raise InputError(
                f"None of {len(frame)} images could be explained, e.g. "
                f"{frame['path'][0]}: {frame['reason'][0]}."
            )
        explanation.write_report(page.render(frame))
    return frame


def _require_weights(run: DetectorRun) -> None:
    """Refuse a run of which only an export is here: it gives logits and nothing else."""
    if not run.learnt_files and any(run.path.glob("exports/*/export.json")):
        raise InputError(
            f"{run.path} holds an export and not the network it was made from (model.keras), "
            "whose layers and gradients explanations need: bring the whole run folder; predict "
            "works without."
        )


def _explained(
    folder: Path,
    selection: Selection,
    output: Path,
    settings: Settings,
    method: ModuleType,
    point: OperatingPoint,
) -> tuple[pd.DataFrame, Page]:
    """Return explanations.csv's rows, and the page that has collected the images."""
    from kerasfaces.explain.subjects import open_subject

    redraws = method.REDRAWS if settings.checks else 0
    subject = open_subject(folder, redraws, settings.seed)
    method.check(subject)
    if not selection.files:
        raise InputError(
            f"{settings.method} explains images, and none is given: name some, or a `split` of "
            "the run's manifest."
        )
    if selection.is_from_outside:
        subject = subject.of_pictures()
    maps = _Maps(output / "images", subject, method, settings, point)
    page = Page(subject.name, settings, method.UNITS, selection.note)
    files = selection.files
    too_small = with_limits(files, [""] * len(files), subject.limits)
    rows = []
    with progress(len(files), "explaining") as add:
        for number, decoded in enumerate(decode_all(files, subject.spec)):
            path = os.fsencode(decoded.path).decode("utf-8", "backslashreplace")
            row: Json = {"path": path}
            if selection.labels:
                row["label"] = selection.labels[number]
                row["source"] = selection.sources[number]
            if selection.decisions:
                row["decision"] = selection.decisions[number]
            try:
                if decoded.array is None or too_small[number]:
                    raise ImageError(decoded.reason or too_small[number])
                name = f"{safe_name(decoded.path)}-{decoded.sha256[:10]}"
                record, map_ = maps.of(decoded.array, name)
            except ImageError as error:
                row |= maps.row({}, str(error))
            else:
                row |= maps.row(record, "")
                page.add(row, record, decoded.array, map_)
            rows.append(row)
            add(1)
    return pd.DataFrame(rows), page


def of_image(
    method: ModuleType,
    subject: "Subject",
    learnt: "Subject",
    image: Pixels,
    point: OperatingPoint,
    settings: Settings,
) -> tuple[Json, contract.Explanation]:
    """Return what is recorded of an image `(s, s, 3)`, and its map; `learnt`: see `checks`."""
    logit = float(subject.logits(image[None])[0, 0])
    if not np.isfinite(logit):
        raise ImageError("the detector gives no finite logit")
    toward = 1 if point.apply([logit])[0] >= point.threshold else -1
    options = Options(
        signed=settings.signed,
        baseline=settings.baseline,
        toward=toward,
        seed=settings.seed,
    )
    own, *redrawn = method.explain(subject, image, options)
    record: Json = {
        "logit": logit,
        "toward": toward,
        "facts": own.facts,
        "parts": {layer: float(part.sum()) for layer, part in own.parts.items()},
    }
    if settings.checks:
        record["checks"] = checks.of_map(
            method, subject, learnt, image, options, own, redrawn
        )
    return record, own


@dataclasses.dataclass
class _Maps:
    """The maps of a run's images in a folder, with what was measured of each."""

    folder: Path
    subject: "Subject"
    method: ModuleType
    settings: Settings
    point: OperatingPoint

    @cached_property
    def learnt(self) -> "Subject":
        """The subject without re-drawn heads, which the checks ask for more maps."""
        return self.subject.learnt()

    def of(self, image: Pixels, name: str) -> tuple[Json, Map]:
        """Return an image's record and map, from the folder if they are there."""
        stored = self._stored(image, name)
        if stored is not None:
            return stored
        record, own = of_image(
            self.method, self.subject, self.learnt, image, self.point, self.settings
        )
        record = {"name": name} | record
        file = self.folder / name
        with atomic_path(Path(f"{file}.npy")) as path, path.open("wb") as opened:
            np.save(opened, own.map, allow_pickle=False)
        if own.parts:
            arrays.write(Path(f"{file}-layers.npz"), own.parts)
        with atomic_path(Path(f"{file}.png")) as path:
            picture.drawn(image, own.map, self.method.UNITS).save(path)
        write_json(Path(f"{file}.json"), record)  # last: the others are whole
        return record, own.map

    def _stored(self, image: Pixels, name: str) -> tuple[Json, Map] | None:
        """Return what is in the folder; None where it is not there, or damaged."""
        path = self.folder / f"{name}.json"
        if not path.is_file():
            return None
        try:
            record = read_json(path)
            map_ = np.load(self.folder / f"{name}.npy", allow_pickle=False)
            wanted = _KEYS | {"checks"} if self.settings.checks else _KEYS
            if record.keys() >= wanted and map_.shape == image.shape[:2]:
                return record, map_
        except (OSError, ValueError, EOFError, AttributeError):
            pass
        logger.warning("%s or its .npy is damaged: explained again", path)
        return None

    def row(self, record: Json, reason: str) -> Json:
        """Return the measured part of a row; what was not measured is empty."""
        logit, method = record.get("logit", np.nan), self.settings.method
        score = float(self.point.apply([logit])[0])
        verdict = self.point.verdicts([score])[0]
        row = {"logit": logit, "score": score, "verdict": verdict, "method": method}
        if self.settings.checks:
            measured = record.get("checks", {})
            row |= {key: measured.get(key) for key in checks.COLUMNS}
        facts = record.get("facts", {})
        row |= {
            key: facts.get(key, np.nan) for key in getattr(self.method, "FACTS", ())
        }
        return row | {"file": record.get("name", ""), "reason": reason}
